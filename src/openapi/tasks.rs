//! Tasks of agents.

use serde_json::json;

use super::{operation::Operation, parameter::Parameter};
use crate::routes::{
    outcome::{AcceptedTask, AcceptedTasks, Told},
    tasks::{
        Create, CreateAll, MAX_KEY_CHARS, STATUSES,
        task_body::{TaskBody, TaskDetails},
    },
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("tasks.create", "Accepts a task")
            .describe("A task that was accepted is on disk, and ends whatever crashes.")
            .takes([idempotency_key()])
            .body::<Create>(json!({
                "project_id": 1, "agent_type": "agent-zero", "task_type": "automation",
                "description": "Monitor system logs and alert on errors", "priority": 1,
                "input_data": {"log_paths": ["/var/log/app.log"], "alert_threshold": 5},
            }))
            .answers::<AcceptedTask>(202, "The task was accepted.")
            .example(json!({"message": "Task created and queued", "task_id": 43}))
            .leads_to("/task_id", &["tasks.show", "tasks.cancel", "tasks.retry"])
            .refuses(404, &["NOT_FOUND"])
            .refuses(409, &["IDEMPOTENCY_KEY_REUSED"])
            .refuses(429, &["TOO_MANY_TASKS"]),
        Operation::new("tasks.create_all", "Accepts many tasks at once, or none of them")
            .describe("Takes neither `unique_key` nor an `Idempotency-Key`.")
            .body::<CreateAll>(json!({"tasks": [
                {"agent_type": "agent-zero", "task_type": "automation", "description": "Tidy up the logs"},
                {"agent_type": "agent-zero", "task_type": "automation", "description": "Check the backups"},
            ]}))
            .answers::<AcceptedTasks>(202, "All were accepted.")
            .example(json!({"message": "2 tasks created and queued", "task_ids": [43, 44]}))
            .refuses(404, &["NOT_FOUND"])
            .refuses(429, &["TOO_MANY_TASKS"]),
        Operation::new("tasks.list", "Lists tasks")
            .takes([
                Parameter::choice("status", "How far they have come.", &STATUSES),
                Parameter::text("agent_type", "Who is to do them."),
                Parameter::id("project_id", "The project that they are about."),
            ])
            .lists::<TaskBody>("The tasks, newest first, without what can be large."),
        Operation::new("tasks.show", "Shows one task")
            .answers::<TaskDetails>(200, "The task with attempts, progress and output."),
        Operation::new("tasks.cancel", "Calls a task off")
            .answers::<Told>(200, "It will not be done.")
            .example(json!({"message": "Task 43 cancelled"}))
            .answers::<Told>(202, "It runs, and is being ended.")
            .refuses(409, &["TASK_FINISHED"]),
        Operation::new("tasks.retry", "Tries a task again that failed or was called off")
            .answers::<Told>(202, "It waits again.")
            .refuses(409, &["PROJECT_DELETED", "TASK_NOT_RETRYABLE", "UNIQUE_KEY_IN_USE"])
            .refuses(429, &["TOO_MANY_TASKS"]),
    ]
}

/// The header that makes a repeated request harmless.
pub(super) fn idempotency_key() -> Parameter {
    let schema = json!({
        "type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": "^[!-~]([ -~]*[!-~])?$",
    });
    Parameter::header(
        "Idempotency-Key",
        "As long as a task with this key is known, the same request answers the same task.",
        schema,
    )
}
