//! Webhooks: who is told of what. What is to be delivered, and how far each has read the events, is written beside them.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, PaginatorTrait, QueryOrder, QuerySelect,
    entity::prelude::*,
};

use super::{Listed, Page, Store};
use crate::{
    Error,
    id::WebhookId,
    value::{WebhookSecret, WebhookUrl},
    webhooks::Wanted,
};

pub mod deliveries;
mod row;
mod settle;
mod spool;

pub use deliveries::Delivery;
pub use settle::settle;
pub use spool::{lagging, spool};

/// Each may have connections of its own, so there are only so many.
pub const MAX_WEBHOOKS: u64 = 64;

/// A webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where its messages go.
    pub url: WebhookUrl,
    /// Which events it is told of.
    pub events: Wanted,
    /// What its messages are signed with.
    pub secret: WebhookSecret,
    /// Whether anything is sent.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when nothing was delivered, if something should have been.
    pub failing_since: Option<DateTime<Utc>>,
    /// When something was delivered last.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Why nothing is sent any more, if BorgOS decided so.
    pub disabled_reason: Option<String>,
}

/// A webhook that is about to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where its messages go.
    pub url: WebhookUrl,
    /// Which events it is told of.
    pub events: Wanted,
    /// What its messages are signed with.
    pub secret: WebhookSecret,
    /// Whether anything is sent.
    pub is_active: bool,
}

/// What is to be changed. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// Where its messages go.
    pub url: Option<WebhookUrl>,
    /// Which events it is told of.
    pub events: Option<Wanted>,
    /// What its messages are signed with.
    pub secret: Option<WebhookSecret>,
    /// Whether anything is sent.
    pub is_active: Option<bool>,
}

/// Makes a webhook. It is told of what happens from now on.
///
/// # Errors
/// Fails with `TOO_MANY_WEBHOOKS` when there are [`MAX_WEBHOOKS`].
pub async fn create(store: &Store, new: &NewWebhook) -> Result<Webhook, Error> {
    store
        .write(async |transaction| {
            if row::Entity::find().count(transaction).await? >= MAX_WEBHOOKS {
                return Err(Error::Conflict {
                    code: "TOO_MANY_WEBHOOKS",
                    reason: format!("there may be {MAX_WEBHOOKS} webhooks at most, delete one first"),
                });
            }
            let row = row::Entity::insert(row::new(new)?)
                .exec_with_returning(transaction)
                .await?;
            spool::skip_to_the_end(transaction, row.id).await?;
            row.try_into()
        })
        .await
}

/// Lists webhooks in the order in which they were made.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, page: Page) -> Result<Listed<Webhook>, Error> {
    let query = row::Entity::find().order_by_asc(row::Column::Id);
    store.list(query, page, Webhook::try_from).await
}

/// Returns a webhook.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn webhook(store: &Store, id: WebhookId) -> Result<Webhook, Error> {
    store
        .read(async |reader| find(reader, id).await?.ok_or_else(|| not_found(id))?.try_into())
        .await
}

/// Says whether anything could be sent to anybody.
///
/// # Errors
/// Fails when the database does.
pub async fn is_any_active(store: &Store) -> Result<bool, Error> {
    let query = row::Entity::find().filter(row::Column::IsActive.eq(true));
    store.read(async |reader| Ok(query.one(reader).await?.is_some())).await
}

/// Changes a webhook. One that is active again is told of what happens from now on; what it was to be told before goes out
/// at once, as it does when there is a new target.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn update(store: &Store, id: WebhookId, patch: &Patch) -> Result<Webhook, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let is_woken = patch.is_active == Some(true) && !before.is_active;
            let mut change = row::change(id, patch)?;
            if is_woken {
                spool::skip_to_the_end(transaction, id).await?;
                change.disabled_reason = Set(None);
            }
            if is_woken || patch.url.is_some() {
                deliveries::hurry(transaction, id).await?;
                change.failing_since = Set(None);
            }
            if change.is_changed() {
                return row::Entity::update(change).exec(transaction).await?.try_into();
            }
            before.try_into()
        })
        .await
}

/// Deletes a webhook, and what was or is to be delivered.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn delete(store: &Store, id: WebhookId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let deleted = row::Entity::delete_by_id(id).exec(transaction).await?;
            match deleted.rows_affected {
                0 => Err(not_found(id)),
                _ => Ok(()),
            }
        })
        .await
}

async fn find(database: &impl ConnectionTrait, id: WebhookId) -> Result<Option<row::Model>, DbErr> {
    row::Entity::find_by_id(id).one(database).await
}

/// Returns a webhook's row, which nobody else changes until the transaction has ended.
async fn locked(transaction: &DatabaseTransaction, id: WebhookId) -> Result<row::Model, Error> {
    let query = row::Entity::find_by_id(id).lock_exclusive();
    query.one(transaction).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: WebhookId) -> Error {
    Error::NotFound {
        kind: "Webhook",
        id: id.to_string(),
    }
}
