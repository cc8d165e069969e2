//! Agent Zero over REST: its life, what it prints, what it can do.

mod prompts;
mod starting;
mod tasks;

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::documented::assert_documented;
use crate::support::{Runtime, Setup, StandIn, World, eventually, program};

const DOCUMENTED: [&str; 10] = [
    "code_execution",
    "web_browsing",
    "file_operations",
    "shell_commands",
    "memory_management",
    "task_scheduling",
    "multi_agent_coordination",
    "knowledge_retrieval",
    "image_analysis",
    "api_integration",
];

/// Starts a world that knows of the stand-in.
async fn world_of(stand_in: &StandIn) -> World {
    stand_in.introduce(Setup::new(Runtime::Process)).start().await
}

async fn status(world: &World) -> Value {
    world.get("/api/v1/agent-zero/status").await.expect(200)
}

async fn start(world: &World) -> Value {
    world.post_nothing("/api/v1/agent-zero/start").await.expect(200)
}

/// Stops it, checks that nothing of it is left, and ends the world.
async fn close(world: World, stand_in: &StandIn) {
    world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
    stand_in.assert_gone();
    world.close().await;
}

async fn status_is(world: &World, state: &str) -> Value {
    eventually(&format!("Agent Zero is {state}"), async || match status(world).await {
        status if status["state"] == state => Ok(status),
        status => Err(status),
    })
    .await
}

