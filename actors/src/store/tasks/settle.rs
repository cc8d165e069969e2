//! What workers write about the attempts that they have: how they go, and how they end.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::Serialize;

use super::{
    Fence, Owner,
    announce::{event, progress_event},
    attempts,
    lease::held,
    machine::{self, Ending, Outcome},
    row,
};
use crate::{
    Error,
    store::{
        Store, clock,
        column::{storable, storable_json, to_json},
        events,
    },
};

/// How much is kept of the message of an error or of a report.
const MAX_TEXT_CHARS: usize = 4096;

/// How far an attempt has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What it does, for people.
    pub message: String,
    /// How much is done, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

impl Progress {
    /// Reports a step.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            percent: None,
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The attempt.
    pub fence: Fence,
    /// How it ended.
    pub outcome: Outcome,
}

/// Writes how attempts ended, all in one transaction, and returns those that were accepted. One that the worker does not
/// have any more is refused: somebody else has the task, or has ended it.
///
/// # Errors
/// Fails when the database does; nothing was written then.
pub async fn settle(store: &Store, owner: &Owner, settlements: &[Settlement]) -> Result<Vec<Fence>, Error> {
    let fences: Vec<Fence> = settlements.iter().map(|settlement| settlement.fence).collect();
    store
        .write(async |transaction| {
            let now = clock::now(transaction).await?;
            let rows = held(transaction, owner, &fences).await?;
            let accepted = rows.iter().map(row::Model::fence).collect();
            let ended = rows.into_iter().filter_map(|row| {
                let fence = row.fence();
                let settlement = settlements.iter().find(|settlement| settlement.fence == fence)?;
                Some((row, settlement.outcome.clone()))
            });
            end_all(transaction, ended.collect(), now).await?;
            Ok(accepted)
        })
        .await
}

/// Writes the ends of locked, running attempts, and what becomes of their tasks.
pub(super) async fn end_all(
    transaction: &DatabaseTransaction,
    ended: Vec<(row::Model, Outcome)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut news = Vec::with_capacity(ended.len());
    let mut endings = Vec::with_capacity(ended.len());
    for (before, outcome) in ended {
        let mut ending = machine::next(&before, outcome, now);
        ending.error = ending.error.map(clipped);
        let after = row::Entity::update(change(&before, &ending, now))
            .exec(transaction)
            .await?;
        news.push(event(ending.event, &after));
        endings.push((before, ending));
    }
    attempts::end_all(transaction, endings, now).await?;
    events::append_all(transaction, news).await
}

fn change(before: &row::Model, ending: &Ending, now: DateTime<Utc>) -> row::ActiveModel {
    row::ActiveModel {
        id: Set(before.id),
        state: Set(ending.state),
        run_at: Set(ending.run_at),
        failed_attempts: Set(ending.failed_attempts),
        owner: Set(None),
        lease_until: Set(None),
        output: Set(ending.output.clone().map(storable_json)),
        error: Set(ending.error.clone()),
        finished_at: Set(ending.state.is_finished().then_some(now)),
        ..Default::default()
    }
}

/// Writes what attempts have reported, each report an event, the last one also with its task. What the worker does not
/// have any more is left out.
///
/// # Errors
/// Fails when the database does; nothing was written then.
pub async fn record_progress(store: &Store, owner: &Owner, reports: &[(Fence, Progress)]) -> Result<(), Error> {
    let fences: Vec<Fence> = reports.iter().map(|(fence, _)| *fence).collect();
    store
        .write(async |transaction| {
            let mut news = Vec::new();
            for row in held(transaction, owner, &fences).await? {
                let mut last = None;
                for (_, progress) in reports.iter().filter(|(fence, _)| *fence == row.fence()) {
                    let message = clipped(progress.message.clone());
                    let progress = to_json(
                        "progress",
                        &Progress {
                            message,
                            ..progress.clone()
                        },
                    )?;
                    news.push(progress_event(&row, &progress));
                    last = Some(progress);
                }
                let change = row::ActiveModel {
                    id: Set(row.id),
                    progress: Set(last),
                    ..Default::default()
                };
                row::Entity::update(change).exec(transaction).await?;
            }
            events::append_all(transaction, news).await
        })
        .await
}

fn clipped(text: String) -> String {
    let text = storable(text);
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
