//! From `POST /api/v1/deploy` to `DELETE`, as documented.

use serde_json::{Value, json};

use super::{answers, assert_silent, deploy};
use crate::{
    api::{documented::assert_documented, everywhere::everywhere},
    support::{Runtime, Setup, World, free_port},
};

/// The documented deployment, but for the container's id, which a process does not have.
fn documented() -> Value {
    json!({
        "id": 1, "project_id": 1, "name": "myproject-prod", "port": 8090, "status": "running", "container_id": null,
        "url": "http://localhost:8090", "health_check_url": "http://localhost:8090/health",
        "environment": {"NODE_ENV": "production"}, "cpu_limit": "1", "memory_limit": "512m",
        "started_at": "2024-01-15T09:00:00Z"
    })
}

fn request(port: u16) -> Value {
    json!({
        "name": "myproject-staging", "port": port, "environment": {"NODE_ENV": "staging", "API_KEY": "canary"},
        "cpu_limit": "0.5", "memory_limit": "256m"
    })
}

#[tokio::test]
async fn a_deployment_lives_and_dies_as_documented() {
    everywhere(async |world| {
        let directory = world.project("staging", "one");
        let port = free_port();
        let id = deploy(world, directory.path(), request(port)).await;
        let path = format!("/api/v1/deployments/{id}");
        let running = world.deployment_is(id, "running").await;
        answers(port, "one").await;
        assert_body(world, &running, port).await;

        let stopped = world
            .post(&format!("/api/v1/deployments/{id}/stop"), &json!({}))
            .await
            .expect(200);
        assert_eq!(stopped["message"], format!("Deployment {id} stopped"));
        assert_silent(port).await;
        let deployment = world.get(&path).await.expect(200);
        assert_eq!(
            (&deployment["status"], &deployment["desired"]),
            (&json!("stopped"), &json!("stopped"))
        );

        let restarted = world
            .post(&format!("/api/v1/deployments/{id}/restart"), &json!({}))
            .await
            .expect(200);
        assert_eq!(restarted["message"], format!("Deployment {id} restarted"));
        answers(port, "one").await;
        let again = world.deployment_is(id, "running").await;
        assert!(again["generation"].as_i64() > running["generation"].as_i64());

        let restarted = world
            .post(&format!("/api/v1/deployments/{id}/restart"), &json!({}))
            .await
            .expect(200);
        assert_eq!(
            restarted["message"],
            format!("Deployment {id} restarted"),
            "what runs is replaced"
        );
        answers(port, "one").await;

        world.delete(&path).await.expect(200);
        assert_silent(port).await;
        assert_gone(world, id).await;
        let mut same = request(port);
        same["project_id"] = running["project_id"].clone();
        let created = world.post("/api/v1/deploy", &same).await.expect(201);
        assert_ne!(created["id"], id, "name and port are free again, the id is not");
        world.deployment_is(created["id"].as_i64().unwrap(), "running").await;
    })
    .await;
}

async fn assert_body(world: &World, running: &Value, port: u16) {
    assert_documented(running, &documented());
    assert_eq!(running["url"], format!("http://localhost:{port}"));
    assert_eq!(running["health_check_url"], format!("http://localhost:{port}/health"));
    assert_eq!(running["environment"], json!({"NODE_ENV": "staging", "API_KEY": "***"}));
    assert_eq!(running["reason"], Value::Null, "what is well needs no reason");
    match world.runtime() {
        Runtime::Docker => {
            let id = running["container_id"].as_str().unwrap();
            let containers = world.containers().await;
            assert!(
                containers.len() == 1 && containers[0].starts_with(id),
                "{id} is not {containers:?}"
            );
        }
        Runtime::Process => assert_eq!(running["runtime"], "process"),
    }
    let list = world.get("/api/v1/deployments").await.expect(200);
    assert_documented(&list, &json!([documented()]));
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["container_id"], running["container_id"]);
}

async fn assert_gone(world: &World, id: i64) {
    let path = format!("/api/v1/deployments/{id}");
    for answer in [
        world.get(&path).await,
        world.delete(&path).await,
        world.post(&format!("{path}/stop"), &json!({})).await,
        world.post(&format!("{path}/restart"), &json!({})).await,
    ] {
        assert_eq!(
            answer.expect(404)["message"],
            format!("Deployment with id {id} not found")
        );
    }
    assert_eq!(world.get("/api/v1/deployments").await.expect(200), json!([]));
}

#[tokio::test]
async fn the_documented_texts_are_exact() {
    let world = Setup::new(Runtime::Process).start().await;
    let directory = world.project("staging", "one");
    assert_eq!(deploy(&world, directory.path(), json!({"port": free_port()})).await, 1);
    let mut body = request(8091);
    body["project_id"] = json!(1);
    let answer = world.post("/api/v1/deploy", &body).await;
    assert_eq!(answer.header("location"), "/api/v1/deployments/2");
    assert_eq!(
        answer.expect(201),
        json!({"message": "Deployment created on port 8091", "id": 2})
    );
    world.deployment_is(2, "running").await;
    let stopped = world.post("/api/v1/deployments/2/stop", &json!({})).await.expect(200);
    assert_eq!(stopped, json!({"message": "Deployment 2 stopped"}));
    let restarted = world
        .post("/api/v1/deployments/2/restart", &json!({}))
        .await
        .expect(200);
    assert_eq!(restarted, json!({"message": "Deployment 2 restarted"}));
    world.close().await;
}

#[tokio::test]
async fn stop_and_restart_need_no_body() {
    let world = Setup::new(Runtime::Process).start().await;
    let directory = world.project("bodiless", "one");
    let id = deploy(&world, directory.path(), json!({"port": free_port()})).await;
    world.deployment_is(id, "running").await;
    for verb in ["stop", "stop", "restart"] {
        let path = format!("/api/v1/deployments/{id}/{verb}");
        world
            .try_send(reqwest::Method::POST, &path, None)
            .await
            .unwrap()
            .expect(200);
    }
    world.close().await;
}

#[tokio::test]
async fn deployments_are_filtered_and_paged_as_documented() {
    let world = Setup::new(Runtime::Process).start().await;
    let directory = world.project("filtered", "one");
    let port = free_port();
    let first = deploy(&world, directory.path(), json!({"port": port, "name": "first"})).await;
    for name in ["second", "third"] {
        let body = json!({"project_id": 1, "port": free_port(), "name": name});
        world.post("/api/v1/deploy", &body).await.expect(201);
    }
    for id in 1..=3 {
        world.deployment_is(id, "running").await;
    }
    world
        .post(&format!("/api/v1/deployments/{first}/stop"), &json!({}))
        .await
        .expect(200);
    let port_filter = format!("port={port}");
    for (query, expected) in [
        ("status=running&project_id=1", &[2, 3][..]),
        ("status=stopped", &[1]),
        ("status=crash_looping", &[]),
        ("project_id=2", &[]),
        ("name=second", &[2]),
        (&port_filter, &[1]),
        ("limit=2", &[1, 2]),
    ] {
        let list = world.get(&format!("/api/v1/deployments?{query}")).await.expect(200);
        let ids: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    let page = world.get("/api/v1/deployments?limit=1&offset=1").await.expect(200);
    assert_eq!(
        page["pagination"],
        json!({"total": 3, "limit": 1, "offset": 1, "has_more": true})
    );
    assert_eq!(page["data"][0]["name"], "second");
    world.close().await;
}
