//! The bodies of answers that say what was done.

use borgos_actors::id::TaskId;
use schemars::JsonSchema;
use serde::Serialize;

/// What was done, or what is being done, in words.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Told {
    message: String,
}

/// What was made, and under which id.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Made {
    message: String,
    #[schemars(range(min = 1))]
    id: i64,
}

/// A task that was accepted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedTask {
    message: &'static str,
    task_id: TaskId,
    /// Whether it had been accepted before.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
}

/// Tasks that were accepted together.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedTasks {
    message: String,
    /// In the order of the request.
    task_ids: Vec<TaskId>,
}

impl Told {
    /// Says what was done.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl Made {
    /// Says what was made.
    pub(super) fn new(message: impl Into<String>, id: i64) -> Self {
        Self {
            message: message.into(),
            id,
        }
    }
}

impl AcceptedTask {
    /// A task that was accepted just now.
    pub(super) fn new(message: &'static str, task_id: TaskId) -> Self {
        Self {
            message,
            task_id,
            duplicate: None,
        }
    }

    /// One that had been accepted before.
    pub(super) fn again(message: &'static str, task_id: TaskId) -> Self {
        Self {
            duplicate: Some(true),
            ..Self::new(message, task_id)
        }
    }
}

impl AcceptedTasks {
    /// Tasks that were accepted just now.
    pub(super) fn new(task_ids: Vec<TaskId>) -> Self {
        Self {
            message: format!("{} tasks created and queued", task_ids.len()),
            task_ids,
        }
    }
}
