//! The table `audit`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Entry, NewEntry};
use crate::{
    id::AuditId,
    store::{column::storable, now},
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: AuditId,
    pub at: DateTimeUtc,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub tool: Option<String>,
    pub source_address: Option<String>,
    pub request_id: Option<String>,
    pub result: String,
    pub status: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Entry {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: row.actor,
            action: row.action,
            target: row.target,
            tool: row.tool,
            source_address: row.source_address,
            request_id: row.request_id,
            result: row.result,
            status: row.status,
        }
    }
}

/// A fresh row.
pub(super) fn new(new: &NewEntry) -> ActiveModel {
    ActiveModel {
        at: Set(now()),
        actor: Set(storable(new.actor.clone())),
        action: Set(storable(new.action.clone())),
        target: Set(storable(new.target.clone())),
        tool: Set(new.tool.clone().map(storable)),
        source_address: Set(new.source_address.clone().map(storable)),
        request_id: Set(new.request_id.clone().map(storable)),
        result: Set(storable(new.outcome.result.clone())),
        status: Set(new.outcome.status.map(i32::from)),
        ..Default::default()
    }
}
