//! Programs that end as soon as they are started.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::scene::{Deployed, project};
use crate::support::{Runtime, Setup, World, eventually};

async fn deploy(world: &World, more: &Value) -> Deployed {
    let project = project(world, "failing", "0");
    let project_id = world.create_project("failing", project.path()).await;
    Deployed::begin(world, project_id, "failing", more).await
}

/// Reads the pause out of a reason such as `exited with code 1, next start in 1.5 s`.
fn pause_of(reason: &str) -> f64 {
    let (_, pause) = reason
        .rsplit_once("next start in ")
        .expect("the reason names the pause");
    let number = pause.strip_suffix(" s").expect("in seconds");
    number.parse().expect("a number")
}

#[tokio::test]
async fn a_program_that_fails_is_started_less_and_less_often_until_it_is_stopped() {
    let world = Setup::new(Runtime::Docker).start().await;
    let mut socket = world.socket().await;
    socket.subscribe(&["deployments"]).await;
    let deployed = deploy(&world, &json!({"command": ["busybox", "sh", "-c", "exit 3"]})).await;

    let mut pauses = Vec::new();
    for _ in 0..4 {
        let event = socket
            .next_event("deployment_status", |data| data["status"] == "restarting")
            .await;
        let reason = event["data"]["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("exited with code 3"), "{reason}");
        pauses.push(pause_of(reason));
    }
    // Each is the double of the one before, less a random part.
    assert!(
        pauses[0] <= 1.0 && pauses[3] > pauses[0] && pauses[3] <= 8.0,
        "{pauses:?}"
    );

    world
        .post(&format!("{}/stop", deployed.path()), &json!({}))
        .await
        .expect(200);
    let stopped = deployed.row(&world).await;
    assert_eq!(stopped["status"], "stopped", "{stopped}");
    // The planned start would be due in this time.
    let due = Instant::now() + Duration::from_secs_f64(pauses[3] + 1.0);
    while Instant::now() < due {
        assert_eq!(deployed.row(&world).await["updated_at"], stopped["updated_at"]);
        assert!(deployed.containers(&world).await.is_empty());
        sleep(Duration::from_millis(100)).await;
    }
    world.close().await;
}

#[tokio::test]
async fn a_program_that_takes_too_much_memory_is_said_to_have() {
    let world = Setup::new(Runtime::Docker).start().await;
    // The engine begins to watch a container's memory only after its start.
    let command = ["sh", "-c", "sleep 1; exec busybox tail /dev/zero"];
    let glutton = json!({"command": command, "memory_limit": "16m"});
    let deployed = deploy(&world, &glutton).await;
    let row = eventually("the kill is recorded", async || {
        let row = deployed.row(&world).await;
        if row["status"] == "restarting" {
            Ok(row)
        } else {
            Err(row)
        }
    })
    .await;
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("was killed for exceeding its memory limit"), "{row}");
    world.close().await;
}
