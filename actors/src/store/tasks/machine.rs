//! What becomes of a task when an attempt at it ends.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{AttemptOutcome, State, row};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The task was done.
    Completed {
        /// What came of it.
        output: Value,
    },
    /// The task was not done.
    Failed {
        /// The class of the failure.
        kind: String,
        /// Why.
        error: String,
        /// After which pause it is tried again; `None` when that could not help.
        retry_in: Option<Duration>,
    },
    /// The worker hands the task back, and neither of them is to blame.
    Interrupted,
    /// The worker is gone. That counts like a failure: it may have been the task that ended it.
    Lost {
        /// How that was seen.
        reason: String,
    },
    /// The attempt was ended because somebody called the task off.
    Cancelled,
}

/// What is written of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ending {
    /// What the task is now.
    pub(super) state: State,
    /// Not to be run before.
    pub(super) run_at: DateTime<Utc>,
    pub(super) failed_attempts: i32,
    pub(super) output: Option<Value>,
    pub(super) error_kind: Option<String>,
    pub(super) error: Option<String>,
    /// What is noted of the attempt.
    pub(super) outcome: AttemptOutcome,
    /// What is announced.
    pub(super) event: &'static str,
}

/// Decides what becomes of a running task. A task that somebody has called off is never tried again.
pub(super) fn next(row: &row::Model, outcome: Outcome, now: DateTime<Utc>) -> Ending {
    let is_cancelled = row.cancel_requested_at.is_some();
    let ending = Ending {
        state: State::Interrupted,
        run_at: row.run_at,
        failed_attempts: row.failed_attempts,
        output: None,
        error_kind: None,
        error: None,
        outcome: AttemptOutcome::Interrupted,
        event: "task_interrupted",
    };
    match outcome {
        Outcome::Completed { output } => Ending {
            state: State::Completed,
            output: Some(output),
            outcome: AttemptOutcome::Completed,
            event: "task_completed",
            ..ending
        },
        Outcome::Cancelled => cancelled(ending),
        Outcome::Interrupted | Outcome::Lost { .. } if is_cancelled => cancelled(ending),
        Outcome::Interrupted => ending,
        Outcome::Lost { reason } => {
            let lost = Ending {
                outcome: AttemptOutcome::Lost,
                ..failed(ending, "lost", reason)
            };
            match has_attempts_left(row, &lost) {
                true => Ending {
                    state: State::Interrupted,
                    event: "task_interrupted",
                    ..lost
                },
                false => lost,
            }
        }
        Outcome::Failed { kind, error, .. } if is_cancelled => cancelled(failed(ending, &kind, error)),
        Outcome::Failed { kind, error, retry_in } => {
            let failed = failed(ending, &kind, error);
            match retry_in.filter(|_| has_attempts_left(row, &failed)) {
                Some(pause) => Ending {
                    state: State::Retryable,
                    run_at: now + pause,
                    event: "task_retry_scheduled",
                    ..failed
                },
                None => failed,
            }
        }
    }
}

fn has_attempts_left(row: &row::Model, ending: &Ending) -> bool {
    ending.failed_attempts < row.max_attempts
}

fn failed(ending: Ending, kind: &str, error: String) -> Ending {
    Ending {
        state: State::Failed,
        failed_attempts: ending.failed_attempts.saturating_add(1),
        error_kind: Some(kind.to_owned()),
        error: Some(error),
        outcome: AttemptOutcome::Failed,
        event: "task_failed",
        ..ending
    }
}

fn cancelled(ending: Ending) -> Ending {
    Ending {
        state: State::Cancelled,
        outcome: AttemptOutcome::Cancelled,
        event: "task_cancelled",
        ..ending
    }
}
