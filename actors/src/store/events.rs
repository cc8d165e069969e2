//! Events: the outbox of every state change, and its offsets.
//!
//! A change appends its events in its own transaction, so nothing is announced that did not happen and nothing that
//! happened is left out. The rows have no offset then: transactions may commit in another order than they began, and a
//! reader that has seen 12 would never look for an 11 that came later. The event bus alone gives the offsets, to what is
//! committed: dense per channel, and dense per subject within a channel.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryOrder, QuerySelect, Statement,
    entity::prelude::*, sea_query::OnConflict,
};
use serde::Serialize;

use super::{Store, bulk, column, now};
use crate::{Error, id::EventId};

mod list;
mod name;
mod prune;
mod row;

pub use list::of_subject;
pub use prune::prune;

/// Events of projects.
pub const PROJECTS: &str = "projects";
/// Events of deployments.
pub const DEPLOYMENTS: &str = "deployments";
/// Entries of the error log.
pub const ERRORS: &str = "errors";
/// Events of tasks.
pub const TASKS: &str = "tasks";
/// What Agent Zero does.
pub const AGENT_ZERO: &str = "agent-zero";
/// What happens to the actors.
pub const ACTORS: &str = "actors";
/// What happens to BorgOS itself.
pub const SYSTEM: &str = "system";
/// Changes of tokens and users.
pub const ACCESS: &str = "access";

/// The advisory lock under which offsets are given on PostgreSQL, where several programs may share the database.
const POSTGRES_LOCK: i64 = 0x0062_6f72_676f_7302;

/// The most events that get their offsets in one transaction: others wait for it, and SQL takes only so many values.
pub const MAX_BATCH: u64 = 1_000;

/// An event that is about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Where it is published.
    pub channel: &'static str,
    /// The id of what it is about, which names the subject's own channel.
    pub subject: Option<i64>,
    /// What happened, in the past tense.
    pub kind: &'static str,
    /// What clients are told.
    pub data: serde_json::Value,
}

/// An event with its offsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its row.
    pub id: EventId,
    /// Where it is published.
    pub channel: String,
    /// The id of what it is about.
    pub subject: Option<i64>,
    /// What happened.
    pub kind: String,
    /// What clients are told.
    pub data: serde_json::Value,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Its place in the channel, from 1.
    pub channel_offset: i64,
    /// Its place in the subject's channel, from 1.
    pub subject_offset: Option<i64>,
}

