//! What a deployment is made from, and what is said when nothing comes of it.

use std::fs;

use serde_json::{Value, json};

use super::{answers, deploy};
use crate::{
    api::everywhere::everywhere,
    support::{Runtime, Setup, World, docker, eventually, free_port},
};

/// Waits for the deployment's entry in the error log.
async fn error_of(world: &World, id: i64) -> Value {
    let path = format!("/api/v1/errors?deployment_id={id}");
    eventually("the failure is in the error log", async || {
        let list = world.get(&path).await.expect(200);
        match list.get(0) {
            Some(entry) => Ok(entry.clone()),
            None => Err(list),
        }
    })
    .await
}

#[tokio::test]
async fn a_project_without_anything_to_deploy_is_refused() {
    everywhere(async |world| {
        let directory = world.data_dir().with_file_name("projects").join("empty");
        fs::create_dir(&directory).unwrap();
        let project_id = world.create_project("empty", &directory).await;
        let num_rows = world.num_rows().await;
        let body = json!({"project_id": project_id, "port": free_port()});
        let refused = world.post("/api/v1/deploy", &body).await.expect(422);
        assert_eq!(refused["code"], "NOTHING_TO_DEPLOY");
        assert_eq!(world.num_rows().await, num_rows);

        let body = json!({"project_id": 99, "port": free_port()});
        let refused = world.post("/api/v1/deploy", &body).await.expect(404);
        assert_eq!(refused["message"], "Project with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn a_build_that_fails_says_why() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = world.project("broken", "one");
    let sound = fs::read_to_string(project.path().join("Dockerfile")).unwrap();
    project.write_file("Dockerfile", &format!("{sound}RUN echo about to break && exit 3\n"));
    let port = free_port();
    let id = deploy(&world, project.path(), json!({"port": port})).await;
    let failed = world.deployment_is(id, "failed").await;
    assert!(!failed["reason"].as_str().unwrap().is_empty());
    let entry = error_of(&world, id).await;
    assert_eq!(entry["project_id"], failed["project_id"]);
    let trace = entry["stack_trace"].as_str().unwrap();
    assert!(trace.contains("about to break"), "{entry:#}");

    // Mended, the same deployment comes up.
    project.write_file("Dockerfile", &sound);
    world
        .post(&format!("/api/v1/deployments/{id}/restart"), &json!({}))
        .await
        .expect(200);
    answers(port, "one").await;
    world.close().await;
}

#[tokio::test]
async fn a_ready_image_is_deployed_without_a_build() {
    let world = Setup::new(Runtime::Docker).start().await;
    let project = world.project("imaged", "one");
    fs::remove_file(project.path().join("Dockerfile")).unwrap();
    let port = free_port();
    let command = [
        "sh",
        "-c",
        "mkdir /www && echo -n from the image >/www/index.html && httpd -f -p 9000 -h /www",
    ];
    let body = json!({"port": port, "image": docker::BASE_IMAGE, "command": command, "container_port": 9000});
    let id = deploy(&world, project.path(), body).await;
    let running = world.deployment_is(id, "running").await;
    assert_eq!(running["image"], docker::BASE_IMAGE);
    assert_eq!(
        (&running["command"], &running["container_port"]),
        (&json!(command), &json!(9000))
    );
    answers(port, "from the image").await;
    world.close().await;
}

#[tokio::test]
async fn an_explicit_health_check_must_succeed() {
    everywhere(async |world| {
        let project = world.project("checked", "one");
        let body = json!({"port": free_port(), "health_check_path": "/index.html"});
        let id = deploy(world, project.path(), body).await;
        let running = world.deployment_is(id, "running").await;
        let url = running["health_check_url"].as_str().unwrap();
        assert!(url.ends_with("/index.html"), "{url}");

        let body = json!({
            "project_id": running["project_id"], "port": free_port(), "health_check_path": "/missing",
            "health_timeout_s": 3
        });
        let created = world.post("/api/v1/deploy", &body).await.expect(201);
        let id = created["id"].as_i64().unwrap();
        let failed = world.deployment_is(id, "failed").await;
        let reason = failed["reason"].as_str().unwrap();
        assert!(reason.contains("/missing"), "{reason}");
        assert_eq!(error_of(world, id).await["deployment_id"], id);
    })
    .await;
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_not_called_running() {
    everywhere(async |world| {
        let project = world.project("fleeting", "one");
        let body = json!({"port": free_port(), "command": ["sh", "-c", "echo the last words; exit 7"]});
        let id = deploy(world, project.path(), body).await;
        let entry = error_of(world, id).await;
        let trace = entry["stack_trace"].as_str().unwrap_or_default();
        assert!(trace.contains("the last words"), "{entry:#}");
        let deployment = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
        assert_ne!(deployment["status"], "running");
        assert!(deployment["reason"].as_str().unwrap().contains('7'), "{deployment:#}");
    })
    .await;
}
