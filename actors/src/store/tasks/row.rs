//! The table `tasks`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Details, NewTask, State, Task};
use crate::{
    id::{ProjectId, TaskId},
    store::column::{storable, storable_json},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: TaskId,
    pub project_id: Option<ProjectId>,
    pub agent_type: String,
    pub task_type: String,
    pub description: String,
    pub priority: i32,
    pub input_data: Json,
    pub state: State,
    pub created_at: DateTimeUtc,
    pub run_at: DateTimeUtc,
    pub attempt: i32,
    pub failed_attempts: i32,
    pub lost_attempts: i32,
    pub max_attempts: i32,
    pub timeout_s: Option<i64>,
    pub unique_key: Option<String>,
    pub idempotency_key: Option<String>,
    pub owner: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    pub cancel_requested_at: Option<DateTimeUtc>,
    pub progress: Option<Json>,
    pub output: Option<Json>,
    pub error: Option<String>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    /// Whether it had a project that was deleted.
    pub is_orphaned: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Details {
    fn from(row: Model) -> Self {
        Self {
            task: Task {
                id: row.id,
                project_id: row.project_id,
                agent_type: row.agent_type,
                task_type: row.task_type,
                description: row.description,
                priority: row.priority,
                state: row.state,
                created_at: row.created_at,
                run_at: row.run_at,
                attempt: row.attempt,
                failed_attempts: row.failed_attempts,
                lost_attempts: row.lost_attempts,
                max_attempts: row.max_attempts,
                timeout_s: row.timeout_s,
                unique_key: row.unique_key,
                owner: row.owner,
                lease_until: row.lease_until,
                cancel_requested_at: row.cancel_requested_at,
                progress: row.progress,
                error: row.error,
                started_at: row.started_at,
                finished_at: row.finished_at,
            },
            input_data: row.input_data,
            output: row.output,
        }
    }
}

impl From<Model> for Task {
    fn from(row: Model) -> Self {
        Details::from(row).task
    }
}

/// A fresh row, to be run at its time or as soon as may be.
pub(super) fn new(new: &NewTask, now: DateTimeUtc) -> ActiveModel {
    let run_at = new.run_at.unwrap_or(now).max(now);
    let state = match run_at > now {
        true => State::Scheduled,
        false => State::Pending,
    };
    ActiveModel {
        project_id: Set(new.project_id),
        agent_type: Set(storable(new.agent_type.clone())),
        task_type: Set(storable(new.task_type.clone())),
        description: Set(storable(new.description.clone())),
        priority: Set(new.priority),
        input_data: Set(storable_json(new.input_data.clone())),
        state: Set(state),
        created_at: Set(now),
        run_at: Set(run_at),
        max_attempts: Set(new.max_attempts),
        timeout_s: Set(new.timeout_s),
        unique_key: Set(new.unique_key.clone().map(storable)),
        idempotency_key: Set(new.idempotency_key.clone().map(storable)),
        ..Default::default()
    }
}
