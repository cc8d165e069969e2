//! What is told of tasks.

use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::Task;
use crate::{
    Error,
    store::events::{self, NewEvent},
};

/// Writes one event of a task, as it now is.
pub(super) async fn announce(transaction: &DatabaseTransaction, kind: &'static str, task: &Task) -> Result<(), Error> {
    events::append(transaction, event(kind, task)).await
}

/// Makes the event of a task, as it now is.
pub(super) fn event(kind: &'static str, task: &Task) -> NewEvent {
    let mut data = json!({
        "id": task.id,
        "state": task.state,
        "agent_type": task.agent_type,
        "task_type": task.task_type,
        "project_id": task.project_id,
        "attempt": task.attempt,
    });
    if let Some(error) = task.error.as_ref().filter(|_| kind != "task_started") {
        data["error"] = Value::from(error.as_str());
    }
    NewEvent {
        channel: events::TASKS,
        subject: Some(task.id.0),
        kind,
        data,
    }
}

/// Makes the event of a step that a running task has reported.
pub(super) fn progress_event(task: &Task, progress: &Value) -> NewEvent {
    let mut event = event("task_progress", task);
    event.data["progress"] = progress.clone();
    event
}
