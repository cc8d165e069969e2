//! Tasks of agents: accepted, claimed, carried out, and never lost on the way.
//!
//! A running task has one lease: an owner, an attempt, and a time until which that owner has it. Every write of a worker
//! is fenced by all three, so one whose lease was given to somebody else changes nothing any more. The times of leases are
//! the database's, whatever the clocks of its clients say.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{DerivePartialModel, PaginatorTrait, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::{Listed, Page, Store, column};
use crate::{
    Error,
    id::{ProjectId, TaskId},
};

mod announce;
mod attempts;
mod claim;
mod create;
mod lease;
mod machine;
mod orders;
mod pause;
mod project;
mod prune;
mod row;
mod settle;

pub use attempts::{Attempt, AttemptOutcome, attempts};
pub use claim::{Room, claim};
pub use create::{Created, create, create_all};
pub use lease::{Beat, Fence, Owner, give_back, heartbeat, release, rescue};
pub use machine::Outcome;
pub use orders::{cancel, retry};
pub use pause::{pause, paused, resume};
pub(super) use project::leave;
pub use prune::prune;
pub use settle::{Progress, Settlement, record_progress, settle};

/// The most tasks that are claimed, or written about, in one transaction: others wait for it.
pub const MAX_BATCH: usize = 500;

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schemars(rename = "TaskState")]
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
    /// Its worker was lost or has handed it back, and another attempt will be made.
    Interrupted,
}

impl State {
    /// The states in which a task waits for a worker.
    pub const WAITING: [Self; 4] = [Self::Pending, Self::Scheduled, Self::Retryable, Self::Interrupted];

    /// Whether the task has ended for good, unless somebody has it tried again.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A task, without what can be large.
#[derive(Debug, Clone, PartialEq, Serialize, DerivePartialModel)]
#[sea_orm(entity = "row::Entity")]
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
    /// How far it has come.
    pub state: State,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Not to be run before.
    pub run_at: DateTime<Utc>,
    /// How many attempts were begun.
    pub attempt: i32,
    /// How many attempts failed.
    pub failed_attempts: i32,
    /// How many attempts in a row ended with whoever made them.
    pub lost_attempts: i32,
    /// After how many failed attempts it has failed.
    pub max_attempts: i32,
    /// How long an attempt may take, in seconds; without a value, as long as the agent allows.
    pub timeout_s: Option<i64>,
    /// At most one unfinished task has this key.
    pub unique_key: Option<String>,
    /// The worker that has it.
    pub owner: Option<String>,
    /// Until when that worker has it.
    pub lease_until: Option<DateTime<Utc>>,
    /// When somebody asked for the running task to be called off.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// What the running attempt reported last.
    pub progress: Option<serde_json::Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the last attempt was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Task {
    /// Returns what the worker that has the task must show.
    pub fn fence(&self) -> Fence {
        Fence {
            task: self.id,
            attempt: self.attempt,
        }
    }
}

/// A task with everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// The task.
    pub task: Task,
    /// What the agent is given.
    pub input_data: serde_json::Value,
    /// What came of it.
    pub output: Option<serde_json::Value>,
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
    /// Not to be run before; without a value, as soon as may be.
    pub run_at: Option<DateTime<Utc>>,
    /// After how many failed attempts it has failed.
    pub max_attempts: i32,
    /// How long an attempt may take, in seconds.
    pub timeout_s: Option<i64>,
    /// While a task with this key is unfinished no other is created.
    pub unique_key: Option<String>,
    /// As long as a task with this key is known no other is created.
    pub idempotency_key: Option<String>,
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

/// How many tasks of one agent are unfinished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Load {
    /// So many wait.
    pub waiting: u64,
    /// So many run.
    pub running: u64,
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
    let rows = query.clone().order_by_desc(row::Column::Id);
    let rows = rows.limit(page.limit).offset(page.offset).into_partial_model();
    store
        .read(async |reader| {
            Ok(Listed {
                total: query.count(reader).await?,
                rows: rows.all(reader).await?,
            })
        })
        .await
}

/// Returns a task.
///
/// # Errors
/// Fails when there is no such task.
pub async fn task(store: &Store, id: TaskId) -> Result<Task, Error> {
    let query = row::Entity::find_by_id(id).into_partial_model();
    let task = store.read(async |reader| Ok(query.one(reader).await?)).await?;
    task.ok_or_else(|| not_found(id))
}

/// Returns a task with everything.
///
/// # Errors
/// Fails when there is no such task.
pub async fn details(store: &Store, id: TaskId) -> Result<Details, Error> {
    let query = row::Entity::find_by_id(id);
    let row = store.read(async |reader| Ok(query.one(reader).await?)).await?;
    row.map(Details::from).ok_or_else(|| not_found(id))
}

/// Returns how many tasks of each agent are unfinished; an agent without any is left out.
///
/// # Errors
/// Fails when the database does.
pub async fn loads(store: &Store) -> Result<BTreeMap<String, Load>, Error> {
    let unfinished = State::WAITING.into_iter().chain([State::Running]);
    let query = row::Entity::find()
        .select_only()
        .column(row::Column::AgentType)
        .column(row::Column::State)
        .column_as(row::Column::Id.count(), "num")
        .filter(row::Column::State.is_in(unfinished))
        .group_by(row::Column::AgentType)
        .group_by(row::Column::State)
        .into_tuple::<(String, State, i64)>();
    let rows = store.read(async |reader| Ok(query.all(reader).await?)).await?;
    let mut loads: BTreeMap<String, Load> = BTreeMap::new();
    for (agent_type, state, num) in rows {
        let load = loads.entry(agent_type).or_default();
        let num = num.unsigned_abs();
        match state {
            State::Running => load.running += num,
            _ => load.waiting += num,
        }
    }
    Ok(loads)
}

fn not_found(id: TaskId) -> Error {
    Error::NotFound {
        kind: "Task",
        id: id.to_string(),
    }
}
