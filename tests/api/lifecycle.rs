//! What happens to BorgOS and to what it deployed when it stops, is killed, or is started twice.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{
    Backend, Http, Project, Runtime, Setup, World, eventually, eventually_within, free_port, program,
};

/// After a start, no status may be a guess for longer.
const ADOPTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Deploys the project and returns the deployment's id once it runs, and a client for what was deployed.
async fn deploy(world: &World, project: &Project) -> (i64, Http) {
    let project_id = world.create_project("kept", project.path()).await;
    let port = free_port();
    let wanted = json!({"project_id": project_id, "name": "kept", "port": port});
    let created = world.post("/api/v1/deploy", &wanted).await.expect(201);
    let id = created["id"].as_i64().unwrap();
    world.deployment_is(id, "running").await;
    (id, Http::new(&format!("http://127.0.0.1:{port}"), None))
}

async fn answers(app: &Http, version: &str) {
    let what = format!("the project answers `{version}`");
    eventually(&what, async || match app.try_send(Method::GET, "/", None).await {
        Ok(answer) if answer.text == version => Ok(()),
        other => Err(other),
    })
    .await;
}

/// The promise of the whole: `kill -9` costs nobody an answer, and the next start takes over what runs.
async fn deployed_projects_survive_a_kill(setup: Setup) {
    let mut world = setup.start().await;
    let project = world.project("kept", "one");
    let (id, app) = deploy(&world, &project).await;
    answers(&app, "one").await;
    let before = world.deployment_is(id, "running").await;

    world.kill_9().await;
    assert_eq!(app.get("/").await.text, "one");

    world.boot().await;
    let path = format!("/api/v1/deployments/{id}");
    let after = eventually_within(ADOPTION_TIMEOUT, "the deployment is adopted", async || {
        let deployment = world.get(&path).await.expect(200);
        if deployment["status"] == "running" {
            Ok(deployment)
        } else {
            Err(deployment)
        }
    })
    .await;
    assert_eq!(
        after["container_id"], before["container_id"],
        "it was replaced instead of adopted"
    );
    assert_eq!(after["started_at"], before["started_at"]);
    assert_eq!(app.get("/").await.text, "one");
    world.close().await;
}

#[tokio::test]
async fn a_container_survives_a_kill_of_borgos() {
    deployed_projects_survive_a_kill(Setup::new(Runtime::Docker)).await;
}

#[tokio::test]
async fn a_process_survives_a_kill_of_borgos() {
    deployed_projects_survive_a_kill(Setup::new(Runtime::Process)).await;
}

#[tokio::test]
async fn a_container_survives_a_kill_of_borgos_on_postgresql() {
    deployed_projects_survive_a_kill(Setup::new(Runtime::Docker).backend(Backend::Postgres)).await;
}

#[tokio::test]
async fn an_orderly_stop_leaves_deployed_projects_alone() {
    let mut world = Setup::new(Runtime::Process).backend(Backend::Postgres).start().await;
    let project = world.project("kept", "one");
    let (id, app) = deploy(&world, &project).await;
    world.terminate().await;
    assert_eq!(app.get("/").await.text, "one");
    world.boot().await;
    world.deployment_is(id, "running").await;
    world.close().await;
}

#[tokio::test]
async fn a_second_server_on_one_data_directory_is_refused() {
    let world = Setup::new(Runtime::Process).start().await;
    let output = world
        .command()
        .env("BORGOS_LISTEN", format!("127.0.0.1:{}", free_port()))
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        complaint.contains(&world.data_dir().display().to_string()),
        "{complaint}"
    );
    world.get("/health").await.expect(200);
    world.close().await;
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_tells_subscribers_to_come_back() {
    let mut world = Setup::new(Runtime::Process).token("let-me-in-0123456789").start().await;
    let mut socket = world.socket().await;
    socket.subscribe(&["projects"]).await;
    let project = world.project("kept", "one");
    let id = world.create_project("kept", project.path()).await;
    let event = socket.next_event("project_created", |data| data["id"] == id).await;
    assert_eq!(event["data"]["name"], "kept");

    world.terminate().await;
    assert_eq!(u16::from(socket.closed().await.code), 1001);

    world.boot().await;
    let project = world.get(&format!("/api/v1/projects/{id}")).await.expect(200);
    assert_eq!(project["name"], "kept");
    world.close().await;
}

#[tokio::test]
async fn what_was_answered_is_known_after_a_restart() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let project = world.project("kept", "one");
    let path = format!(
        "/api/v1/projects/{}",
        world.create_project("kept", project.path()).await
    );
    let renamed = world.patch(&path, &json!({"name": "renamed"})).await;
    assert!(!renamed.header("x-request-id").is_empty());
    let renamed = renamed.expect(200);

    world.restart().await;
    assert_eq!(world.get(&path).await.expect(200)["updated_at"], renamed["updated_at"]);
    assert_eq!(renamed["name"], "renamed");
    world.close().await;
}

#[tokio::test]
async fn a_setting_that_is_not_known_is_refused_by_name() {
    let output = program().args(["serve", "--speed", "high"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("--speed"), "{complaint}");
}
