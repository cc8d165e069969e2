//! Queries in plain words: what was asked, which tool answered, what it cost and how it ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{QueryOrder, QueryTrait, entity::prelude::*};
use serde::Serialize;

use super::{Listed, Page, Store, column::storable};
use crate::{Error, id::QueryId};

mod row;

/// A query that was answered or refused.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "AskedQuery")]
pub struct Entry {
    /// Its id.
    pub id: QueryId,
    /// When it was answered.
    pub asked_at: DateTime<Utc>,
    /// Who asked.
    pub caller: String,
    /// What kind of query it was.
    pub query_type: String,
    /// The words.
    pub query: String,
    /// The tool that answered, if one was found.
    pub tool: Option<String>,
    /// What the tool was given.
    pub arguments: serde_json::Value,
    /// Who chose the tool.
    pub model: String,
    /// What the choice cost.
    pub tokens_used: i64,
    /// How long all of it took.
    pub duration_ms: i64,
    /// `answered`, or the code of the refusal.
    pub outcome: String,
}

/// A query that is about to be kept.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Who asked.
    pub caller: String,
    /// What kind of query it was.
    pub query_type: String,
    /// The words.
    pub query: String,
    /// The tool that answered, if one was found.
    pub tool: Option<String>,
    /// What the tool was given.
    pub arguments: serde_json::Value,
    /// Who chose the tool.
    pub model: String,
    /// What the choice cost.
    pub tokens_used: u64,
    /// How long all of it took.
    pub duration: Duration,
    /// `answered`, or the code of the refusal.
    pub outcome: String,
}

/// Which queries are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// What kind of query.
    pub query_type: Option<String>,
    /// The tool that answered.
    pub tool: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
}

/// Keeps a query.
///
/// # Errors
/// Fails when the database does.
pub async fn record(store: &Store, new: &NewEntry) -> Result<Entry, Error> {
    store
        .write(async |transaction| {
            let row = row::Entity::insert(row::new(new));
            Ok(row.exec_with_returning(transaction).await?.into())
        })
        .await
}

/// Lists queries, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Entry>, Error> {
    let query = row::Entity::find()
        .apply_if(filter.query_type.clone(), |query, kind| {
            query.filter(row::Column::QueryType.eq(storable(kind)))
        })
        .apply_if(filter.tool.clone(), |query, tool| {
            query.filter(row::Column::Tool.eq(storable(tool)))
        })
        .apply_if(filter.outcome.clone(), |query, outcome| {
            query.filter(row::Column::Outcome.eq(storable(outcome)))
        })
        .order_by_desc(row::Column::Id);
    store.list(query, page, |row| Ok(row.into())).await
}

/// Deletes queries that are older than `max_age`. Returns how many were deleted.
///
/// # Errors
/// Fails when the database does; what was deleted before that stays deleted.
pub async fn prune(store: &Store, max_age: Duration) -> Result<u64, Error> {
    store
        .prune::<row::Entity>(row::Column::Id, row::Column::AskedAt, max_age)
        .await
}
