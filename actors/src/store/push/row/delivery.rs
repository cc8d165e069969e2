//! The table `push_deliveries`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    id::ProjectId,
    store::{column::storable, now, push::Push},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "push_deliveries")]
pub(in crate::store::push) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub project_id: ProjectId,
    pub delivery: String,
    pub body_digest: String,
    pub branch: String,
    pub commit_id: String,
    pub received_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store::push) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A fresh row.
pub(in crate::store::push) fn new(project_id: ProjectId, push: &Push) -> ActiveModel {
    ActiveModel {
        project_id: Set(project_id),
        delivery: Set(storable(push.delivery.clone())),
        body_digest: Set(push.body_digest.clone()),
        branch: Set(push.branch.to_string()),
        commit_id: Set(push.commit.to_string()),
        received_at: Set(now()),
        ..Default::default()
    }
}
