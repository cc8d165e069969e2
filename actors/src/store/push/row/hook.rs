//! The table `push_hooks`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Error,
    id::ProjectId,
    push::HookRequest,
    store::{
        column::{from_json, parsed, parsed_opt, to_json},
        now,
        push::Hook,
    },
    value::HookSecret,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "push_hooks")]
pub(in crate::store::push) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub secret: String,
    pub branch: Option<String>,
    pub deployments: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store::push) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Hook {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let deployments = row.deployments.map(|json| from_json("push_hooks.deployments", json));
        Ok(Self {
            branch: parsed_opt("push_hooks.branch", row.branch)?,
            deployments: deployments.transpose()?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Returns the secret of a row.
pub(in crate::store::push) fn secret(row: Model) -> Result<HookSecret, Error> {
    parsed("push_hooks.secret", row.secret)
}

/// A fresh row.
pub(in crate::store::push) fn new(
    project: ProjectId,
    request: &HookRequest,
    secret: &HookSecret,
) -> Result<ActiveModel, Error> {
    Ok(ActiveModel {
        secret: Set(secret.expose().to_owned()),
        created_at: Set(now()),
        ..changed(project, request)?
    })
}

/// A row that is set anew. It keeps its secret unless there is another one.
pub(in crate::store::push) fn changed(project: ProjectId, request: &HookRequest) -> Result<ActiveModel, Error> {
    let deployments = request.deployments.as_ref();
    let deployments = deployments.map(|ids| to_json("push_hooks.deployments", ids));
    let mut row = ActiveModel {
        project_id: Set(project),
        branch: Set(request.branch.clone().map(String::from)),
        deployments: Set(deployments.transpose()?),
        updated_at: Set(now()),
        ..Default::default()
    };
    if let Some(secret) = &request.secret {
        row.secret = Set(secret.expose().to_owned());
    }
    Ok(row)
}
