//! What deployments printed outlives what printed it.

use std::time::Duration;

use reqwest::{Method, Response, header::ACCEPT};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{answers, deploy};
use crate::{
    api::everywhere::everywhere,
    support::{Runtime, Setup, World, eventually, eventually_within, free_port},
};

const CHUNK_TIMEOUT: Duration = Duration::from_secs(20);

/// A command that runs this in a shell and then serves the project.
pub(super) fn saying(world: &World, script: &str) -> Value {
    let server = match world.runtime() {
        Runtime::Docker => "exec httpd -f -p 8080 -h /www",
        // It would say something about each request.
        Runtime::Process => "exec python3 server.py 2>/dev/null",
    };
    json!(["sh", "-c", format!("{script}; {server}")])
}

/// Waits until the log is this.
pub(super) async fn log_is(world: &World, path: &str, lines: &[&str]) {
    eventually("the log is complete", async || {
        let log = world.get(path).await;
        let is_same = log.text.lines().eq(lines.iter().copied());
        if is_same { Ok(()) } else { Err(log.text) }
    })
    .await;
}

#[tokio::test]
async fn what_is_printed_is_kept_for_each_release_without_its_secrets() {
    everywhere(async |world| {
        let project = world.project("talkative", "one");
        let command = saying(world, "echo hello $API_KEY; echo problem >&2; echo");
        let body = json!({"port": free_port(), "environment": {"API_KEY": "canary-5"}, "command": command});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        world.deployment_is(id, "running").await;
        let expected = ["", "hello ***", "problem"];
        eventually("all has been read", async || {
            let log = world.get(&format!("{path}/logs")).await;
            // An engine reads two pipes, in no particular order.
            let mut lines: Vec<&str> = log.text.lines().collect();
            lines.sort_unstable();
            if lines == expected { Ok(()) } else { Err(log.text) }
        })
        .await;

        world.post(&format!("{path}/stop"), &json!({})).await.expect(200);
        let kept = world.get(&format!("{path}/logs")).await;
        assert_eq!(kept.text.lines().count(), 3, "{}", kept.text);
        assert_eq!(kept.header("content-type"), "text/plain; charset=utf-8");
        world.post(&format!("{path}/redeploy"), &json!({})).await.expect(202);
        world.deployment_is(id, "running").await;
        eventually("both releases have a log", async || {
            let log = world.get(&format!("{path}/logs?format=json")).await.text;
            let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let of = |release: i64| lines.iter().filter(|line| line["release"] == release).count();
            if (of(1), of(2)) == (3, 3) { Ok(()) } else { Err(log) }
        })
        .await;
        assert_selections(world, &path).await;
        let files = std::process::Command::new("grep")
            .args(["-rl", "canary-5"])
            .arg(world.data_dir().join("logs"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&files.stdout), "");
    })
    .await;
}

async fn assert_selections(world: &World, path: &str) {
    let first = world.get(&format!("{path}/logs?release=1")).await.text;
    assert_eq!(first.lines().count(), 3);
    assert_eq!(world.get(&format!("{path}/logs?tail=2")).await.text.lines().count(), 2);
    assert_eq!(world.get(&format!("{path}/logs?tail=0")).await.text, "");
    assert_eq!(
        world.get(&format!("{path}/logs?since=2100-01-01T00:00:00Z")).await.text,
        ""
    );
    let since = world
        .get(&format!("{path}/logs?since=2000-01-01T00:00:00Z&release=2"))
        .await;
    assert_eq!(since.text.lines().count(), 3);
    let request = world.request(Method::GET, &format!("{path}/logs?tail=1"));
    let answer = request.header(ACCEPT, "application/x-ndjson").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let line: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(line["at"].is_string() && line["message"].is_string(), "{line}");
    for (query, status) in [
        ("release=9", 404),
        ("tail=-1", 400),
        ("format=xml", 400),
        ("lines=3", 400),
    ] {
        world.get(&format!("{path}/logs?{query}")).await.expect(status);
    }
    world.get("/api/v1/deployments/99/logs").await.expect(404);
}

