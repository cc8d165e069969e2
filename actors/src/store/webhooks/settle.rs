//! What follows from an attempt for its message and for the webhook.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr, entity::prelude::*};
use serde_json::json;

use super::{
    deliveries::{self, Status},
    locked, row,
};
use crate::{
    Error,
    id::{DeliveryId, WebhookId},
    store::{
        Store,
        events::{self, NewEvent},
        now,
    },
    webhooks::{Attempt, Verdict},
};

/// A webhook to which nothing could be delivered for so long is disabled.
const MAX_FAILING: chrono::Duration = chrono::Duration::days(1);
/// After a failure of this length, what waits need not wait any longer once something has been delivered.
const OUTAGE: chrono::Duration = chrono::Duration::minutes(1);

/// Writes down what an attempt came to. Whether the webhook was disabled because of it is the answer.
///
/// # Errors
/// Fails when the database does; the message then waits as before.
pub async fn settle(store: &Store, id: DeliveryId, attempt: &Attempt, verdict: &Verdict) -> Result<bool, Error> {
    store
        .write(async |transaction| {
            // Deleted in the meantime.
            let Some(message) = deliveries::Entity::find_by_id(id).one(transaction).await? else {
                return Ok(false);
            };
            let webhook = locked(transaction, message.webhook_id).await?;
            let (status, next_at) = match verdict {
                Verdict::Delivered => (Status::Delivered, None),
                Verdict::Again(pause) => (Status::Pending, after(*pause)),
                Verdict::GivenUp | Verdict::Gone => (Status::Failed, None),
            };
            deliveries::note(transaction, message, attempt, status, next_at).await?;
            match verdict {
                Verdict::Delivered => succeed(transaction, &webhook).await.map(|()| false),
                Verdict::Again(_) | Verdict::GivenUp => fail(transaction, &webhook).await,
                Verdict::Gone => {
                    disable(transaction, webhook.id, "the target answered 410: it is gone for good").await?;
                    Ok(true)
                }
            }
        })
        .await
}

fn after(pause: Duration) -> Option<DateTime<Utc>> {
    chrono::Duration::from_std(pause)
        .ok()
        .and_then(|pause| now().checked_add_signed(pause))
}

async fn succeed(transaction: &DatabaseTransaction, webhook: &row::Model) -> Result<(), Error> {
    let is_over = |since: DateTime<Utc>| now() - since > OUTAGE;
    if webhook.failing_since.is_some_and(is_over) {
        deliveries::wake(transaction, webhook.id).await?;
    }
    let change = row::ActiveModel {
        id: Set(webhook.id),
        failing_since: Set(None),
        last_success_at: Set(Some(now())),
        ..Default::default()
    };
    row::Entity::update(change).exec(transaction).await?;
    Ok(())
}

async fn fail(transaction: &DatabaseTransaction, webhook: &row::Model) -> Result<bool, Error> {
    match webhook.failing_since {
        None => begin_failing(transaction, webhook.id)
            .await
            .map(|()| false)
            .map_err(Error::from),
        Some(since) if now() - since >= MAX_FAILING && webhook.is_active => {
            disable(transaction, webhook.id, "nothing could be delivered for a day").await?;
            Ok(true)
        }
        Some(_) => Ok(false),
    }
}

async fn begin_failing(transaction: &DatabaseTransaction, id: WebhookId) -> Result<(), DbErr> {
    let change = row::ActiveModel {
        id: Set(id),
        failing_since: Set(Some(now())),
        ..Default::default()
    };
    row::Entity::update(change).exec(transaction).await?;
    Ok(())
}

async fn disable(transaction: &DatabaseTransaction, id: WebhookId, why: &str) -> Result<(), Error> {
    let change = row::ActiveModel {
        id: Set(id),
        is_active: Set(false),
        disabled_reason: Set(Some(why.to_owned())),
        ..Default::default()
    };
    row::Entity::update(change).exec(transaction).await?;
    let event = NewEvent {
        channel: events::SYSTEM,
        subject: None,
        kind: "webhook_disabled",
        data: json!({"id": id, "reason": why}),
    };
    events::append(transaction, event).await
}
