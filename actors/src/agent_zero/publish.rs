//! Tells others: events of the channel `agent-zero`, and entries of the error log.
//!
//! Neither may hold up who looks after the process, so both have a deadline, and what the database does not take in time
//! is said in the log and lost.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::Status;
use crate::{
    Error, event_bus,
    store::{
        Store,
        error_log::{self, NewEntry},
        events::{self, NewEvent},
    },
    supervision::Handle,
};

const DEADLINE: Duration = Duration::from_secs(5);

/// Where to tell it.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    store: Store,
    events: Handle<event_bus::Message>,
}

impl Publisher {
    pub(super) fn new(store: Store, events: Handle<event_bus::Message>) -> Self {
        Self { store, events }
    }

    /// Publishes a change of state.
    pub(super) async fn state(&self, status: &Status) {
        let event = NewEvent {
            channel: events::AGENT_ZERO,
            subject: None,
            kind: "agent_zero_status",
            data: json!({
                "state": status.state,
                "running": status.is_ready(),
                "reason": status.reason,
                "process_id": status.process_id,
                "restarts": status.restarts,
                "next_start_at": status.next_start_at,
            }),
        };
        self.tell(events::record(&self.store, vec![event])).await;
    }

    /// Writes an entry into the error log.
    pub(super) async fn log(&self, entry: NewEntry) {
        let written = async { error_log::record(&self.store, &entry).await.map(drop) };
        self.tell(written).await;
    }

    async fn tell(&self, writing: impl Future<Output = Result<(), Error>>) {
        match timeout(DEADLINE, writing).await {
            Ok(Ok(())) => event_bus::nudge(&self.events),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "news of Agent Zero was not published"
                );
            }
            Err(_) => tracing::warn!("news of Agent Zero was not published within {DEADLINE:?}"),
        }
    }
}
