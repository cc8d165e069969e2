//! What is told of tasks.

use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::row;
use crate::{
    Error,
    store::events::{self, NewEvent},
};

/// Writes one event of a task, as its row now is.
pub(super) async fn announce(
    transaction: &DatabaseTransaction,
    kind: &'static str,
    row: &row::Model,
) -> Result<(), Error> {
    events::append(transaction, event(kind, row)).await
}

/// Makes the event of a task, as its row now is.
pub(super) fn event(kind: &'static str, row: &row::Model) -> NewEvent {
    let mut data = json!({
        "id": row.id,
        "state": row.state,
        "agent_type": row.agent_type,
        "task_type": row.task_type,
        "project_id": row.project_id,
        "attempt": row.attempt,
    });
    if let Some(error) = row.error.as_ref().filter(|_| kind != "task_started") {
        data["error"] = Value::from(error.as_str());
    }
    NewEvent {
        channel: events::TASKS,
        subject: Some(row.id.0),
        kind,
        data,
    }
}

/// Makes the event of a step that a running task has reported.
pub(super) fn progress_event(row: &row::Model, progress: &Value) -> NewEvent {
    let mut event = event("task_progress", row);
    event.data["progress"] = progress.clone();
    event
}
