//! The table `mcp_queries`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Entry, NewEntry};
use crate::{
    id::QueryId,
    store::{
        column::{storable, storable_json},
        now,
    },
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "mcp_queries")]
pub(super) struct Model {
    #[sea_orm(primary_key)]
    pub id: QueryId,
    pub asked_at: DateTimeUtc,
    pub caller: String,
    pub query_type: String,
    pub query: String,
    pub tool: Option<String>,
    pub arguments: Json,
    pub model: String,
    pub tokens_used: i64,
    pub duration_ms: i64,
    pub outcome: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Entry {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            asked_at: row.asked_at,
            caller: row.caller,
            query_type: row.query_type,
            query: row.query,
            tool: row.tool,
            arguments: row.arguments,
            model: row.model,
            tokens_used: row.tokens_used,
            duration_ms: row.duration_ms,
            outcome: row.outcome,
        }
    }
}

/// A fresh row.
pub(super) fn new(new: &NewEntry) -> ActiveModel {
    ActiveModel {
        asked_at: Set(now()),
        caller: Set(storable(new.caller.clone())),
        query_type: Set(storable(new.query_type.clone())),
        query: Set(storable(new.query.clone())),
        tool: Set(new.tool.clone().map(storable)),
        arguments: Set(storable_json(new.arguments.clone())),
        model: Set(storable(new.model.clone())),
        tokens_used: Set(i64::try_from(new.tokens_used).unwrap_or(i64::MAX)),
        duration_ms: Set(i64::try_from(new.duration.as_millis()).unwrap_or(i64::MAX)),
        outcome: Set(storable(new.outcome.clone())),
        ..Default::default()
    }
}
