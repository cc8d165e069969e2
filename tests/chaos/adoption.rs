//! `kill -9` of BorgOS while a deployment runs: it is taken over as it is.

use serde_json::json;

use super::{load::Load, scene::Deployed};
use crate::support::{Backend, Runtime, Setup};

async fn what_runs_is_adopted(setup: Setup) {
    let mut world = setup.start().await;
    let deployed = Deployed::running(&world, "kept").await;
    let before = deployed.is_truly_running(&world).await;
    let instances = deployed.really_there(&world).await;

    let load = Load::on(deployed.port);
    for _ in 0..2 {
        world.kill_9().await;
        world.boot().await;
        let after = deployed.is_truly_running(&world).await;
        assert_eq!(deployed.really_there(&world).await, instances);
        for field in ["container_id", "generation", "started_at", "release_id"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        assert_eq!(after["restarts"], 0);
    }
    load.finish().await;
    world.close().await;
}

#[tokio::test]
async fn a_running_container_is_adopted() {
    what_runs_is_adopted(Setup::new(Runtime::Docker)).await;
}

#[tokio::test]
async fn a_running_process_is_adopted() {
    what_runs_is_adopted(Setup::new(Runtime::Process)).await;
}

#[tokio::test]
async fn a_running_process_is_adopted_on_postgresql() {
    what_runs_is_adopted(Setup::new(Runtime::Process).backend(Backend::Postgres)).await;
}

/// The actor is looking at what runs when the request comes, and must not overwrite it with what it finds.
#[tokio::test]
async fn a_restart_that_is_requested_right_after_a_start_is_carried_out() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let deployed = Deployed::running(&world, "kept").await;
    for _ in 0..3 {
        deployed.is_truly_running(&world).await;
        let before = deployed.really_there(&world).await;
        world.kill_9().await;
        world.boot().await;
        let path = format!("{}/restart", deployed.path());
        world.post(&path, &json!({})).await.expect(200);
        deployed.is_truly_running(&world).await;
        let after = deployed.really_there(&world).await;
        assert!(
            after.iter().all(|seen| !before.contains(seen)),
            "{before:?}, then {after:?}"
        );
    }
    world.close().await;
}