#[tokio::test]
async fn without_an_installation_everything_says_so() {
    let world = Setup::new(Runtime::Process).start().await;
    let shown = status(&world).await;
    assert_eq!(
        (&shown["running"], &shown["directory"], &shown["ui_url"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    for verb in ["start", "restart"] {
        let refused = world
            .post_nothing(&format!("/api/v1/agent-zero/{verb}"))
            .await
            .expect(409);
        assert_eq!(refused["code"], "AGENT_ZERO_NOT_CONFIGURED");
        assert!(
            refused["message"].as_str().unwrap().contains("BORGOS_AGENT_ZERO_DIR"),
            "{refused}"
        );
    }
    world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
    let names = world.get("/api/v1/agent-zero/capabilities").await.expect(200);
    assert_eq!(names, json!(DOCUMENTED));
    let detail = world
        .get("/api/v1/agent-zero/capabilities?detail=true")
        .await
        .expect(200);
    assert!(
        detail.as_array().unwrap().iter().all(|one| one["verified"] == false),
        "{detail}"
    );
    assert_eq!(
        world.get("/api/v1/agent-zero/logs").await.expect(200),
        json!({"lines": []})
    );
    for query in [
        "logs?tail=0",
        "logs?tail=201",
        "logs?lines=5",
        "capabilities?detail=1",
        "status?x=1",
    ] {
        let refused = world.get(&format!("/api/v1/agent-zero/{query}")).await.expect(400);
        assert_eq!(refused["code"], "INVALID_FIELD", "{query}");
    }
    world.close().await;
}

#[tokio::test]
async fn it_is_started_shown_restarted_and_stopped() {
    let stand_in = StandIn::install(&json!({"start_seconds": 0.5}));
    let world = world_of(&stand_in).await;
    let mut socket = world.socket().await;
    socket
        .send(&json!({"type": "subscribe", "channels": ["agent-zero"], "ref": 1}))
        .await;
    assert_eq!(socket.next().await["type"], "ack");

    let url = format!("http://localhost:{}", stand_in.port);
    let started = start(&world).await;
    let documented = json!({"success": true, "status": {"running": true, "port": 8085, "ui_url": url}});
    assert_documented(&started, &documented);
    assert_eq!(
        (&started["success"], &started["status"]["ui_url"]),
        (&json!(true), &json!(url))
    );
    let shown = status(&world).await;
    let documented = json!({
        "running": true, "port": 8085, "process_id": 12345, "directory": "/Users/ai/agent-zero", "ui_url": url
    });
    assert_documented(&shown, &documented);
    assert_eq!(
        (&shown["version"], &shown["state"]),
        (&json!("v1.7"), &json!("running"))
    );
    // A second start is none.
    assert_eq!(start(&world).await["status"]["process_id"], shown["process_id"]);
    socket
        .next_event("agent_zero_status", |data| data["state"] == "starting")
        .await;
    socket
        .next_event("agent_zero_status", |data| data["running"] == true)
        .await;

    let restarted = world.post_nothing("/api/v1/agent-zero/restart").await.expect(200);
    assert_eq!(restarted["status"]["running"], true);
    assert_ne!(restarted["status"]["process_id"], shown["process_id"]);
    assert_eq!(restarted["status"]["restarts"], 0);

    let stopped = world.post_nothing("/api/v1/agent-zero/stop").await.expect(200);
    assert_eq!(stopped, json!({"success": true}));
    stand_in.assert_gone();
    let shown = status(&world).await;
    assert_eq!((&shown["running"], &shown["ui_url"]), (&json!(false), &Value::Null));
    assert_eq!(
        (&shown["state"], &shown["process_id"]),
        (&json!("stopped"), &Value::Null)
    );
    socket
        .next_event("agent_zero_status", |data| data["state"] == "stopped")
        .await;
    let errors = world.get("/api/v1/errors").await.expect(200);
    assert_eq!(errors, json!([]), "an end that was asked for is no error");
    let marks: Vec<_> = stand_in
        .ledger()
        .iter()
        .map(|entry| entry["dockerized"].clone())
        .collect();
    assert_eq!(marks, ["true", "true"]);
    close(world, &stand_in).await;
}

#[tokio::test]
async fn what_it_prints_is_shown_without_colours_and_secrets_and_its_errors_are_logged() {
    let stand_in = StandIn::install(&json!({}));
    stand_in.write("usr/.env", "API_KEY_X=canary-from-env-file\n");
    let world = world_of(&stand_in).await;
    start(&world).await;
    stand_in.tell("complain").await;
    let errors = eventually("both errors are in the log", async || {
        let errors = world.get("/api/v1/errors").await.expect(200);
        match errors.as_array().map(Vec::len) {
            Some(2) => Ok(errors),
            _ => Err(errors),
        }
    })
    .await;
    assert_eq!(errors[0]["error_type"], "rate_limited", "{errors:#}");
    assert!(
        errors[0]["stack_trace"].as_str().unwrap().starts_with("Traceback"),
        "{errors:#}"
    );
    assert!(
        errors[1]["message"].as_str().unwrap().contains("the model says no"),
        "{errors:#}"
    );

    stand_in.tell("flood 1000").await;
    let logs = eventually("the flood is over", async || {
        let logs = world.get("/api/v1/agent-zero/logs").await.expect(200);
        let lines = logs["lines"].as_array().cloned().unwrap_or_default();
        match lines.last() {
            Some(last) if last == "the flood is over" => Ok(lines),
            last => Err(last.cloned()),
        }
    })
    .await;
    assert_eq!(logs.len(), 200);
    let tail = world.get("/api/v1/agent-zero/logs?tail=1").await.expect(200);
    assert_eq!(tail, json!({"lines": ["the flood is over"]}));
    let shown = format!("{errors} {logs:?}");
    assert!(!shown.contains("canary") && !shown.contains('\u{1b}'), "{shown}");
    let records = world.data_dir().join("agent-zero/processes");
    assert!(bytes_below(&records) < 12 * 1024 * 1024, "a flood fills the disk");
    close(world, &stand_in).await;
}

#[tokio::test]
async fn it_is_looked_after_from_the_command_line() {
    let stand_in = StandIn::install(&json!({}));
    let world = world_of(&stand_in).await;
    let run = async |arguments: &[&str]| {
        let mut command = program();
        command
            .arg("agent-zero")
            .args(arguments)
            .env("BORGOS_URL", world.base_url());
        let output = command.output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    };
    let page = format!("page       http://localhost:{}\n", stand_in.port);
    let (code, text) = run(&["start"]).await;
    assert!(
        code == Some(0) && text.starts_with("state      running\n") && text.contains(&page),
        "{text}"
    );
    let (code, text) = run(&["status", "--json"]).await;
    assert_eq!(
        (code, serde_json::from_str::<Value>(&text).unwrap()),
        (Some(0), status(&world).await)
    );
    let (code, text) = run(&["logs", "--tail", "1"]).await;
    assert_eq!((code, text.as_str()), (Some(0), "Agent Zero is running.\n"));

    let mut command = program();
    command
        .args(["agent-zero", "logs", "--follow"])
        .env("BORGOS_URL", world.base_url());
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut told = false;
    while let Some(line) = lines.next_line().await.unwrap() {
        match line.as_str() {
            "Agent Zero is running." => {
                stand_in.tell("flood 1").await;
                told = true;
            }
            "the flood is over" => break,
            _ => {}
        }
    }
    assert!(told);
    following.kill().await.unwrap();

    let context = r#"{"place": "here"}"#;
    let (code, text) = run(&[
        "execute",
        "--type",
        "chat",
        "--context",
        context,
        "--watch",
        "say hello",
    ])
    .await;
    assert!(code == Some(0) && text.contains("state        completed"), "{text}");
    assert!(text.contains("done: hello"), "{text}");
    assert_eq!(
        run(&["execute", "say more"]).await,
        (Some(0), "task 2 is queued\n".to_owned())
    );
    assert_eq!(run(&["execute", "--context", "[]", "x"]).await.0, Some(2));

    let (code, text) = run(&["stop"]).await;
    assert_eq!((code, text.as_str()), (Some(0), "Agent Zero is stopped\n"));
    stand_in.write_python("#!/bin/sh\necho 3 11\n");
    assert_eq!(run(&["start"]).await.0, Some(1));
    close(world, &stand_in).await;
}

fn bytes_below(directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let size = |path: std::path::PathBuf| match path.is_dir() {
        true => bytes_below(&path),
        false => path.metadata().map_or(0, |metadata| metadata.len()),
    };
    entries.map(size).sum()
}

#[tokio::test]
async fn what_it_can_do_is_found_in_its_files() {
    let stand_in = StandIn::install(&json!({}));
    for file in [
        "tools/code_execution_tool.py",
        "tools/call_subordinate.py",
        "plugins/_memory/.toggle-0",
    ] {
        stand_in.write(file, "");
    }
    let world = world_of(&stand_in).await;
    let names = world.get("/api/v1/agent-zero/capabilities").await.expect(200);
    let expected = [
        "code_execution",
        "file_operations",
        "shell_commands",
        "multi_agent_coordination",
    ];
    assert_eq!(names, json!(expected));
    let detail = world
        .get("/api/v1/agent-zero/capabilities?detail=true")
        .await
        .expect(200);
    assert_eq!(detail.as_array().unwrap().len(), DOCUMENTED.len());
    assert!(
        detail.as_array().unwrap().iter().all(|one| one["verified"] == true),
        "{detail}"
    );
    // Asked while it runs, where the stand-in knows nothing.
    start(&world).await;
    assert_eq!(
        world.get("/api/v1/agent-zero/capabilities").await.expect(200),
        json!(expected)
    );
    close(world, &stand_in).await;
}
