//! The audit log: every change is one entry, whichever way it came.

use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};

use super::everywhere::on_both_databases;
use crate::support::{Http, Runtime, Setup, World, eventually, program};

const TOKEN: &str = "let-me-in-0123456789";

async fn entries(client: &Http, query: &str) -> Vec<Value> {
    let listed = client.get(&format!("/api/v1/audit?offset=0&{query}")).await.expect(200);
    let data = listed["data"].as_array().unwrap().clone();
    assert_eq!(listed["pagination"]["total"], data.len(), "{listed}");
    data
}

async fn token(world: &World, scope: &str) -> Http {
    let body = json!({"name": scope, "scope": scope});
    let created = world.post("/api/v1/tokens", &body).await.expect(201);
    world.with(Some(&format!("Bearer {}", created["token"].as_str().unwrap())))
}

#[tokio::test]
async fn a_request_that_changes_something_is_one_entry() {
    on_both_databases(async |world| {
        let project = world.project("kept", "one");
        let request = world
            .request(reqwest::Method::POST, "/api/v1/projects")
            .header("x-request-id", "mine");
        let body = json!({"name": "kept", "path": project.path()});
        let created = request.json(&body).send().await.unwrap();
        assert_eq!(created.status(), 201);
        world.get("/api/v1/projects").await.expect(200);
        world.post("/api/v1/projects", &body).await.expect(409);
        world.post("/api/v1/projects", &json!({})).await.expect(400);

        let seen = entries(world, "").await;
        let results: Vec<&Value> = seen.iter().map(|entry| &entry["result"]).collect();
        assert_eq!(results, [&json!("INVALID_FIELD"), &json!("PATH_IN_USE"), &json!("ok")]);
        let first = seen.last().unwrap();
        for (field, expected) in [
            ("actor", json!("local")),
            ("action", json!("projects.create")),
            ("target", json!("/api/v1/projects")),
            ("tool", Value::Null),
            ("source_address", json!("127.0.0.1")),
            ("request_id", json!("mine")),
            ("status", json!(201)),
        ] {
            assert_eq!(first[field], expected, "{first}");
        }
        for (query, num_expected) in [
            ("result=ok", 1),
            ("action=projects.create", 3),
            ("actor=nobody", 0),
            ("since=2020-01-01T00:00:00Z", 3),
            ("until=2020-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(entries(world, query).await.len(), num_expected, "{query}");
        }
        world.get("/api/v1/audit?who=me").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_call_of_a_tool_is_one_entry_that_names_it() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let project = world.project("kept", "one");
    world.create_project("kept", project.path()).await;
    let deploy = token(&world, "deploy").await;
    let before = entries(&world, "").await.len();

    let ask = json!({"query_type": "tool", "query": "scan project 1"});
    deploy.post("/api/v1/mcp/query", &ask).await.expect(200);
    let look = json!({"query_type": "tool", "query": "list projects"});
    deploy.post("/api/v1/mcp/query", &look).await.expect(200);
    let call = CallToolRequestParams::new("scan_project")
        .with_arguments(json!({"project_id": 1}).as_object().unwrap().clone());
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call,
    });
    let request = deploy
        .request(reqwest::Method::POST, "/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    let answer = request.json(&message).send().await.unwrap();
    assert_eq!(answer.status(), 200);

    let seen = entries(&world, "").await;
    assert_eq!(seen.len(), before + 2, "{seen:?}");
    for entry in &seen[..2] {
        assert_eq!(entry["tool"], "scan_project", "{entry}");
        assert_eq!(entry["action"], "projects.scan");
        assert_eq!(
            (&entry["actor"], &entry["result"]),
            (&json!("token:deploy"), &json!("ok"))
        );
    }
    world.close().await;
}

#[tokio::test]
async fn what_was_refused_is_in_it_too() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let reader = token(&world, "read").await;
    reader.post("/api/v1/projects", &json!({})).await.expect(403);
    reader.get("/api/v1/audit").await.expect(403);
    world
        .with(Some("Bearer wrong"))
        .get("/api/v1/projects")
        .await
        .expect(401);
    world.with(None).get("/api/v1/projects").await.expect(401);
    world
        .with_password("ada", "not her password")
        .get("/api/v1/projects")
        .await
        .expect(401);
    let seen = entries(&world, "").await;
    let brief: Vec<(&str, &str, &str)> = seen
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap();
            (text("actor"), text("action"), text("result"))
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("unproven user:ada", "auth.login", "UNAUTHORIZED"),
            ("unknown", "auth.login", "UNAUTHORIZED"),
            ("token:read", "projects.create", "INSUFFICIENT_SCOPE"),
            ("bootstrap-token", "tokens.create", "ok"),
        ]
    );
    world.close().await;
}

#[tokio::test]
async fn the_command_line_is_in_it_with_and_without_the_service() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for arguments in [&["--local"][..], &[]] {
        let mut command = program();
        command
            .args(["token", "create", "--name", "x", "--scope", "read"])
            .args(arguments)
            .env("BORGOS_URL", world.base_url())
            .env("BORGOS_DATA_DIR", world.data_dir())
            .env("BORGOS_TOKEN", TOKEN);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let seen = entries(&world, "action=tokens.create&result=ok").await;
    let actors: Vec<&str> = seen.iter().map(|entry| entry["actor"].as_str().unwrap()).collect();
    assert_eq!(actors, ["bootstrap-token", "command-line:uid-0"]);
    world.close().await;
}

#[tokio::test]
async fn what_a_kill_interrupts_stays_unknown() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let project = world.project("kept", "one");
    let id = world.create_project("kept", project.path()).await;
    // A start that waits for an app that never listens.
    project.write_file("Procfile", "web: sleep 1000\n");
    let port = crate::support::free_port();
    world
        .post("/api/v1/deploy", &json!({"project_id": id, "port": port}))
        .await
        .expect(201);
    let restart = world.with(None);
    let waiting = tokio::spawn(async move {
        restart
            .try_send(reqwest::Method::POST, "/api/v1/deployments/1/restart", None)
            .await
    });
    eventually("the restart is begun", async || {
        match entries(&world, "action=deployments.restart&result=unknown").await.len() {
            1 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    world.kill_9().await;
    assert!(waiting.await.unwrap().is_err());
    world.boot().await;
    let seen = entries(&world, "action=deployments.restart").await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (&seen[0]["result"], &seen[0]["status"]),
        (&json!("unknown"), &Value::Null)
    );
    world.close().await;
}
