//! A program that hangs while it runs: it is called unhealthy, well again when it answers, and replaced when it does not.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::scene::{Deployed, project};
use crate::support::{Runtime, Setup, World, docker, eventually_within};

/// Two probes that time out, with the pauses between them, and room for a busy machine.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(40);

async fn watched(world: &World) -> Deployed {
    let project = project(world, "watched", "0");
    let project_id = world.create_project("watched", project.path()).await;
    let check = json!({"health_check_path": "/health", "health_interval_s": 1, "health_retries": 2});
    let deployed = Deployed::begin(world, project_id, "watched", &check).await;
    world.deployment_is(deployed.id, "running").await;
    deployed
}

/// Stops the program from running, without ending it, or lets it go on.
async fn set_frozen(world: &World, deployed: &Deployed, signal: Signal) {
    match world.runtime() {
        Runtime::Docker => {
            let id = deployed.container_id(world).await;
            match signal {
                Signal::STOP => docker::client().pause_container(&id).await,
                _ => docker::client().unpause_container(&id).await,
            }
            .expect("a container can be paused");
        }
        Runtime::Process => {
            let there = deployed.really_there(world).await;
            let app = there.iter().find(|seen| seen.role == "app").expect("it runs");
            let pid = app
                .id
                .parse()
                .ok()
                .and_then(Pid::from_raw)
                .expect("a process has an id");
            kill_process(pid, signal).expect("a process can be signalled");
        }
    }
}

async fn is_in_time(world: &World, deployed: &Deployed, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually_within(NOTICE_TIMEOUT, what, async || {
        let row = deployed.row(world).await;
        if is_so(&row) { Ok(row) } else { Err(row) }
    })
    .await
}

async fn a_hang_is_seen_and_mended(runtime: Runtime) {
    let world = Setup::new(runtime).start().await;
    let deployed = watched(&world).await;
    let instances = deployed.really_there(&world).await;

    set_frozen(&world, &deployed, Signal::STOP).await;
    let row = is_in_time(&world, &deployed, "the hang is seen", |row| {
        row["status"] == "unhealthy"
    })
    .await;
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("/health"), "{row}");
    set_frozen(&world, &deployed, Signal::CONT).await;
    let row = is_in_time(&world, &deployed, "it is well again", |row| row["status"] == "running").await;
    assert_eq!((&row["restarts"], &row["reason"]), (&json!(0), &json!(null)));
    assert_eq!(deployed.really_there(&world).await, instances);

    set_frozen(&world, &deployed, Signal::STOP).await;
    is_in_time(&world, &deployed, "it is replaced", |row| row["restarts"] == 1).await;
    is_in_time(&world, &deployed, "the new one runs", |row| row["status"] == "running").await;
    deployed.is_truly_running(&world).await;
    assert_ne!(deployed.really_there(&world).await, instances);
    let path = format!("/api/v1/errors?deployment_id={}", deployed.id);
    let errors = world.get(&path).await.expect(200);
    assert_eq!(errors[0]["error_type"], "unhealthy", "{errors:#}");
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors:#}");
    world.close().await;
}

#[tokio::test]
async fn a_container_that_hangs_is_seen_and_mended() {
    a_hang_is_seen_and_mended(Runtime::Docker).await;
}

#[tokio::test]
async fn a_process_that_hangs_is_seen_and_mended() {
    a_hang_is_seen_and_mended(Runtime::Process).await;
}
