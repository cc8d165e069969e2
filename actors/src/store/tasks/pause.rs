//! Agents that are given no tasks for now.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseTransaction, DbErr,
    entity::prelude::*,
    sea_query::{OnConflict, Query, SelectStatement},
};
use serde_json::json;

use crate::{
    Error,
    store::{
        Store, clock,
        events::{self, NewEvent},
    },
};

mod row;

/// Gives an agent no more tasks. What it has begun goes on.
///
/// # Errors
/// Fails when the database does.
pub async fn pause(store: &Store, agent_type: &str) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let row = row::ActiveModel {
                agent_type: Set(agent_type.to_owned()),
                paused_at: Set(clock::now(transaction).await?),
            };
            let known = OnConflict::column(row::Column::AgentType).do_nothing().to_owned();
            let num_rows = row::Entity::insert(row)
                .on_conflict(known)
                .exec_without_returning(transaction)
                .await?;
            announce_if(num_rows > 0, transaction, "agent_paused", agent_type).await
        })
        .await
}

/// Gives an agent tasks again.
///
/// # Errors
/// Fails when the database does.
pub async fn resume(store: &Store, agent_type: &str) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let deleted = row::Entity::delete_many()
                .filter(row::Column::AgentType.eq(agent_type))
                .exec(transaction)
                .await?;
            announce_if(deleted.rows_affected > 0, transaction, "agent_resumed", agent_type).await
        })
        .await
}

/// Returns the agents that are paused.
///
/// # Errors
/// Fails when the database does.
pub async fn paused(store: &Store) -> Result<BTreeSet<String>, Error> {
    store.read(async |reader| Ok(paused_in(reader).await?)).await
}

pub(super) async fn paused_in(database: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let rows = row::Entity::find().all(database).await?;
    Ok(rows.into_iter().map(|row| row.agent_type).collect())
}

/// Selects the agents that are paused.
pub(super) fn paused_types() -> SelectStatement {
    Query::select().column(row::Column::AgentType).from(row::Entity).take()
}

/// Announces a change, where there was one.
async fn announce_if(
    has_changed: bool,
    transaction: &DatabaseTransaction,
    kind: &'static str,
    agent_type: &str,
) -> Result<(), Error> {
    if !has_changed {
        return Ok(());
    }
    let event = NewEvent {
        channel: events::TASKS,
        subject: None,
        kind,
        data: json!({"agent_type": agent_type}),
    };
    events::append(transaction, event).await
}
