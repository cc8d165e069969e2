//! Tasks of agents: kept and listed. What runs them is yet to come (issue 7).

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, QueryOrder, QueryTrait, entity::prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Listed, Page, Store, claimed, column,
    events::{self, NewEvent},
    projects,
};
use crate::{
    Error,
    id::{ProjectId, TaskId},
};

mod row;

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// It waits for a worker.
    Pending,
    /// It waits for its time.
    Scheduled,
    /// A worker has it.
    Running,
    /// An attempt failed and another will be made.
    Retryable,
    /// It was done.
    Completed,
    /// The last attempt failed.
    Failed,
    /// It was called off.
    Cancelled,
    /// Its worker was lost.
    Interrupted,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The project that it is about.
    pub project_id: Option<ProjectId>,
    /// Which agent is to do it.
    pub agent_type: String,
    /// What kind of task it is.
    pub task_type: String,
    /// What is to be done.
    pub description: String,
    /// Larger runs first.
    pub priority: i32,
    /// What the agent is given.
    pub input_data: serde_json::Value,
    /// How far it has come.
    pub state: State,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Not to be run before.
    pub run_at: DateTime<Utc>,
    /// How many attempts were begun.
    pub attempt: i32,
    /// How many attempts are made.
    pub max_attempts: i32,
    /// The worker that has it.
    pub owner: Option<String>,
    /// Until when that worker has it.
    pub lease_until: Option<DateTime<Utc>>,
    /// What came of it.
    pub output: Option<serde_json::Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the last attempt was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A task that is about to be created.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// The project that it is about.
    pub project_id: Option<ProjectId>,
    /// Which agent is to do it.
    pub agent_type: String,
    /// What kind of task it is.
    pub task_type: String,
    /// What is to be done.
    pub description: String,
    /// Larger runs first.
    pub priority: i32,
    /// What the agent is given.
    pub input_data: serde_json::Value,
    /// How many attempts are made.
    pub max_attempts: i32,
}

/// Which tasks are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// How far they have come: any of these, or any at all when there is none.
    pub states: Vec<State>,
    /// Which agent is to do them.
    pub agent_type: Option<String>,
    /// The project that they are about.
    pub project_id: Option<ProjectId>,
}

/// Creates a task.
///
/// # Errors
/// Fails when there is no such project.
pub async fn create(store: &Store, new: &NewTask) -> Result<Task, Error> {
    claimed(|| try_create(store, new)).await
}

async fn try_create(store: &Store, new: &NewTask) -> Result<Task, Error> {
    store
        .write(async |transaction| {
            if let Some(id) = new.project_id {
                projects::check_exists(transaction, id).await?;
            }
            let row = row::Entity::insert(row::new(new))
                .exec_with_returning(transaction)
                .await?;
            announce(transaction, "task_created", &row).await?;
            Ok(row.into())
        })
        .await
}

/// Lists tasks, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Task>, Error> {
    let states = Some(filter.states.clone()).filter(|states| !states.is_empty());
    let query = row::Entity::find()
        .apply_if(states, |query, states| query.filter(row::Column::State.is_in(states)))
        .apply_if(filter.agent_type.clone(), |query, kind| {
            query.filter(row::Column::AgentType.eq(column::storable(kind)))
        })
        .apply_if(filter.project_id, |query, id| {
            query.filter(row::Column::ProjectId.eq(id))
        });
    let query = query.order_by_desc(row::Column::Id);
    store.list(query, page, |row| Ok(row.into())).await
}

async fn announce(transaction: &DatabaseTransaction, kind: &'static str, row: &row::Model) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::TASKS,
        subject: Some(row.id.0),
        kind,
        data: json!({
            "id": row.id,
            "state": row.state,
            "agent_type": row.agent_type,
            "task_type": row.task_type,
            "project_id": row.project_id,
        }),
    };
    events::append(transaction, event).await
}
