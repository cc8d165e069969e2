//! An operator who restarts a deployment's actor again and again.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{load::Load, scene::Deployed};
use crate::support::{Answer, Runtime, Setup, World};

const RESTARTING_FOR: Duration = Duration::from_secs(10);

async fn restart_actor(world: &World, deployed: &Deployed) {
    let path = format!("/api/v1/actors/deployment/{}/restart", deployed.id);
    world.post(&path, &json!({})).await.expect(200);
}

async fn restarts_of_the_actor_cost_nothing(runtime: Runtime) {
    let world = Setup::new(runtime).start().await;
    let deployed = Deployed::running(&world, "steady").await;
    let before = deployed.is_truly_running(&world).await;
    let instances = deployed.really_there(&world).await;
    let first = deployed.actor(&world).await["generation"].as_i64().expect("a number");

    let load = Load::on(deployed.port);
    let start = Instant::now();
    let mut num_restarts = 0;
    while start.elapsed() < RESTARTING_FOR {
        restart_actor(&world, &deployed).await;
        num_restarts += 1;
    }
    load.finish().await;

    assert!(num_restarts >= 10, "only {num_restarts} restarts");
    let actor = deployed.actor(&world).await;
    assert_eq!(actor["generation"], first + num_restarts, "{actor}");
    assert_eq!(actor["restarts_total"], 0, "{actor}");
    let after = deployed.is_truly_running(&world).await;
    assert_eq!(deployed.really_there(&world).await, instances);
    assert_eq!(after["generation"], before["generation"]);
    stop_is_carried_out_amid_restarts(&world, &deployed).await;
    world.close().await;
}

async fn stop_is_carried_out_amid_restarts(world: &World, deployed: &Deployed) {
    let restarts = async {
        loop {
            restart_actor(world, deployed).await;
        }
    };
    let stop = async {
        let path = format!("{}/stop", deployed.path());
        let answer: Answer = world.post(&path, &json!({})).await;
        assert!(answer.status == 200 || answer.status == 202, "{answer:?}");
        world.deployment_is(deployed.id, "stopped").await
    };
    tokio::select! {
        () = restarts => unreachable!("an operator who does not tire"),
        row = stop => assert_eq!(row["desired"], "stopped"),
    }
    let left = deployed.really_there(world).await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn restarts_of_the_actor_cost_a_container_nothing() {
    restarts_of_the_actor_cost_nothing(Runtime::Docker).await;
}

#[tokio::test]
async fn restarts_of_the_actor_cost_a_process_nothing() {
    restarts_of_the_actor_cost_nothing(Runtime::Process).await;
}
