//! Messages to targets: waiting, delivered, or given up. A message is sent as often as it takes, each time with the same
//! id; its row has what the last attempt came to.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    ActiveValue::Set,
    DatabaseTransaction, DbErr, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, Query},
};
use serde::Serialize;

use super::{not_found, row as webhooks};
use crate::{
    Error,
    id::{DeliveryId, WebhookId},
    store::{Listed, Page, Store, ago, column::storable, now},
    webhooks::Attempt,
};

mod row;

pub(super) use row::{Column, Entity, Model};

/// Rows per transaction, so that writers wait for milliseconds.
const BATCH: u64 = 1_000;

/// What is or was to be done about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DeliveryStatus")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    /// It is to be sent, perhaps again.
    Pending,
    /// The target has it.
    Delivered,
    /// It was given up.
    Failed,
}

/// A message, and what the last attempt to deliver it came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose target it is for.
    pub webhook_id: WebhookId,
    /// Its id for the target, the same in every attempt.
    pub message_id: String,
    /// The name of the event that it tells of.
    pub event: String,
    /// What is or was to be done about it.
    pub status: Status,
    /// How often it was sent.
    pub attempts: i32,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
    /// When it is sent, if it is to be.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was sent last.
    pub attempted_at: Option<DateTime<Utc>>,
    /// What the target answered then.
    pub response_status: Option<i32>,
    /// The beginning of that answer.
    pub response: Option<String>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// Why it was not delivered then.
    pub error: Option<String>,
}

/// A message that is about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its id for the target; a webhook has each only once.
    pub message_id: String,
    /// The name of the event that it tells of.
    pub event: String,
    /// Messages of one lane are delivered one after the other.
    pub lane: String,
    /// Its text.
    pub payload: String,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: DeliveryId,
    /// Its id for the target.
    pub message_id: String,
    /// Its text.
    pub payload: String,
    /// How often it was sent.
    pub attempts: u32,
}

/// Lists the messages of a webhook, newest first.
///
/// # Errors
/// Fails when there is no such webhook.
pub async fn list(
    store: &Store,
    webhook: WebhookId,
    status: Option<Status>,
    page: Page,
) -> Result<Listed<Delivery>, Error> {
    super::webhook(store, webhook).await?;
    let query = of(webhook)
        .apply_if(status, |query, status| query.filter(Column::Status.eq(status)))
        .order_by_desc(Column::Id);
    store.list(query, page, |row| Ok(row.into())).await
}

/// Returns the active webhooks for which something may be due.
///
/// # Errors
/// Fails when the database does.
pub async fn webhooks_with_due(store: &Store) -> Result<Vec<WebhookId>, Error> {
    let active = webhooks::Entity::find()
        .select_only()
        .column(webhooks::Column::Id)
        .filter(webhooks::Column::IsActive.eq(true))
        .into_query();
    let query = Entity::find()
        .select_only()
        .column(Column::WebhookId)
        .distinct()
        .filter(Column::Status.eq(Status::Pending))
        .filter(Column::NextAt.lte(now()))
        .filter(Column::WebhookId.in_subquery(active))
        .order_by_asc(Column::WebhookId)
        .into_tuple();
    store.read(async |reader| Ok(query.all(reader).await?)).await
}

/// Returns what is due for a webhook and the first of its lane, but for what is under way; oldest first.
///
/// # Errors
/// Fails when the database does.
pub async fn due(store: &Store, webhook: WebhookId, under_way: &[DeliveryId], limit: u64) -> Result<Vec<Due>, Error> {
    let query = of(webhook)
        .filter(Column::Status.eq(Status::Pending))
        .filter(Column::NextAt.lte(now()))
        .filter(Column::Id.is_not_in(under_way.iter().copied()))
        .filter(is_first_of_its_lane())
        .order_by_asc(Column::Id)
        .limit(limit);
    store
        .read(async |reader| Ok(query.all(reader).await?.into_iter().map(Due::from).collect()))
        .await
}

/// Has a message sent again, with its old id.
///
/// # Errors
/// Fails when there is no such message, and with `WEBHOOK_INACTIVE` when nothing is sent to the target.
pub async fn redeliver(store: &Store, webhook: WebhookId, id: DeliveryId) -> Result<Delivery, Error> {
    store
        .write(async |transaction| {
            if !super::locked(transaction, webhook).await?.is_active {
                return Err(Error::Conflict {
                    code: "WEBHOOK_INACTIVE",
                    reason: format!("webhook {webhook} is not active, so nothing is sent to its target"),
                });
            }
            let found = of(webhook).filter(Column::Id.eq(id)).one(transaction).await?;
            found.ok_or_else(|| Error::NotFound {
                kind: "Delivery",
                id: id.to_string(),
            })?;
            let change = row::ActiveModel {
                id: Set(id),
                ..row::at_once()
            };
            Ok(Entity::update(change).exec(transaction).await?.into())
        })
        .await
}

