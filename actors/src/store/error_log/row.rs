//! The table `error_log`.

use sea_orm::{ActiveValue::Set, FromQueryResult, entity::prelude::*};

use super::{Entry, NewEntry, Severity};
use crate::{
    id::{DeploymentId, ErrorId, ProjectId},
    store::{
        column::{storable, storable_json},
        now, projects,
    },
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "error_log")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: ErrorId,
    pub project_id: Option<ProjectId>,
    pub deployment_id: Option<DeploymentId>,
    pub error_type: String,
    pub severity: Severity,
    pub message: String,
    pub stack_trace: Option<String>,
    pub context: Json,
    pub occurred_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {
    #[sea_orm(
        belongs_to = "projects::row::Entity",
        from = "Column::ProjectId",
        to = "projects::row::Column::Id"
    )]
    Project,
}

impl ActiveModelBehavior for ActiveModel {}

/// A row with the name of its project.
#[derive(FromQueryResult)]
pub(super) struct Named {
    #[sea_orm(nested)]
    pub(super) row: Model,
    pub(super) project_name: Option<String>,
}

impl From<Named> for Entry {
    fn from(Named { row, project_name }: Named) -> Self {
        Self {
            id: row.id,
            project_id: row.project_id,
            project_name,
            deployment_id: row.deployment_id,
            error_type: row.error_type,
            severity: row.severity,
            message: row.message,
            stack_trace: row.stack_trace,
            context: row.context,
            occurred_at: row.occurred_at,
        }
    }
}

/// A fresh row.
pub(super) fn new(new: &NewEntry) -> ActiveModel {
    ActiveModel {
        project_id: Set(new.project_id),
        deployment_id: Set(new.deployment_id),
        error_type: Set(storable(new.error_type.clone())),
        severity: Set(new.severity),
        message: Set(storable(new.message.clone())),
        stack_trace: Set(new.stack_trace.clone().map(storable)),
        context: Set(storable_json(new.context.clone())),
        occurred_at: Set(now()),
        ..Default::default()
    }
}
