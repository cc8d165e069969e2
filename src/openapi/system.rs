//! How the service and its machine are.

use serde_json::json;

use super::operation::Operation;
use crate::{app::SystemStatus, routes::system::HealthBody};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("health", "Says whether the service is well")
            .describe("Never rate-limited. Takes any query, as some probes add one against caches.")
            .answers::<HealthBody>(200, "It is well.")
            .example(json!({"status": "healthy", "timestamp": "2024-01-15T10:30:00Z"}))
            .answers::<HealthBody>(503, "It is not, and why.")
            .example(json!({
                "status": "unhealthy",
                "reason": "the database does not answer",
                "timestamp": "2024-01-15T10:30:00Z",
            })),
        Operation::new("status", "Shows machine and service in numbers")
            .answers::<SystemStatus>(200, "The numbers.")
            .example(json!({
                "cpu_percent": 45.2, "memory_percent": 62.5, "disk_percent": 38.9, "active_deployments": 5,
                "total_projects": 12, "recent_errors": 3, "uptime_seconds": 86400, "service_uptime_seconds": 3600,
                "version": "0.1.0",
            })),
        Operation::new("openapi", "Describes this API")
            .describe("This document.")
            .answers::<serde_json::Map<String, serde_json::Value>>(200, "The description, in OpenAPI 3.1."),
    ]
}
