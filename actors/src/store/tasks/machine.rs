//! What becomes of a task when an attempt at it ends.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{AttemptOutcome, State, Task};
use crate::supervision::back_off;

/// So many workers in a row may be lost with a task before that is taken for its fault.
const MAX_FREE_LOSSES: i32 = 3;
/// The pause after the first loss that is, and the longest one.
const CRASH_BASE: Duration = Duration::from_secs(15);
const CRASH_CAP: Duration = Duration::from_secs(3600);

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
    /// The worker is gone, or what it worked with. Only when that happens again and again is it the task that ends them.
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
    pub(super) lost_attempts: i32,
    pub(super) output: Option<Value>,
    pub(super) error_kind: Option<String>,
    pub(super) error: Option<String>,
    /// What is noted of the attempt.
    pub(super) outcome: AttemptOutcome,
    /// What is announced.
    pub(super) event: &'static str,
}

/// Decides what becomes of a running task; `spread` is random in `0.0..1.0`. A task that somebody has called off is never
/// tried again.
pub(super) fn next(task: &Task, outcome: Outcome, now: DateTime<Utc>, spread: f64) -> Ending {
    let is_cancelled = task.cancel_requested_at.is_some();
    let ending = Ending {
        state: State::Interrupted,
        run_at: task.run_at,
        failed_attempts: task.failed_attempts,
        lost_attempts: task.lost_attempts,
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
        Outcome::Lost { reason } => lost(task, ending, reason, now, spread),
        Outcome::Failed { kind, error, .. } if is_cancelled => cancelled(failed(ending, &kind, error)),
        Outcome::Failed { kind, error, retry_in } => {
            let failed = Ending {
                lost_attempts: 0,
                ..failed(ending, &kind, error)
            };
            match retry_in {
                Some(pause) => again_after(pause, task, failed, now),
                None => failed,
            }
        }
    }
}

/// The first losses cost nothing. A task that may be tried once only is not repeated after one: what it did is not known.
fn lost(task: &Task, ending: Ending, reason: String, now: DateTime<Utc>, spread: f64) -> Ending {
    let ending = Ending {
        lost_attempts: ending.lost_attempts.saturating_add(1),
        ..ending
    };
    let num_losses = ending.lost_attempts;
    if task.max_attempts == 1 {
        return Ending {
            outcome: AttemptOutcome::Lost,
            ..failed(ending, "lost", reason)
        };
    }
    if num_losses <= MAX_FREE_LOSSES {
        return Ending {
            error_kind: Some("lost".to_owned()),
            error: Some(reason),
            outcome: AttemptOutcome::Lost,
            ..ending
        };
    }
    let reason = format!("{reason}, as at {num_losses} attempts in a row");
    let looping = Ending {
        outcome: AttemptOutcome::Lost,
        ..failed(ending, "crash_loop", reason)
    };
    let num_before = (num_losses - MAX_FREE_LOSSES - 1).unsigned_abs();
    again_after(back_off(num_before, CRASH_BASE, CRASH_CAP, spread), task, looping, now)
}

/// Has it tried again, if it has attempts left.
fn again_after(pause: Duration, task: &Task, failed: Ending, now: DateTime<Utc>) -> Ending {
    match failed.failed_attempts < task.max_attempts {
        true => Ending {
            state: State::Retryable,
            run_at: now + pause,
            event: "task_retry_scheduled",
            ..failed
        },
        false => failed,
    }
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

    fn running(failed_attempts: i32, max_attempts: i32, is_cancelled: bool) -> Task {
        Task {
            id: TaskId(1),
            project_id: None,
            agent_type: "a".to_owned(),
            task_type: "t".to_owned(),
            description: "d".to_owned(),
            priority: 1,
            state: State::Running,
            created_at: at(0),
            run_at: at(0),
            attempt: failed_attempts + 1,
            failed_attempts,
            lost_attempts: 0,
            max_attempts,
            timeout_s: None,
            unique_key: None,
            owner: Some("o".to_owned()),
            lease_until: Some(at(30)),
            cancel_requested_at: is_cancelled.then(|| at(1)),
            progress: None,
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
            outcome in outcomes(), failed in 0..5_i32, more in 1..5_i32, losses in 0..6_i32, is_cancelled: bool
        ) {
            let task = Task { lost_attempts: losses, ..running(failed, failed + more, is_cancelled) };
            let ending = next(&task, outcome.clone(), at(100), 0.5);
            let is_counted = match outcome {
                Outcome::Failed { .. } => true,
                Outcome::Lost { .. } => losses >= MAX_FREE_LOSSES || task.max_attempts == 1,
                _ => false,
            };
            prop_assert!(ending.state != State::Running);
            prop_assert_eq!(ending.output.is_some(), matches!(outcome, Outcome::Completed { .. }));
            if is_cancelled {
                prop_assert!(ending.state.is_finished(), "a task that was called off is never tried again");
            } else {
                prop_assert_eq!(ending.failed_attempts, failed + i32::from(is_counted));
                prop_assert!(ending.state != State::Cancelled || outcome == Outcome::Cancelled);
            }
            if !ending.state.is_finished() {
                prop_assert!(ending.failed_attempts < task.max_attempts);
                prop_assert!(ending.run_at >= task.run_at);
            }
        }
    }

    #[test]
    fn a_task_that_loses_worker_after_worker_pauses_longer_and_longer_and_then_fails() {
        let mut task = running(0, 3, false);
        let mut pauses = Vec::new();
        loop {
            let reason = "gone".to_owned();
            let ending = next(&task, Outcome::Lost { reason }, at(100), 1.0);
            if ending.state.is_finished() {
                assert_eq!(ending.error_kind.as_deref(), Some("crash_loop"));
                break;
            }
            pauses.push((ending.run_at - at(100)).num_seconds().max(0));
            task.lost_attempts = ending.lost_attempts;
            task.failed_attempts = ending.failed_attempts;
        }
        assert_eq!(pauses, [0, 0, 0, 15, 30]);
        let failure = Outcome::Failed {
            kind: "k".to_owned(),
            error: "e".to_owned(),
            retry_in: Some(Duration::ZERO),
        };
        assert_eq!(next(&running(0, 3, false), failure, at(100), 1.0).lost_attempts, 0);
    }
}
