//! What workers write about the attempts that they have: how they go, and how they end.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveEnum, DatabaseTransaction, Value};
use serde::Serialize;

use super::{
    Fence, Owner, State, Task,
    announce::{event, progress_event},
    attempts,
    lease::held,
    machine::{self, Ending, Outcome},
    row::{self, Column},
};
use crate::{
    Error,
    store::{
        Store, bulk, clock,
        column::{storable, storable_json, to_json},
        events,
    },
};

/// How much is kept of the message of an error or of a report.
const MAX_TEXT_CHARS: usize = 4096;

/// What a row must be like for its worker to write it.
const FENCE: [Column; 4] = [Column::Id, Column::State, Column::Attempt, Column::Owner];
/// What the end of an attempt changes.
const CHANGED: [Column; 9] = [
    Column::State,
    Column::RunAt,
    Column::FailedAttempts,
    Column::LostAttempts,
    Column::Owner,
    Column::LeaseUntil,
    Column::Output,
    Column::Error,
    Column::FinishedAt,
];

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

    fn clipped(&self) -> Self {
        Self {
            message: clipped(self.message.clone()),
            percent: self.percent,
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
    let outcomes: HashMap<Fence, &Outcome> = settlements
        .iter()
        .map(|settlement| (settlement.fence, &settlement.outcome))
        .collect();
    let fences: Vec<Fence> = outcomes.keys().copied().collect();
    store
        .write(async |transaction| {
            let now = clock::now(transaction).await?;
            let tasks = held(transaction, owner, &fences).await?;
            let accepted = tasks.iter().map(Task::fence).collect();
            let ended = tasks.into_iter().filter_map(|task| {
                let outcome = (*outcomes.get(&task.fence())?).clone();
                Some((task, outcome))
            });
            end_all(transaction, ended.collect(), now).await?;
            Ok(accepted)
        })
        .await
}

/// Writes the ends of locked, running attempts, and what becomes of their tasks.
pub(super) async fn end_all(
    transaction: &DatabaseTransaction,
    ended: Vec<(Task, Outcome)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut news = Vec::with_capacity(ended.len());
    let mut endings = Vec::with_capacity(ended.len());
    let mut changes = Vec::with_capacity(ended.len());
    for (task, outcome) in ended {
        let mut ending = machine::next(&task, outcome, now, rand::random());
        ending.error = ending.error.map(clipped);
        changes.push(change(&task, &ending, now));
        let after = Task {
            state: ending.state,
            error: ending.error.clone(),
            ..task.clone()
        };
        news.push(event(ending.event, &after));
        endings.push((task, ending));
    }
    write(transaction, &CHANGED, changes).await?;
    attempts::end_all(transaction, endings, now).await?;
    events::append_all(transaction, news).await
}

/// Writes columns of locked, running tasks in one statement, which is fenced all the same.
async fn write(transaction: &DatabaseTransaction, columns: &[Column], rows: Vec<Vec<Value>>) -> Result<(), Error> {
    let num_rows = rows.len() as u64;
    match bulk::update::<row::Entity>(transaction, &FENCE, columns, rows).await? {
        num_written if num_written == num_rows => Ok(()),
        num_written => Err(Error::Internal(format!(
            "of {num_rows} locked tasks {num_written} could be written"
        ))),
    }
}

/// Returns what [`FENCE`] has for a running task.
fn fence_values(task: &Task) -> Vec<Value> {
    vec![
        task.id.into(),
        State::Running.to_value().into(),
        task.attempt.into(),
        task.owner.clone().into(),
    ]
}

/// Returns the fence, and what [`CHANGED`] has after the end of an attempt.
fn change(task: &Task, ending: &Ending, now: DateTime<Utc>) -> Vec<Value> {
    let mut values = fence_values(task);
    values.extend([
        ending.state.to_value().into(),
        ending.run_at.into(),
        ending.failed_attempts.into(),
        ending.lost_attempts.into(),
        Option::<String>::None.into(),
        Option::<DateTime<Utc>>::None.into(),
        ending.output.clone().map(storable_json).into(),
        ending.error.clone().into(),
        ending.state.is_finished().then_some(now).into(),
    ]);
    values
}

/// Writes what attempts have reported, each report an event, the last one also with its task. What the worker does not
/// have any more is left out.
///
/// # Errors
/// Fails when the database does; nothing was written then.
pub async fn record_progress(store: &Store, owner: &Owner, reports: &[(Fence, Progress)]) -> Result<(), Error> {
    let mut by_fence: HashMap<Fence, Vec<&Progress>> = HashMap::new();
    for (fence, progress) in reports {
        by_fence.entry(*fence).or_default().push(progress);
    }
    let fences: Vec<Fence> = by_fence.keys().copied().collect();
    store
        .write(async |transaction| {
            let (mut news, mut changes) = (Vec::new(), Vec::new());
            for task in held(transaction, owner, &fences).await? {
                let mut last = None;
                for progress in by_fence.get(&task.fence()).into_iter().flatten() {
                    let progress = to_json("progress", &progress.clipped())?;
                    news.push(progress_event(&task, &progress));
                    last = Some(progress);
                }
                let mut values = fence_values(&task);
                values.push(last.into());
                changes.push(values);
            }
            write(transaction, &[Column::Progress], changes).await?;
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
