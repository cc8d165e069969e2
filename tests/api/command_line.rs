//! The program as a client of a running server.

mod scan;
mod search;

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::timeout,
};

use crate::support::{Runtime, Setup, World, eventually, free_port, program};

const TOKEN: &str = "let-me-in-0123456789";

async fn run(world: &World, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .args(arguments)
        .env("BORGOS_URL", world.base_url())
        .env("BORGOS_TOKEN", TOKEN);
    command.output().await.unwrap()
}

/// Runs a command that must succeed, and returns what it printed.
async fn printed(world: &World, arguments: &[&str]) -> String {
    let output = run(world, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_project_is_deployed_and_looked_after() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let project = world.project("handled", "one");
    let project_id = world.create_project("handled", project.path()).await.to_string();
    project.write_file("secrets.env", "API_KEY=canary\n");
    let file = project.path().join("secrets.env");
    let port = free_port().to_string();
    let deploy = [
        "deploy",
        &project_id,
        "--port",
        &port,
        "--name",
        "shop",
        "--env-file",
        file.to_str().unwrap(),
    ];
    assert_eq!(
        printed(&world, &deploy).await,
        format!("Deployment created on port {port}\ndeployment 1\n")
    );
    let row = world.deployment_is(1, "running").await;
    assert_eq!(row["environment"], json!({"API_KEY": "***"}));
    let table = printed(&world, &["deployments"]).await;
    assert!(table.contains("shop") && table.contains("running"), "{table}");
    let listed = printed(&world, &["deployments", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap()[0]["id"], 1);

    for (verb, said) in [
        ("restart", "Deployment 1 restarted\n"),
        ("stop", "Deployment 1 stopped\n"),
        ("start", "Deployment 1 started\n"),
        ("redeploy", "Deployment 1 is building release 2\n"),
    ] {
        assert_eq!(printed(&world, &[verb, "1"]).await, said);
    }
    eventually("release 2 serves", async || {
        let table = printed(&world, &["rollback", "1"]).await;
        let serves = table.lines().any(|line| line.starts_with('2') && line.ends_with("now"));
        if serves { Ok(()) } else { Err(table) }
    })
    .await;
    assert_eq!(
        printed(&world, &["rollback", "1", "1"]).await,
        "Deployment 1 runs release 1\n"
    );
    assert_eq!(run(&world, &["cancel", "1"]).await.status.code(), Some(1));
    assert_eq!(run(&world, &["stop", "9"]).await.status.code(), Some(5));
    world.close().await;
}

#[tokio::test]
async fn actors_are_shown_and_restarted() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let project = world.project("watched", "one");
    let project_id = world.create_project("watched", project.path()).await;
    let body = json!({"project_id": project_id, "port": free_port()});
    world.post("/api/v1/deploy", &body).await.expect(201);
    world.deployment_is(1, "running").await;

    let tree = printed(&world, &["actors"]).await;
    for line in ["ACTOR", "root", "└─ app", "deployment/1"] {
        assert!(tree.contains(line), "no `{line}` in\n{tree}");
    }
    let list: Value = serde_json::from_str(&printed(&world, &["actors", "--json"]).await).unwrap();
    assert_eq!(list[0]["path"], "root");

    // What the app prints is copied a moment later.
    eventually("the app's output is kept", async || {
        let log = printed(&world, &["logs", "1", "--tail", "1", "--json"]).await;
        match serde_json::from_str::<Value>(&log) {
            Ok(line) if line["release"] == 1 => Ok(()),
            Ok(_) | Err(_) => Err(log),
        }
    })
    .await;
    assert_eq!(run(&world, &["logs", "9"]).await.status.code(), Some(5));

    let said = printed(&world, &["actors", "restart", "deployment/1"]).await;
    assert!(said.starts_with("deployment/1 was restarted"), "{said}");
    let json = printed(&world, &["actors", "restart", "deployment/1", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["generation"], 3);

    for (path, code) in [("deployment/99", 5), ("root", 1), ("../projects", 2)] {
        let output = run(&world, &["actors", "restart", path]).await;
        assert_eq!(output.status.code(), Some(code), "{path}: {output:?}");
        assert!(
            output.stdout.is_empty() && output.stderr.starts_with(b"error: "),
            "{output:?}"
        );
    }
    world.close().await;
}

#[tokio::test]
async fn status_says_how_the_service_is() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let text = printed(&world, &["status"]).await;
    assert!(text.contains("service      healthy"), "{text}");
    assert!(text.contains("deployments  0 running"), "{text}");
    let status: Value = serde_json::from_str(&printed(&world, &["status", "--json"]).await).unwrap();
    assert_eq!(status["total_projects"], 0);
    world.close().await;
}

#[tokio::test]
async fn refusals_have_their_exit_codes() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    for arguments in [&["status"][..], &["actors"], &["events"]] {
        let output = program()
            .args(arguments)
            .env("BORGOS_URL", world.base_url())
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {output:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("BORGOS_TOKEN"),
            "{output:?}"
        );

        let nobody = format!("http://127.0.0.1:{}", free_port());
        let output = program()
            .args(arguments)
            .env("BORGOS_URL", &nobody)
            .output()
            .await
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(&nobody), "{output:?}");
    }
    let output = run(&world, &["actors", "--url", "ftp://example"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let output = run(&world, &["events", "--channels", "weather"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("weather"),
        "{output:?}"
    );
    world.close().await;
}

#[tokio::test]
async fn events_are_followed() {
    let mut world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let mut command = program();
    command.args(["events", "--json", "--channels", "errors"]);
    command.env("BORGOS_URL", world.base_url()).env("BORGOS_TOKEN", TOKEN);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Nothing tells when the command has subscribed, so errors are logged until it shows one.
    let mut shown = None;
    for number in 0..300 {
        let entry = json!({"error_type": "runtime", "severity": "info", "message": format!("number {number}")});
        world.post("/api/v1/errors", &entry).await.expect(201);
        if let Ok(line) = timeout(std::time::Duration::from_millis(100), lines.next_line()).await {
            shown = line.unwrap();
            break;
        }
    }
    let event: Value = serde_json::from_str(&shown.expect("no event was shown")).unwrap();
    assert_eq!(
        (&event["type"], &event["channel"]),
        (&json!("error_logged"), &json!("errors"))
    );
    assert_eq!(event["data"]["severity"], "info");

    // Who follows must know that nothing more comes.
    world.restart().await;
    assert_eq!(child.wait().await.unwrap().code(), Some(1));
    world.close().await;
}

#[tokio::test]
async fn the_doctor_finds_a_sound_setup_sound_and_a_broken_one_broken() {
    let world = Setup::new(Runtime::Docker).start().await;
    let output = world.command().arg("doctor").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    for finding in [
        "a BorgOS answers at",
        "is healthy",
        "the database answers",
        "the container engine answers",
    ] {
        assert!(text.contains(finding), "no `{finding}` in\n{text}");
    }

    let mut broken = world.command();
    broken.arg("doctor").env("DOCKER_HOST", "unix:///no/such/engine.sock");
    broken.env("BORGOS_DATA_DIR", "/proc/nowhere");
    let output = broken.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.matches("FAIL").count() >= 2 && text.contains("      -> "),
        "{text}"
    );
    world.close().await;
}