/// Writes an event in the transaction of the change that it tells of. Append after the row is written, so that events
/// about one row are in the order of its changes.
///
/// # Errors
/// Fails when the database does; the transaction is of no use then.
pub async fn append(transaction: &DatabaseTransaction, event: NewEvent) -> Result<(), Error> {
    row::Entity::insert(new_row(event))
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Writes several events as [`append`] does, in their order. SQL takes only so many values, so at most [`MAX_BATCH`].
///
/// # Errors
/// Those of [`append`].
pub async fn append_all(transaction: &DatabaseTransaction, events: Vec<NewEvent>) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    row::Entity::insert_many(events.into_iter().map(new_row))
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

fn new_row(event: NewEvent) -> row::ActiveModel {
    row::ActiveModel {
        channel: Set(event.channel.to_owned()),
        subject: Set(event.subject),
        kind: Set(event.kind.to_owned()),
        data: Set(column::storable_json(event.data)),
        at: Set(now()),
        ..Default::default()
    }
}

/// Writes events that tell of no change of a row, in a transaction of their own.
///
/// # Errors
/// Fails when the database does; none was written then.
pub async fn record(store: &Store, events: Vec<NewEvent>) -> Result<(), Error> {
    store
        .write(async move |transaction| {
            for event in events {
                append(transaction, event).await?;
            }
            Ok(())
        })
        .await
}

/// Gives offsets to the oldest events that have none, at most `limit` and [`MAX_BATCH`], and returns them in order.
/// Only the event bus calls this. A caller that is cancelled in here has given no offset, or finds the events by
/// [`replay`].
///
/// # Errors
/// Fails when the database does; no offset was given then.
pub async fn assign_offsets(store: &Store, limit: u64) -> Result<Vec<Event>, Error> {
    store
        .write(async |transaction| {
            lock(transaction).await?;
            let rows = row::Entity::find()
                .filter(row::Column::ChannelOffset.is_null())
                .order_by_asc(row::Column::Id)
                .limit(limit.min(MAX_BATCH))
                .all(transaction)
                .await?;
            let mut tops = tops_of(transaction, names(&rows)).await?;
            let rows: Vec<row::Model> = rows.into_iter().map(|row| numbered(row, &mut tops)).collect();
            write_offsets(transaction, &rows).await?;
            save(transaction, tops).await?;
            rows.into_iter().map(Event::try_from).collect()
        })
        .await
}

/// Returns the events of a channel, or of a subject's channel such as `deployments:7`, with offsets above `after` and up
/// to `up_to`, oldest first, at most `limit`.
///
/// # Errors
/// Fails when the name cannot be one of a channel, or when the database does.
pub async fn replay(store: &Store, channel: &str, after: i64, up_to: i64, limit: u64) -> Result<Vec<Event>, Error> {
    store
        .read(async |reader| replay_in(reader, channel, after, up_to, limit).await)
        .await
}

/// [`replay`] for those who act on the events in the same transaction.
pub(super) async fn replay_in(
    database: &impl ConnectionTrait,
    channel: &str,
    after: i64,
    up_to: i64,
    limit: u64,
) -> Result<Vec<Event>, Error> {
    let name = name::Name::parse(channel)?;
    let query = name
        .rows()
        .filter(name.offset_column().gt(after))
        .filter(name.offset_column().lte(up_to))
        .order_by_asc(name.offset_column())
        .limit(limit);
    let rows = query.all(database).await?;
    rows.into_iter().map(Event::try_from).collect()
}

/// Returns the last offset of each of these channels; 0 for one that never had an event.
///
/// # Errors
/// Fails when the database does.
pub async fn tops(store: &Store, channels: &[&str]) -> Result<BTreeMap<String, i64>, Error> {
    let names = channels.iter().map(|name| (*name).to_owned()).collect();
    store.read(async |reader| Ok(tops_of(reader, names).await?)).await
}

/// Returns the id of the last event that was written, with or without an offset; 0 when there was none.
pub(super) async fn last_id(database: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let query = row::Entity::find().order_by_desc(row::Column::Id);
    Ok(query.one(database).await?.map_or(0, |row| row.id.0))
}

/// Returns the oldest offset of a channel that can still be replayed, unless there is none.
///
/// # Errors
/// Fails when the name cannot be one of a channel, or when the database does.
pub async fn oldest(store: &Store, channel: &str) -> Result<Option<i64>, Error> {
    let name = name::Name::parse(channel)?;
    let query = name
        .rows()
        .filter(name.offset_column().is_not_null())
        .order_by_asc(name.offset_column());
    store
        .read(async |reader| {
            let row = query.one(reader).await?;
            Ok(row.and_then(|row| name.offset(&row)))
        })
        .await
}

async fn lock(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_advisory_xact_lock($1)",
            [POSTGRES_LOCK.into()],
        );
        transaction.execute_raw(lock).await?;
    }
    Ok(())
}

/// Returns the names of all channels that the rows are published on.
fn names(rows: &[row::Model]) -> Vec<String> {
    let names = rows.iter().flat_map(|row| {
        [
            Some(row.channel.clone()),
            row.subject.map(|id| name::of(&row.channel, id)),
        ]
    });
    let mut names: Vec<String> = names.flatten().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// [`tops`] for those who act on them in the same transaction.
pub(super) async fn tops_of(
    database: &impl ConnectionTrait,
    names: Vec<String>,
) -> Result<BTreeMap<String, i64>, DbErr> {
    let mut tops: BTreeMap<String, i64> = names.iter().map(|name| (name.clone(), 0)).collect();
    let rows = row::offsets::Entity::find()
        .filter(row::offsets::Column::Name.is_in(names))
        .all(database)
        .await?;
    tops.extend(rows.into_iter().map(|row| (row.name, row.last)));
    Ok(tops)
}

fn numbered(mut row: row::Model, tops: &mut BTreeMap<String, i64>) -> row::Model {
    row.channel_offset = Some(next(tops, row.channel.clone()));
    row.subject_offset = row.subject.map(|id| next(tops, name::of(&row.channel, id)));
    row
}

async fn write_offsets(transaction: &DatabaseTransaction, rows: &[row::Model]) -> Result<(), DbErr> {
    use row::Column;
    let offsets = rows
        .iter()
        .map(|row| vec![row.id.into(), row.channel_offset.into(), row.subject_offset.into()]);
    let changes = [Column::ChannelOffset, Column::SubjectOffset];
    bulk::update::<row::Entity>(transaction, &[Column::Id], &changes, offsets.collect()).await?;
    Ok(())
}

fn next(tops: &mut BTreeMap<String, i64>, name: String) -> i64 {
    let top = tops.entry(name).or_insert(0);
    *top += 1;
    *top
}

async fn save(transaction: &DatabaseTransaction, tops: BTreeMap<String, i64>) -> Result<(), DbErr> {
    if tops.is_empty() {
        return Ok(());
    }
    let rows = tops.into_iter().map(|(name, last)| row::offsets::ActiveModel {
        name: Set(name),
        last: Set(last),
    });
    let update = OnConflict::column(row::offsets::Column::Name)
        .update_column(row::offsets::Column::Last)
        .to_owned();
    row::offsets::Entity::insert_many(rows)
        .on_conflict(update)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
