//! What is known of Agent Zero at the moment.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::probe::Api;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AgentZeroState")]
pub enum State {
    /// Nobody has looked yet: BorgOS has just been started.
    Unknown,
    /// It does not run, and is not meant to.
    Stopped,
    /// It was started and is not ready yet.
    Starting,
    /// It answers, and takes work.
    Running,
    /// It is being ended.
    Stopping,
    /// It ended by itself and is started again after a pause.
    BackingOff,
    /// It does not run, and is not started again before somebody says so.
    Failed,
}

impl State {
    /// Returns the state as a stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::BackingOff => "backing_off",
            Self::Failed => "failed",
        }
    }
}

/// What is known.
#[derive(Debug, Clone)]
pub struct Status {
    /// What it does.
    pub state: State,
    /// Why it does not run, or did not before.
    pub reason: Option<String>,
    /// Its process, while there is one.
    pub process_id: Option<i32>,
    /// How often it was started again after it ended by itself, since somebody started it.
    pub restarts: u64,
    /// When the next start is due.
    pub next_start_at: Option<DateTime<Utc>>,
    /// Since when it is in this state.
    pub since: DateTime<Utc>,
    /// How to talk to it, while it runs.
    pub(super) api: Option<Api>,
}

impl Status {
    /// Nothing is known yet.
    pub(super) fn unknown() -> Self {
        Self {
            state: State::Unknown,
            reason: None,
            process_id: None,
            restarts: 0,
            next_start_at: None,
            since: Utc::now(),
            api: None,
        }
    }

    /// Says whether it takes work.
    pub fn is_ready(&self) -> bool {
        self.state == State::Running
    }

    /// Returns its version, as it tells it.
    pub fn version(&self) -> Option<&str> {
        self.api.as_ref()?.version.as_deref()
    }
}
