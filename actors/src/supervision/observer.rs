//! Tells whoever wants to know what happens to the actors.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

/// Something that happened to one actor.
#[derive(Debug, Clone, Serialize)]
pub struct Lifecycle {
    /// Which actor.
    pub path: String,
    /// What sort of actor.
    pub kind: &'static str,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
    /// Which of its starts this is about.
    pub generation: u64,
    /// When.
    pub at: DateTime<Utc>,
}

/// What can happen to an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// It runs.
    Started,
    /// It ended, or could not be started.
    Exited {
        /// Why, in words.
        reason: String,
        /// Whether that was a failure.
        is_abnormal: bool,
    },
    /// It will be started again.
    Restarting {
        /// After that pause; written in milliseconds.
        #[serde(rename = "after_ms", serialize_with = "as_milliseconds")]
        after: Duration,
    },
    /// One message takes longer than it may; the actor is killed.
    Stuck {
        /// The message's kind.
        message: String,
    },
    /// A supervisor saw too many restarts and ends itself.
    GaveUp {
        /// Which child failed, and why.
        reason: String,
    },
}

fn as_milliseconds<S: Serializer>(pause: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// Receives what happens to the actors; also logs it. Telling never waits: what does not fit into the channel is dropped.
#[derive(Debug, Clone)]
pub struct Observer(Option<mpsc::Sender<Lifecycle>>);

impl Observer {
    /// Creates an observer that sends to a bounded channel.
    pub fn new(sender: mpsc::Sender<Lifecycle>) -> Self {
        Self(Some(sender))
    }

    /// Creates an observer that only logs.
    pub fn log_only() -> Self {
        Self(None)
    }

    pub(super) fn tell(&self, lifecycle: Lifecycle) {
        lifecycle.log();
        let Some(sender) = &self.0 else { return };
        if let Err(mpsc::error::TrySendError::Full(lifecycle)) = sender.try_send(lifecycle) {
            warn!(
                actor.path = lifecycle.path,
                "an actor's lifecycle event was dropped: its reader is too slow"
            );
        }
    }
}

impl Lifecycle {
    fn log(&self) {
        let Self {
            path, kind, generation, ..
        } = self;
        match &self.what {
            Happening::Started => info!(actor.path = path, actor.kind = kind, generation, "actor {path} started"),
            Happening::Exited {
                reason,
                is_abnormal: true,
            } => {
                warn!(
                    actor.path = path,
                    actor.kind = kind,
                    generation,
                    reason,
                    "actor {path} failed: {reason}"
                );
            }
            Happening::Exited {
                reason,
                is_abnormal: false,
            } => {
                info!(
                    actor.path = path,
                    actor.kind = kind,
                    generation,
                    reason,
                    "actor {path} ended: {reason}"
                );
            }
            Happening::Restarting { after } => {
                info!(
                    actor.path = path,
                    actor.kind = kind,
                    generation,
                    ?after,
                    "actor {path} restarts in {after:?}"
                );
            }
            Happening::Stuck { message } => {
                warn!(
                    actor.path = path,
                    actor.kind = kind,
                    generation,
                    message,
                    "actor {path} is stuck in {message}"
                );
            }
            Happening::GaveUp { reason } => {
                error!(
                    actor.path = path,
                    actor.kind = kind,
                    generation,
                    reason,
                    "supervisor {path} gave up: {reason}"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_event_is_flat_json() {
        let lifecycle = Lifecycle {
            path: "a".to_owned(),
            kind: "probe",
            what: Happening::Restarting {
                after: Duration::from_millis(1500),
            },
            generation: 2,
            at: DateTime::UNIX_EPOCH,
        };
        let json = serde_json::json!({
            "path": "a", "kind": "probe", "what": "restarting", "after_ms": 1500, "generation": 2, "at": "1970-01-01T00:00:00Z"
        });
        assert_eq!(serde_json::to_value(lifecycle).expect("it is plain data"), json);
    }

    #[test]
    fn an_event_without_room_is_dropped_and_nobody_waits() {
        let (sender, mut receiver) = mpsc::channel(1);
        let observer = Observer::new(sender);
        for generation in 1..=3 {
            let (path, what) = ("a".to_owned(), Happening::Started);
            observer.tell(Lifecycle {
                path,
                kind: "probe",
                what,
                generation,
                at: Utc::now(),
            });
        }
        assert_eq!(receiver.try_recv().expect("the first one fits").generation, 1);
        assert!(receiver.try_recv().is_err());
    }
}
