//! The error log.

use borgos_actors::store::error_log::Entry;
use serde_json::json;

use super::{headers::LOCATION, operation::Operation, parameter::Parameter};
use crate::routes::{
    errors::{Log, SEVERITIES},
    outcome::Made,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("errors.list", "Lists the error log")
            .takes([
                Parameter::choice("severity", "How bad they are.", &SEVERITIES),
                Parameter::id("project_id", "The project that they are about."),
                Parameter::id("deployment_id", "The deployment that they are about."),
                Parameter::text("error_type", "What kind of error they are."),
                Parameter::time("since", "Not before this time."),
                Parameter::time("until", "Before this time."),
            ])
            .lists_fields::<Entry>("The errors, newest first.")
            .example(json!([{
                "id": 1, "project_id": 1, "project_name": "MyProject", "deployment_id": null, "error_type": "runtime",
                "severity": "error", "message": "Database connection failed", "stack_trace": "Traceback...",
                "context": {"file": "database.py", "function": "connect"}, "occurred_at": "2024-01-15T11:45:00Z",
            }])),
        Operation::new("errors.log", "Logs an error")
            .body::<Log>(json!({
                "project_id": 1, "error_type": "validation", "severity": "warning", "message": "Invalid input format",
                "stack_trace": null, "context": {"endpoint": "/api/users", "input": {"email": "invalid"}},
            }))
            .answers::<Made>(201, "It was logged.")
            .with(&LOCATION)
            .example(json!({"message": "Error logged successfully", "id": 1}))
            .refuses(404, &["NOT_FOUND"]),
    ]
}
