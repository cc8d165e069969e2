//! What is under way can be called off at any time.

use std::{fs, time::Duration};

use bollard::query_parameters::ListContainersOptions;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{answers, deploy};
use crate::support::{Project, Runtime, Setup, World, docker, eventually, free_port};

/// The promise.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the next build take ten minutes and a known number of seconds.
fn slow_down(project: &Project, seconds: u32) {
    let sound = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    let slow = sound.replace("COPY www", &format!("RUN sleep {seconds}\nCOPY www"));
    project.write_file("Dockerfile", &slow);
}

/// Whether the step of that build runs.
async fn is_building(seconds: u32) -> bool {
    let listed = docker::client().list_containers(None::<ListContainersOptions>).await;
    let step = format!("sleep {seconds}");
    let mut commands = listed.unwrap().into_iter().filter_map(|container| container.command);
    commands.any(|command| command.contains(&step))
}

async fn builds(seconds: u32) {
    eventually("the step is under way", async || match is_building(seconds).await {
        true => Ok(()),
        false => Err(()),
    })
    .await;
}

/// Cancels, and checks that it is done in time.
async fn cancel(world: &World, id: i64, seconds: u32) {
    let path = format!("/api/v1/deployments/{id}/cancel");
    let begun = Instant::now();
    world.post_nothing(&path).await.expect(200);
    eventually("the step has ended", async || match is_building(seconds).await {
        true => Err(()),
        false => Ok(()),
    })
    .await;
    assert!(begun.elapsed() < CANCEL_TIMEOUT, "{:?}", begun.elapsed());
    let again = world.post_nothing(&path).await;
    assert_eq!(again.expect(409)["code"], "NOTHING_TO_CANCEL");
}

async fn newest_release(world: &World, path: &str) -> Value {
    world.get(&format!("{path}/releases")).await.expect(200)[0].clone()
}

#[tokio::test]
async fn a_first_build_that_is_cancelled_leaves_nothing() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = world.project("hasty", "one");
    let sound = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    slow_down(&project, 601);
    let port = free_port();
    let id = deploy(&world, project.path(), json!({"port": port})).await;
    let path = format!("/api/v1/deployments/{id}");
    builds(601).await;
    cancel(&world, id, 601).await;
    assert_eq!(world.get(&path).await.expect(200)["status"], "cancelled");
    let release = newest_release(&world, &path).await;
    assert_eq!(
        (&release["status"], &release["reason"]),
        (&json!("cancelled"), &json!("was cancelled"))
    );
    project.write_file("Dockerfile", &sound);
    world.post_nothing(&format!("{path}/restart")).await.expect(200);
    answers(port, "one").await;
    assert_eq!(newest_release(&world, &path).await["release"], 2);
    world.close().await;
}

#[tokio::test]
async fn what_served_before_a_cancelled_rollout_serves_on() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = world.project("hasty", "one");
    let sound = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    let port = free_port();
    let body = json!({"port": port, "health_check_path": "/index.html"});
    let id = deploy(&world, project.path(), body).await;
    let path = format!("/api/v1/deployments/{id}");
    let before = world.deployment_is(id, "running").await;

    slow_down(&project, 602);
    world.post_nothing(&format!("{path}/redeploy")).await.expect(202);
    builds(602).await;
    cancel(&world, id, 602).await;
    assert_same(&world, &path, &before).await;

    project.write_file("Dockerfile", &sound.replace("-h\", \"/www", "-h\", \"/"));
    world.post_nothing(&format!("{path}/redeploy")).await.expect(202);
    eventually("the new one is started", async || match world.containers().await {
        both if both.len() == 2 => Ok(()),
        others => Err(others),
    })
    .await;
    cancel(&world, id, 603).await;
    eventually("the new one is gone", async || match world.containers().await {
        one if one.len() == 1 => Ok(()),
        others => Err(others),
    })
    .await;
    assert_same(&world, &path, &before).await;
    assert_eq!(newest_release(&world, &path).await["reason"], "was cancelled");
    answers(port, "one").await;
    world.close().await;
}

async fn assert_same(world: &World, path: &str, before: &Value) {
    let after = world.get(path).await.expect(200);
    for field in [
        "status",
        "container_id",
        "release_id",
        "next_release_id",
        "started_at",
        "restarts",
    ] {
        assert_eq!(after[field], before[field], "{field}");
    }
}
