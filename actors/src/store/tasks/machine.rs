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

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::id::TaskId;

    fn at(seconds: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(seconds, 0).unwrap()
    }

    fn running(failed_attempts: i32, max_attempts: i32, is_cancelled: bool) -> row::Model {
        row::Model {
            id: TaskId(1),
            project_id: None,
            agent_type: "a".to_owned(),
            task_type: "t".to_owned(),
            description: "d".to_owned(),
            priority: 1,
            input_data: json!({}),
            state: State::Running,
            created_at: at(0),
            run_at: at(0),
            attempt: failed_attempts + 1,
            failed_attempts,
            max_attempts,
            timeout_s: None,
            unique_key: None,
            idempotency_key: None,
            owner: Some("o".to_owned()),
            lease_until: Some(at(30)),
            cancel_requested_at: is_cancelled.then(|| at(1)),
            progress: None,
            output: None,
            error: None,
            started_at: Some(at(0)),
            finished_at: None,
        }
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Completed { output: json!(1) }),
            Just(Outcome::Interrupted),
            Just(Outcome::Cancelled),
            Just(Outcome::Lost {
                reason: "lost".to_owned()
            }),
            proptest::option::of(0_u64..10_000).prop_map(|seconds| Outcome::Failed {
                kind: "k".to_owned(),
                error: "e".to_owned(),
                retry_in: seconds.map(Duration::from_secs),
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_becomes_of_a_task_keeps_the_rules(
            outcome in outcomes(), failed in 0..5_i32, more in 1..5_i32, is_cancelled: bool
        ) {
            let row = running(failed, failed + more, is_cancelled);
            let ending = next(&row, outcome.clone(), at(100));
            let is_counted = matches!(outcome, Outcome::Failed { .. } | Outcome::Lost { .. });
            prop_assert!(ending.state != State::Running);
            prop_assert_eq!(ending.output.is_some(), matches!(outcome, Outcome::Completed { .. }));
            if is_cancelled {
                prop_assert!(ending.state.is_finished(), "a task that was called off is never tried again");
            } else {
                prop_assert_eq!(ending.failed_attempts, failed + i32::from(is_counted));
                prop_assert!(ending.state != State::Cancelled || outcome == Outcome::Cancelled);
            }
            if !ending.state.is_finished() {
                prop_assert!(ending.failed_attempts < row.max_attempts);
                prop_assert!(ending.run_at >= row.run_at);
            }
        }
    }
}
