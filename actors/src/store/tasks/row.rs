//! The table `tasks`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{NewTask, State, Task};
use crate::{
    id::{ProjectId, TaskId},
    store::{
        column::{storable, storable_json},
        now,
    },
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
    pub max_attempts: i32,
    pub owner: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    pub output: Option<Json>,
    pub error: Option<String>,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Task {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            agent_type: row.agent_type,
            task_type: row.task_type,
            description: row.description,
            priority: row.priority,
            input_data: row.input_data,
            state: row.state,
            created_at: row.created_at,
            run_at: row.run_at,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            owner: row.owner,
            lease_until: row.lease_until,
            output: row.output,
            error: row.error,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

/// A fresh row, to be run as soon as may be.
pub(super) fn new(new: &NewTask) -> ActiveModel {
    let now = now();
    ActiveModel {
        project_id: Set(new.project_id),
        agent_type: Set(storable(new.agent_type.clone())),
        task_type: Set(storable(new.task_type.clone())),
        description: Set(storable(new.description.clone())),
        priority: Set(new.priority),
        input_data: Set(storable_json(new.input_data.clone())),
        state: Set(State::Pending),
        created_at: Set(now),
        run_at: Set(now),
        max_attempts: Set(new.max_attempts),
        ..Default::default()
    }
}