/// Reads on until the text holds this.
async fn heard(answer: &mut Response, text: &mut String, wanted: &str) {
    while !text.contains(wanted) {
        let chunk = timeout(CHUNK_TIMEOUT, answer.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no `{wanted}` in {text:?}"));
        let chunk = chunk.unwrap().expect("the log goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test]
async fn a_follower_is_told_what_comes_until_the_deployment_is_deleted() {
    everywhere(async |world| {
        let project = world.project("followed", "one");
        let port = free_port();
        let body = json!({"port": port, "command": saying(world, "echo begun")});
        let id = deploy(world, project.path(), body).await;
        let path = format!("/api/v1/deployments/{id}");
        answers(port, "one").await;
        log_is(world, &format!("{path}/logs?tail=1"), &["begun"]).await;

        let follow = world.request(Method::GET, &format!("{path}/logs?follow=true&format=json"));
        let mut follower = follow.send().await.unwrap();
        let mut text = String::new();
        heard(&mut follower, &mut text, "\"generation\":1").await;
        world.post(&format!("{path}/restart"), &json!({})).await.expect(200);
        heard(&mut follower, &mut text, "\"message\":\"begun\",\"release\":1").await;
        eventually("the new instance is heard", async || {
            let generation = world.get(&path).await.expect(200)["generation"].clone();
            heard(&mut follower, &mut text, &format!("\"generation\":{generation}")).await;
            Ok::<(), ()>(())
        })
        .await;
        world.delete(&path).await.expect(200);
        let end = timeout(CHUNK_TIMEOUT, async {
            while let Some(chunk) = follower.chunk().await.unwrap() {
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
        });
        end.await.expect("the log ends with the deployment");
    })
    .await;
}

#[tokio::test]
async fn a_log_goes_on_where_it_was_after_a_crash() {
    for runtime in [Runtime::Docker, Runtime::Process] {
        let mut world = Setup::new(runtime).start().await;
        let project = world.project("surviving", "one");
        let script = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; busybox sleep 0.1; done";
        let command = saying(&world, &format!("({script}) &"));
        let command = json!([command[0], command[1], command[2].as_str().unwrap().replace("&;", "&")]);
        let id = deploy(&world, project.path(), json!({"port": free_port(), "command": command})).await;
        world.deployment_is(id, "running").await;
        world.kill_9().await;
        world.boot().await;
        let lines: Vec<String> = (1..=40).map(|number| format!("line {number}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        log_is(&world, &format!("/api/v1/deployments/{id}/logs"), &lines).await;
        world.close().await;
    }
}

/// Names a size of the flood other than what a test beside others can afford, such as 1000000000.
const FLOOD_VARIABLE: &str = "BORGOS_TEST_FLOOD_BYTES";

#[tokio::test]
async fn a_flood_neither_holds_up_the_app_nor_grows_beyond_the_cap() {
    for runtime in [Runtime::Docker, Runtime::Process] {
        let world = Setup::new(runtime).start().await;
        let project = world.project("flooding", "one");
        // Long lines: each costs something, and beside other tests there is little to spend.
        let line = "0".repeat(1000);
        let num_bytes = std::env::var(FLOOD_VARIABLE).unwrap_or_else(|_| "20000000".to_owned());
        let flood = format!("busybox yes {line} | busybox head -c {num_bytes}; echo; echo the end");
        let port = free_port();
        let body = json!({"port": port, "command": saying(&world, &flood), "health_timeout_s": 120});
        let id = deploy(&world, project.path(), body).await;
        let two_minutes = Duration::from_secs(120);
        eventually_within(two_minutes, "the app has printed all and serves", async || {
            let row = world.get(&format!("/api/v1/deployments/{id}")).await.expect(200);
            if row["status"] == "running" { Ok(()) } else { Err(row) }
        })
        .await;
        let log = format!("/api/v1/deployments/{id}/logs?tail=1");
        eventually_within(two_minutes, "the end is kept", async || {
            match world.get(&log).await.text {
                end if end == "the end\n" => Ok(()),
                other => Err(other),
            }
        })
        .await;
        let logs = std::fs::read_dir(world.data_dir().join(format!("logs/{id}"))).unwrap();
        let num_bytes: u64 = logs.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(num_bytes <= 10 * 1024 * 1024, "{num_bytes}");
        world.close().await;
    }
}