/// Keeps a message that was sent outside the order of events, such as a test.
///
/// # Errors
/// Fails when there is no such webhook.
pub async fn record(
    store: &Store,
    webhook: WebhookId,
    message: &NewMessage,
    attempt: &Attempt,
) -> Result<Delivery, Error> {
    store
        .write(async |transaction| {
            super::find(transaction, webhook)
                .await?
                .ok_or_else(|| not_found(webhook))?;
            let row = row::ActiveModel {
                status: Set(row::ended(attempt.is_success())),
                next_at: Set(None),
                attempts: Set(1),
                ..row::new(webhook, message.clone())
            };
            let row = row::with_attempt(row, attempt);
            Ok(Entity::insert(row).exec_with_returning(transaction).await?.into())
        })
        .await
}

/// Deletes what was delivered or given up, and came to be longer ago than `max_age`. Returns how much was deleted.
///
/// # Errors
/// Fails when the database does; what was deleted before that stays deleted.
pub async fn prune(store: &Store, max_age: Duration) -> Result<u64, Error> {
    let Some(oldest_kept) = ago(max_age) else {
        return Ok(0);
    };
    let old = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CreatedAt.lt(oldest_kept))
        .filter(Column::Status.ne(Status::Pending))
        .limit(BATCH)
        .into_query();
    let delete = Entity::delete_many().filter(Column::Id.in_subquery(old));
    store.delete_batches(delete, BATCH).await
}

fn is_first_of_its_lane() -> Expr {
    // Its `eq` and `lt` compare columns with columns.
    use sea_orm::sea_query::ExprTrait;

    let earlier = |column| Expr::col(("earlier", column));
    let this = |column| Expr::col((Entity, column));
    let before = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, "earlier")
        .and_where(ExprTrait::eq(earlier(Column::WebhookId), this(Column::WebhookId)))
        .and_where(ExprTrait::eq(earlier(Column::Lane), this(Column::Lane)))
        .and_where(ExprTrait::eq(earlier(Column::Status), Status::Pending))
        .and_where(ExprTrait::lt(earlier(Column::Id), this(Column::Id)))
        .take();
    ExprTrait::not(Expr::exists(before))
}

/// Selects the messages of a webhook.
pub(super) fn of(webhook: WebhookId) -> Select<Entity> {
    Entity::find().filter(Column::WebhookId.eq(webhook))
}

/// Writes messages that are to be sent at once.
pub(super) async fn add(
    transaction: &DatabaseTransaction,
    webhook: WebhookId,
    messages: Vec<NewMessage>,
) -> Result<(), DbErr> {
    if messages.is_empty() {
        return Ok(());
    }
    let rows = messages.into_iter().map(|message| row::new(webhook, message));
    Entity::insert_many(rows).exec_without_returning(transaction).await?;
    Ok(())
}

/// Has everything that waits sent at once, as if it had never failed.
pub(super) async fn hurry(transaction: &DatabaseTransaction, webhook: WebhookId) -> Result<(), DbErr> {
    Entity::update_many()
        .set(row::at_once())
        .filter(Column::WebhookId.eq(webhook))
        .filter(Column::Status.eq(Status::Pending))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Has everything that waits sent at once, although it has failed before.
pub(super) async fn wake(transaction: &DatabaseTransaction, webhook: WebhookId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAt, Expr::val(now()))
        .filter(Column::WebhookId.eq(webhook))
        .filter(Column::Status.eq(Status::Pending))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Writes down what an attempt came to, and when the next one is due, if there is to be one.
pub(super) async fn note(
    transaction: &DatabaseTransaction,
    row: Model,
    attempt: &Attempt,
    status: Status,
    next_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let change = row::ActiveModel {
        id: Set(row.id),
        attempts: Set(row.attempts.saturating_add(1)),
        status: Set(status),
        next_at: Set(next_at),
        ..Default::default()
    };
    Entity::update(row::with_attempt(change, attempt))
        .exec(transaction)
        .await?;
    Ok(())
}

fn text(text: &Option<String>) -> Option<String> {
    text.clone().map(storable)
}
