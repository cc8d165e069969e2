//! The supervision tree.

use borgos_actors::supervision::ActorView;
use serde_json::json;

use super::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("actors.list", "Shows the supervision tree")
            .answers::<Vec<ActorView>>(200, "All actors, depth first."),
        Operation::new("actors.show", "Shows one actor")
            .answers::<ActorView>(200, "The actor.")
            .example(example()),
        Operation::new("actors.restart", "Replaces one actor")
            .describe("Loses no message that was accepted, and touches no container.")
            .answers::<ActorView>(200, "The new incarnation.")
            .refuses(409, &["ACTOR_EXISTS", "ACTOR_NOT_RESTARTABLE", "ACTOR_STOPPING"]),
    ]
}

fn example() -> serde_json::Value {
    json!({
        "path": "deployment/1", "parent": "deployments", "kind": "deployment", "subject": 1, "state": "running",
        "generation": 1, "restarts_total": 0, "restarts_in_window": null, "restart_budget": null,
        "restart_window_seconds": null, "next_restart_at": null, "last_exit": null,
        "started_at": "2024-01-15T10:30:00Z", "uptime_seconds": 60, "queue_depth": 0, "queue_limit": 256,
        "current_message": null, "busy_for_ms": null, "handled": 12,
    })
}
