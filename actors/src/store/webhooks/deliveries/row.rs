//! The table `webhook_deliveries`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use super::{Delivery, Due, NewMessage, Status, text};
use crate::{
    id::{DeliveryId, WebhookId},
    store::{column::storable, now},
    webhooks::Attempt,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub(in super::super) struct Model {
    #[sea_orm(primary_key)]
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub message_id: String,
    pub event: String,
    pub lane: String,
    pub payload: String,
    pub status: Status,
    pub attempts: i32,
    pub created_at: DateTimeUtc,
    pub next_at: Option<DateTimeUtc>,
    pub attempted_at: Option<DateTimeUtc>,
    pub response_status: Option<i32>,
    pub response: Option<String>,
    pub duration_ms: Option<i64>,
    pub error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in super::super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Delivery {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            webhook_id: row.webhook_id,
            message_id: row.message_id,
            event: row.event,
            status: row.status,
            attempts: row.attempts,
            created_at: row.created_at,
            next_at: row.next_at,
            attempted_at: row.attempted_at,
            response_status: row.response_status,
            response: row.response,
            duration_ms: row.duration_ms,
            error: row.error,
        }
    }
}

impl From<Model> for Due {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            message_id: row.message_id,
            payload: row.payload,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
        }
    }
}

/// A fresh row of a message that is to be sent at once.
pub(super) fn new(webhook: WebhookId, message: NewMessage) -> ActiveModel {
    ActiveModel {
        webhook_id: Set(webhook),
        message_id: Set(message.message_id),
        event: Set(message.event),
        lane: Set(message.lane),
        payload: Set(storable(message.payload)),
        created_at: Set(now()),
        ..at_once()
    }
}

/// The columns of a message that is to be sent at once, for the first time as it were.
pub(super) fn at_once() -> ActiveModel {
    ActiveModel {
        status: Set(Status::Pending),
        attempts: Set(0),
        next_at: Set(Some(now())),
        ..Default::default()
    }
}

/// Adds the columns of an attempt.
pub(super) fn with_attempt(mut row: ActiveModel, attempt: &Attempt) -> ActiveModel {
    row.attempted_at = Set(Some(now()));
    row.response_status = Set(attempt.response_status.map(i32::from));
    row.response = Set(text(&attempt.response));
    row.duration_ms = Set(Some(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX)));
    row.error = Set(text(&attempt.error));
    row
}

/// The status of a message that is not sent again.
pub(super) fn ended(is_delivered: bool) -> Status {
    match is_delivered {
        true => Status::Delivered,
        false => Status::Failed,
    }
}
