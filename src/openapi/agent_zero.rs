//! Agent Zero.

use borgos_actors::agent_zero::{Capability, Execute};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{operation::Operation, parameter::Parameter, tasks::idempotency_key};
use crate::routes::{
    agent_zero::{MAX_LOG_LINES, Printed, Started, StatusBody, Stopped},
    outcome::AcceptedTask,
};

const CANNOT_RUN: [&str; 6] = [
    "AGENT_ZERO_AS_ROOT",
    "AGENT_ZERO_FAILED",
    "AGENT_ZERO_NOT_CONFIGURED",
    "AGENT_ZERO_NOT_INSTALLED",
    "AGENT_ZERO_PORT_HELD",
    "AGENT_ZERO_PYTHON",
];

/// The two ways to answer with capabilities.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
enum Capabilities {
    Names(Vec<String>),
    Detailed(Vec<Capability>),
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("agent_zero.status", "Says whether Agent Zero runs, that is: is ready")
            .answers::<StatusBody>(200, "How it is, and why it does not run.")
            .example(json!({
                "running": true, "port": 8085, "process_id": 12345, "directory": "/Users/ai/agent-zero",
                "ui_url": "http://localhost:8085", "state": "running", "reason": null, "version": "v0.9.7",
                "restarts": 0, "next_start_at": null, "since": "2024-01-15T10:30:00Z",
            })),
        Operation::new("agent_zero.capabilities", "Lists what Agent Zero can do")
            .takes([Parameter::flag("detail", "Whether to say how that is known.")])
            .answers::<Capabilities>(200, "What it can do.")
            .example(json!(["code_execution", "web_browsing", "file_operations"])),
        Operation::new("agent_zero.logs", "Shows what Agent Zero printed last")
            .describe("Secrets are masked.")
            .takes([Parameter::number(
                "tail",
                "How many lines.",
                1,
                MAX_LOG_LINES,
                MAX_LOG_LINES,
            )])
            .answers::<Printed>(200, "The lines."),
        Operation::new("agent_zero.execute", "Gives Agent Zero a prompt as a task")
            .takes([idempotency_key()])
            .body::<Execute>(json!({
                "type": "code_execution",
                "description": "Create a Python script to analyze logs",
                "prompt": "Write a script that parses error logs and generates a summary report",
                "context": {"log_path": "/logs/app.log"},
            }))
            .answers::<AcceptedTask>(202, "The task was accepted.")
            .example(json!({"message": "Task submitted", "task_id": 42}))
            .leads_to("/task_id", &["tasks.show", "tasks.cancel", "tasks.retry"])
            .refuses(404, &["NOT_FOUND"])
            .refuses(409, &["IDEMPOTENCY_KEY_REUSED"])
            .refuses(429, &["TOO_MANY_TASKS"]),
        starts("agent_zero.start", "Starts Agent Zero")
            .describe("Answers once it is ready, or with 202 when that takes longer than 45 seconds."),
        starts("agent_zero.restart", "Stops and starts Agent Zero"),
        Operation::new("agent_zero.stop", "Stops Agent Zero")
            .describe("Answers when nothing of it is left.")
            .answers::<Stopped>(200, "Nothing of it is left.")
            .example(json!({"success": true}))
            .answers::<Stopped>(202, "It is being stopped.")
            .refuses(409, &CANNOT_RUN),
    ]
}

fn starts(name: &'static str, summary: &'static str) -> Operation {
    Operation::new(name, summary)
        .answers::<Started>(200, "It is ready.")
        .answers::<Started>(202, "It is being started.")
        .refuses(400, &["PORT_IN_USE"])
        .refuses(409, &CANNOT_RUN)
}
