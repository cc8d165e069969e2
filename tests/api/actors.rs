//! The actors as operators see them.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{documented::assert_documented, everywhere::everywhere};
use crate::support::{Http, Runtime, Setup, World, free_port};

/// What an operator is told of an actor.
fn documented() -> Value {
    json!({
        "path": "deployment/1", "parent": null, "kind": "deployment", "subject": null, "state": "running",
        "generation": 1, "restarts_total": 0, "restarts_in_window": null, "restart_budget": null,
        "restart_window_seconds": null, "next_restart_at": null, "last_exit": null,
        "started_at": "2024-01-15T09:00:00Z", "uptime_seconds": 1, "queue_depth": 0, "queue_limit": 1,
        "current_message": null, "busy_for_ms": null, "handled": 0
    })
}

async fn deployed(world: &World) -> (Value, Http) {
    let project = world.project("watched", "one");
    let project_id = world.create_project("watched", project.path()).await;
    let port = free_port();
    let body = json!({"project_id": project_id, "port": port});
    world.post("/api/v1/deploy", &body).await.expect(201);
    let deployment = world.deployment_is(1, "running").await;
    (deployment, Http::new(&format!("http://127.0.0.1:{port}"), None))
}

/// Returns the tree as README.md draws it: each actor's depth and path.
fn drawn_in_readme() -> Vec<(usize, String)> {
    let readme = include_str!("../../README.md");
    let lines = readme.lines().skip_while(|line| !line.starts_with("root ("));
    lines
        .take_while(|line| *line != "```")
        .map(|line| {
            let name = line.trim_start_matches([' ', '│', '├', '└', '─']);
            let depth = (line.chars().count() - name.chars().count()) / 3;
            let path = name.split(' ').next().unwrap_or_default();
            (depth, path.replace('…', "1"))
        })
        .collect()
}

/// Returns the tree as the API lists it, in the same form.
fn drawn(actors: &[Value]) -> Vec<(usize, String)> {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    actors
        .iter()
        .map(|actor| {
            let path = actor["path"].as_str().expect("an actor has a path");
            let parent = actor["parent"].as_str();
            let depth = parent.map_or(0, |parent| depths[parent] + 1);
            depths.insert(path, depth);
            (depth, path.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_list_is_the_tree() {
    let world = Setup::new(Runtime::Process).start().await;
    deployed(&world).await;
    let list = world.get("/api/v1/actors").await.expect(200);
    assert_documented(&list, &json!([documented()]));
    let actors = list.as_array().unwrap();
    assert_eq!(
        (&actors[0]["path"], &actors[0]["parent"]),
        (&json!("root"), &Value::Null)
    );
    assert_eq!(drawn_in_readme(), drawn(actors), "README.md's drawing of the tree");
    let mut above = HashSet::from(["root"]);
    for actor in &actors[1..] {
        assert!(
            above.contains(actor["parent"].as_str().unwrap()),
            "not depth first: {list:#}"
        );
        assert!(above.insert(actor["path"].as_str().unwrap()), "listed twice: {actor}");
        assert_eq!(actor["state"], "running");
    }
    for (path, parent) in [
        ("store-watch", "root"),
        ("app", "root"),
        ("event-bus", "app"),
        ("deployments", "app"),
        ("reconciler", "deployments"),
        ("deployment/1", "deployments"),
    ] {
        let actor = actors.iter().find(|actor| actor["path"] == path);
        assert_eq!(actor.unwrap_or_else(|| panic!("no {path}: {list:#}"))["parent"], parent);
    }
    world.close().await;
}

#[tokio::test]
async fn a_restart_replaces_the_actor_and_not_what_it_looks_after() {
    everywhere(async |world| {
        let (before, app) = deployed(world).await;
        let shown = world.get("/api/v1/actors/deployment/1").await.expect(200);
        assert_documented(&shown, &documented());
        assert_eq!((&shown["subject"], &shown["kind"]), (&json!(1), &json!("deployment")));

        let mut socket = world.socket().await;
        socket
            .send(&json!({"type": "subscribe", "channels": ["actors"], "ref": 1}))
            .await;
        assert_eq!(socket.next().await["type"], "ack");
        let restarted = world
            .post("/api/v1/actors/deployment/1/restart", &json!({}))
            .await
            .expect(200);
        assert!(
            restarted["generation"].as_i64() > shown["generation"].as_i64(),
            "{restarted}"
        );
        let event = socket
            .next_event("actor_started", |data| data["path"] == "deployment/1")
            .await;
        assert_eq!(event["data"]["generation"], restarted["generation"]);

        assert_eq!(app.get("/").await.text, "one");
        let after = world.deployment_is(1, "running").await;
        for kept in ["container_id", "started_at", "generation", "restarts"] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_actor_but_the_root_can_be_restarted() {
    let world = Setup::new(Runtime::Process).start().await;
    let (before, app) = deployed(&world).await;
    let list = world.get("/api/v1/actors").await.expect(200);
    for actor in &list.as_array().unwrap()[1..] {
        let path = actor["path"].as_str().unwrap();
        let answer = world.post(&format!("/api/v1/actors/{path}/restart"), &json!({})).await;
        assert_eq!(answer.expect(200)["path"], path);
        world.get("/health").await.expect(200);
    }
    assert_eq!(app.get("/").await.text, "one");
    let after = world.deployment_is(1, "running").await;
    assert_eq!(after["started_at"], before["started_at"]);
    let project = world.project("later", "one");
    world.create_project("later", project.path()).await;
    world.close().await;
}

#[tokio::test]
async fn what_cannot_be_restarted_says_so() {
    let world = Setup::new(Runtime::Process).start().await;
    let unknown = world
        .post("/api/v1/actors/deployment/99/restart", &json!({}))
        .await
        .expect(404);
    assert_eq!(unknown["message"], "Actor with id deployment/99 not found");
    let unknown = world.get("/api/v1/actors/nobody").await.expect(404);
    assert_eq!(unknown["message"], "Actor with id nobody not found");
    let root = world.post("/api/v1/actors/root/restart", &json!({})).await.expect(409);
    assert_eq!(root["code"], "ACTOR_NOT_RESTARTABLE");
    for path in ["/api/v1/actors/a%20b", "/api/v1/actors/deployment/1;2"] {
        assert_eq!(world.get(path).await.expect(400)["code"], "INVALID_FIELD", "{path}");
    }
    world.close().await;
}
