//! What operators see of an actor.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// What an actor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorState {
    /// It is being started for the first time.
    Starting,
    /// It takes messages.
    Running,
    /// It failed and waits for its next start.
    BackingOff,
    /// It is being replaced; its messages are held back for the next incarnation.
    Restarting,
    /// One message takes longer than it may. The actor was killed, which takes effect at its next await.
    Stuck,
    /// It was asked to end.
    Stopping,
    /// It ended and is not started again.
    Stopped,
    /// Too many restarts: this supervisor ended itself.
    GaveUp,
}

/// How an incarnation of an actor ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastExit {
    /// Why, in words.
    pub reason: String,
    /// Whether that was a failure.
    pub is_abnormal: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// One actor of the tree as operators see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Actor")]
pub struct ActorView {
    /// Its address in the tree, unique.
    pub path: String,
    /// The path of its supervisor; the root has none.
    pub parent: Option<String>,
    /// What sort of actor it is.
    pub kind: &'static str,
    /// The id of what it takes care of, such as the deployment's.
    pub subject: Option<i64>,
    /// What it is doing.
    pub state: ActorState,
    /// How often it was started, failed starts included.
    pub generation: u64,
    /// How often it was started again after a failure.
    pub restarts_total: u64,
    /// How many of these were recent enough to count against the budget; none where restarts are not limited.
    pub restarts_in_window: Option<usize>,
    /// How many restarts its supervisor accepts within the window before it gives up.
    pub restart_budget: Option<u32>,
    /// How long a restart counts.
    pub restart_window_seconds: Option<u64>,
    /// When a backing-off actor is started again.
    pub next_restart_at: Option<DateTime<Utc>>,
    /// How its last incarnation ended.
    pub last_exit: Option<LastExit>,
    /// Since when this incarnation runs.
    pub started_at: Option<DateTime<Utc>>,
    /// How long this incarnation has been running.
    pub uptime_seconds: Option<u64>,
    /// How many messages wait.
    pub queue_depth: usize,
    /// How many may.
    pub queue_limit: usize,
    /// The kind of the message that is being handled, or the lifecycle step.
    pub current_message: Option<&'static str>,
    /// How long it has been at that.
    pub busy_for_ms: Option<u64>,
    /// How many messages it handled in all its incarnations.
    pub handled: u64,
}
