//! A task as clients see it.

use borgos_actors::{
    id::{ProjectId, TaskId},
    store::tasks::{Attempt, Details, State, Task},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A task in a list, without what can be large.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Task")]
pub(crate) struct TaskBody {
    id: TaskId,
    project_id: Option<ProjectId>,
    agent_type: String,
    task_type: String,
    description: String,
    status: &'static str,
    state: State,
    priority: i32,
    attempt: i32,
    failed_attempts: i32,
    lost_attempts: i32,
    max_attempts: i32,
    timeout_s: Option<i64>,
    unique_key: Option<String>,
    progress: Option<Value>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    run_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    cancel_requested_at: Option<DateTime<Utc>>,
}

/// A task with everything.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskDetails {
    #[serde(flatten)]
    task: TaskBody,
    /// What it waits for, where that is neither its turn nor its time.
    reason: Option<String>,
    input_data: Value,
    output: Option<Value>,
    attempts: Vec<Attempt>,
}

impl From<Task> for TaskBody {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            project_id: task.project_id,
            agent_type: task.agent_type,
            task_type: task.task_type,
            description: task.description,
            status: status(task.state),
            state: task.state,
            priority: task.priority,
            attempt: task.attempt,
            failed_attempts: task.failed_attempts,
            lost_attempts: task.lost_attempts,
            max_attempts: task.max_attempts,
            timeout_s: task.timeout_s,
            unique_key: task.unique_key,
            progress: task.progress,
            error: task.error,
            created_at: task.created_at,
            run_at: task.run_at,
            started_at: task.started_at,
            finished_at: task.finished_at,
            cancel_requested_at: task.cancel_requested_at,
        }
    }
}

impl TaskDetails {
    pub(super) fn new(details: Details, reason: Option<String>, attempts: Vec<Attempt>) -> Self {
        Self {
            task: details.task.into(),
            reason,
            input_data: details.input_data,
            output: details.output,
            attempts,
        }
    }
}

/// Returns the documented word for a state.
fn status(state: State) -> &'static str {
    let found = super::STATUSES.iter().find(|(_, states)| states.contains(&state));
    found.map_or("pending", |(word, _)| word)
}
