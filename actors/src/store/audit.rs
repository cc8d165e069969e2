//! The audit log: who did what, when, from where, and what came of it. Only ever appended to.

use chrono::{DateTime, Utc};
use sea_orm::{QueryOrder, entity::prelude::*};
use serde::Serialize;

use super::{Listed, Page, Store};
use crate::{Error, id::AuditId};

mod row;

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its id.
    pub id: AuditId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// What they did it to.
    pub target: String,
    /// Where the request came from.
    pub source_address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What came of it.
    pub result: String,
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
    /// Where the request came from.
    pub source_address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What came of it.
    pub result: String,
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

/// Lists entries, newest first.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, page: Page) -> Result<Listed<Entry>, Error> {
    let query = row::Entity::find().order_by_desc(row::Column::Id);
    store.list(query, page, |row| Ok(row.into())).await
}
