//! From events to messages that are to be delivered.
//!
//! Each webhook has a cursor for each channel: the offset up to which its events have been looked at. The event bus gives
//! offsets to what is committed, in order and without gaps, so nothing can come behind a cursor later. Messages and cursors
//! are written in one transaction: whatever crashes, an event becomes one message or none of it has happened.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, PaginatorTrait, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};

use super::{
    deliveries::{self, Status},
    locked,
    row::{self, cursors},
};
use crate::{
    Error,
    event_bus::Channel,
    id::WebhookId,
    store::{
        Store,
        events::{self, Event},
    },
};

/// So many events of a channel are looked at in one transaction.
const PAGE: u64 = 100;
/// As many messages may wait for one target. Then its cursors stand still, and events wait in the outbox.
const MAX_WAITING: u64 = 10_000;

/// Returns the active webhooks that have not looked at all events.
///
/// # Errors
/// Fails when the database does.
pub async fn lagging(store: &Store) -> Result<BTreeSet<WebhookId>, Error> {
    let active = row::Entity::find().filter(row::Column::IsActive.eq(true));
    store
        .read(async |reader| {
            let tops = events::tops_of(reader, channels()).await?;
            let ids: Vec<WebhookId> = active.all(reader).await?.into_iter().map(|row| row.id).collect();
            let cursors = cursors::Entity::find()
                .filter(cursors::Column::WebhookId.is_in(ids))
                .all(reader)
                .await?;
            let behind = cursors
                .into_iter()
                .filter(|cursor| cursor.last < top(&tops, &cursor.channel));
            Ok(behind.map(|cursor| cursor.webhook_id).collect())
        })
        .await
}

/// Makes messages of the next events that a webhook has not looked at; `message` says which of them it is told of, and what.
/// Returns whether there may be more.
///
/// # Errors
/// Fails when the database does; the webhook has looked at nothing then.
pub async fn spool(
    store: &Store,
    id: WebhookId,
    message: impl Fn(&super::Webhook, &Event) -> Option<deliveries::NewMessage>,
) -> Result<bool, Error> {
    store
        .write(async |transaction| {
            let row = match locked(transaction, id).await {
                Ok(row) if row.is_active => row,
                // Switched off or deleted in the meantime.
                Ok(_) | Err(Error::NotFound { .. }) => return Ok(false),
                Err(error) => return Err(error),
            };
            let after = row.after_event;
            let webhook: super::Webhook = row.try_into()?;
            if num_waiting(transaction, id).await? >= MAX_WAITING {
                return Ok(false);
            }
            let tops = events::tops_of(transaction, channels()).await?;
            let mut is_more = false;
            for cursor in cursors_of(transaction, id).await? {
                let top = top(&tops, &cursor.channel);
                let page = events::replay_in(transaction, &cursor.channel, cursor.last, top, PAGE).await?;
                is_more |= page.len() as u64 == PAGE;
                let new = page.iter().filter(|event| event.id.0 > after);
                let messages = new.filter_map(|event| message(&webhook, event));
                deliveries::add(transaction, id, messages.collect()).await?;
                // What was pruned before it was looked at is gone; there is nothing up to the top then.
                let last = page.last().map_or(top, |event| event.channel_offset);
                advance(transaction, &cursor, last).await?;
            }
            Ok(is_more)
        })
        .await
}

/// Has a webhook look at nothing that has happened so far, not even at what has no offset yet.
pub(super) async fn skip_to_the_end(transaction: &DatabaseTransaction, id: WebhookId) -> Result<(), DbErr> {
    let tops = events::tops_of(transaction, channels()).await?;
    let rows = Channel::NAMES.into_iter().map(|channel| {
        let row = cursors::Model {
            webhook_id: id,
            channel: channel.to_owned(),
            last: top(&tops, channel),
        };
        cursors::ActiveModel::from(row)
    });
    let update = OnConflict::columns([cursors::Column::WebhookId, cursors::Column::Channel])
        .update_column(cursors::Column::Last)
        .to_owned();
    cursors::Entity::insert_many(rows)
        .on_conflict(update)
        .exec_without_returning(transaction)
        .await?;
    let last = events::last_id(transaction).await?;
    row::Entity::update_many()
        .col_expr(row::Column::AfterEvent, Expr::val(last))
        .filter(row::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

fn channels() -> Vec<String> {
    Channel::NAMES.map(str::to_owned).to_vec()
}

fn top(tops: &BTreeMap<String, i64>, channel: &str) -> i64 {
    tops.get(channel).copied().unwrap_or(0)
}

async fn num_waiting(transaction: &DatabaseTransaction, id: WebhookId) -> Result<u64, DbErr> {
    deliveries::of(id)
        .filter(deliveries::Column::Status.eq(Status::Pending))
        .count(transaction)
        .await
}

async fn cursors_of(database: &impl ConnectionTrait, id: WebhookId) -> Result<Vec<cursors::Model>, DbErr> {
    cursors::Entity::find()
        .filter(cursors::Column::WebhookId.eq(id))
        .order_by_asc(cursors::Column::Channel)
        .limit(Channel::NAMES.len() as u64)
        .all(database)
        .await
}

async fn advance(transaction: &DatabaseTransaction, cursor: &cursors::Model, last: i64) -> Result<(), DbErr> {
    if last <= cursor.last {
        return Ok(());
    }
    cursors::Entity::update_many()
        .col_expr(cursors::Column::Last, Expr::val(last))
        .filter(cursors::Column::WebhookId.eq(cursor.webhook_id))
        .filter(cursors::Column::Channel.eq(&cursor.channel))
        .exec(transaction)
        .await?;
    Ok(())
}
