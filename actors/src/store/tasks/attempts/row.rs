//! The table `task_attempts`.

use sea_orm::entity::prelude::*;

use super::AttemptOutcome;
use crate::id::TaskId;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "task_attempts")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: TaskId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub owner: String,
    pub started_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub outcome: Option<AttemptOutcome>,
    pub error_kind: Option<String>,
    pub error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
