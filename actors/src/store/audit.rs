//! The audit log: who did what, when, from where, and what came of it.
//!
//! An entry is written before something is done, with the result `unknown`, and ended once it is done. One that was never
//! ended tells of a program that was killed in between. The database refuses every other change.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{ActiveValue::Set, QueryOrder, QueryTrait, entity::prelude::*};
use serde::Serialize;

use super::{Listed, Page, Store, column::storable};
use crate::{Error, id::AuditId};

mod row;

/// The result of what was begun and is not known to have ended.
pub const UNKNOWN: &str = "unknown";
/// The result of what was done.
pub const OK: &str = "ok";

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct Entry {
    /// Its id.
    pub id: AuditId,
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// What they did: the name of an endpoint.
    pub action: String,
    /// What they did it to: a path of the API.
    pub target: String,
    /// The tool by which they did it, if it was one.
    pub tool: Option<String>,
    /// Where the request came from.
    pub source_address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What came of it: `ok`, `unknown`, or the code of the refusal.
    pub result: String,
    /// The status of the answer.
    pub status: Option<i32>,
}

/// An entry that is about to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Who did it.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// What they did it to.
    pub target: String,
    /// The tool by which they did it.
    pub tool: Option<String>,
    /// Where the request came from.
    pub source_address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `ok`, `unknown`, or the code of the refusal.
    pub result: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

/// Which entries are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Who did it.
    pub actor: Option<String>,
    /// What they did.
    pub action: Option<String>,
    /// What came of it.
    pub result: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

impl Outcome {
    /// Nothing is known yet.
    pub fn unknown() -> Self {
        Self {
            result: UNKNOWN.to_owned(),
            status: None,
        }
    }
}

/// Writes an entry.
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

/// Ends an entry that was begun.
///
/// # Errors
/// Fails when the database does, or when it was ended before.
pub async fn end(store: &Store, id: AuditId, outcome: &Outcome) -> Result<(), Error> {
    let change = row::ActiveModel {
        id: Set(id),
        result: Set(storable(outcome.result.clone())),
        status: Set(outcome.status.map(i32::from)),
        ..Default::default()
    };
    store
        .write(async |transaction| {
            row::Entity::update(change).exec(transaction).await?;
            Ok(())
        })
        .await
}

/// Lists entries, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Entry>, Error> {
    let text = |column: row::Column, value: &Option<String>| value.clone().map(|value| column.eq(storable(value)));
    let query = row::Entity::find()
        .apply_if(text(row::Column::Actor, &filter.actor), QueryFilter::filter)
        .apply_if(text(row::Column::Action, &filter.action), QueryFilter::filter)
        .apply_if(text(row::Column::Result, &filter.result), QueryFilter::filter)
        .apply_if(filter.since, |query, since| query.filter(row::Column::At.gte(since)))
        .apply_if(filter.until, |query, until| query.filter(row::Column::At.lt(until)))
        .order_by_desc(row::Column::Id);
    store.list(query, page, |row| Ok(row.into())).await
}

/// Deletes entries that are older than `max_age`. Returns how many were deleted.
///
/// # Errors
/// Fails when the database does; what was deleted before that stays deleted.
pub async fn prune(store: &Store, max_age: Duration) -> Result<u64, Error> {
    store
        .prune::<row::Entity>(row::Column::Id, row::Column::At, max_age)
        .await
}
