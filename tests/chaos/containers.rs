//! Somebody else kills, stops or removes what is deployed: it is seen at once, told once, and mended.

use std::time::Duration;

use bollard::query_parameters::{KillContainerOptions, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::scene::Deployed;
use crate::support::{Runtime, Setup, World, docker, eventually_within};

/// A change from outside is shown within this time.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(2);

/// Sees the fault in time, finds what was told of it, and waits for the end.
async fn is_noticed_and_mended(world: &World, deployed: &Deployed, num_faults: i64, error_types: &[&str]) -> Value {
    let what = format!("fault {num_faults} is noticed");
    eventually_within(NOTICE_TIMEOUT, &what, async || {
        let row = deployed.row(world).await;
        // Counted in the same write that takes the status away from `running`.
        if row["restarts"] == num_faults {
            Ok(row)
        } else {
            Err(row)
        }
    })
    .await;
    deployed.is_truly_running(world).await;
    let errors = errors(world, deployed).await;
    assert_eq!(errors.len() as i64, num_faults, "{errors:?}");
    let newest = errors.iter().max_by_key(|entry| entry["id"].as_i64());
    let newest = newest.cloned().expect("there is an entry");
    let error_type = newest["error_type"].as_str().unwrap_or_default();
    assert!(error_types.contains(&error_type), "{newest}");
    newest
}

async fn errors(world: &World, deployed: &Deployed) -> Vec<Value> {
    let path = format!("/api/v1/errors?deployment_id={}", deployed.id);
    let errors = world.get(&path).await.expect(200);
    errors.as_array().expect("a list").clone()
}

#[tokio::test]
async fn what_is_done_to_a_container_from_outside_is_seen_and_mended() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let deployed = Deployed::running(&world, "harassed").await;
    let docker = docker::client();

    let id = deployed.container_id(&world).await;
    docker.kill_container(&id, None::<KillContainerOptions>).await.unwrap();
    let told = is_noticed_and_mended(&world, &deployed, 1, &["crash"]).await;
    assert_eq!(told["context"]["exit_code"], 137, "{told}");
    assert!(
        told["stack_trace"].as_str().unwrap_or_default().contains("serving"),
        "{told}"
    );

    let id = deployed.container_id(&world).await;
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&id, Some(force)).await.unwrap();
    // It dies before it is gone, and may be seen in between.
    is_noticed_and_mended(&world, &deployed, 2, &["crash", "vanished"]).await;

    let id = deployed.container_id(&world).await;
    let at_once = StopContainerOptionsBuilder::default().t(1).build();
    docker.stop_container(&id, Some(at_once)).await.unwrap();
    let told = is_noticed_and_mended(&world, &deployed, 3, &["crash"]).await;
    assert!(
        told["stack_trace"].as_str().unwrap_or_default().contains("serving"),
        "{told}"
    );

    let id = deployed.container_id(&world).await;
    world.kill_9().await;
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    docker.remove_container(&id, Some(force)).await.unwrap();
    world.boot().await;
    is_noticed_and_mended(&world, &deployed, 4, &["vanished"]).await;
    world.close().await;
}

#[tokio::test]
async fn a_process_that_is_killed_from_outside_is_seen_and_mended() {
    let world = Setup::new(Runtime::Process).start().await;
    let deployed = Deployed::running(&world, "harassed").await;

    kill(&world, &deployed, "app").await;
    let told = is_noticed_and_mended(&world, &deployed, 1, &["crash"]).await;
    assert_eq!(told["context"]["exit_code"], 137, "{told}");
    assert!(
        told["stack_trace"].as_str().unwrap_or_default().contains("serving"),
        "{told}"
    );
    world.close().await;
}

async fn kill(world: &World, deployed: &Deployed, role: &str) {
    let there = deployed.really_there(world).await;
    let victim = there.iter().find(|instance| instance.role == role);
    let pid = victim.and_then(|victim| Pid::from_raw(victim.id.parse().ok()?));
    kill_process(pid.expect("it runs"), Signal::KILL).expect("it can be killed");
}
