//! `/health`, `/api/v1/status`, and what holds for every answer: errors, request ids and the rate limit.

use std::{
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, Method};
use serde_json::json;

use super::{documented::assert_documented, everywhere::everywhere};
use crate::support::{Answer, Runtime, Setup, eventually, free_port};

#[tokio::test]
async fn health_and_status_are_as_documented() {
    everywhere(async |world| {
        let health = world.get("/health?probe=1").await.expect(200);
        assert_documented(
            &health,
            &json!({"status": "healthy", "timestamp": "2024-01-15T10:30:00Z"}),
        );
        assert_eq!(health["status"], "healthy");

        let active = world.project("active", "one");
        let idle = world.project("idle", "one");
        let project_id = world.create_project("active", active.path()).await;
        let idle_id = world.create_project("idle", idle.path()).await;
        let idle_path = format!("/api/v1/projects/{idle_id}");
        world.patch(&idle_path, &json!({"is_active": false})).await.expect(200);
        let wanted = json!({"project_id": project_id, "port": free_port()});
        let created = world.post("/api/v1/deploy", &wanted).await.expect(201);
        world.deployment_is(created["id"].as_i64().unwrap(), "running").await;
        let entry = json!({"error_type": "runtime", "severity": "error", "message": "x"});
        world.post("/api/v1/errors", &entry).await.expect(201);

        let status = world.get("/api/v1/status").await.expect(200);
        let example = json!({
            "cpu_percent": 45.2, "memory_percent": 62.5, "disk_percent": 38.9, "active_deployments": 5,
            "total_projects": 12, "recent_errors": 3, "uptime_seconds": 86400
        });
        assert_documented(&status, &example);
        for percent in ["cpu_percent", "memory_percent", "disk_percent"] {
            let value = status[percent].as_f64().unwrap();
            assert!((0.0..=100.0).contains(&value), "{percent}: {value}");
        }
        assert!(status["memory_percent"].as_f64() > Some(0.0));
        assert_eq!(status["active_deployments"], 1);
        assert_eq!(status["total_projects"], 1);
        assert_eq!(status["recent_errors"], 1);
        assert_machine_uptime(status["uptime_seconds"].as_f64().unwrap());
    })
    .await;
}

/// Compares with what the kernel says. The status is a sample of a few seconds ago at most.
fn assert_machine_uptime(seconds: f64) {
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    let actual: f64 = text.split(' ').next().unwrap().parse().unwrap();
    assert!((actual - seconds).abs() < 15.0, "{seconds} instead of {actual}");
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_every_error_the_one_body() {
    let world = Setup::new(Runtime::Process).start().await;
    let answer = world.get("/api/v1/projects/99").await;
    let given = answer.header("x-request-id").to_owned();
    let body = answer.expect(404);
    assert_eq!(
        body,
        json!({
            "error": "Not found", "message": "Project with id 99 not found", "code": "NOT_FOUND", "request_id": given
        })
    );
    assert!(given.starts_with("req_"), "{given}");

    let request = world
        .request(Method::GET, "/api/v1/status")
        .header("x-request-id", "mine-1");
    assert_eq!(Answer::to(request).await.unwrap().header("x-request-id"), "mine-1");
    let request = world
        .request(Method::GET, "/health")
        .header("x-request-id", "not { sane");
    assert_ne!(Answer::to(request).await.unwrap().header("x-request-id"), "not { sane");

    let unknown = world.get("/api/v1/no-such-thing").await.expect(404);
    assert_eq!(unknown["code"], "NOT_FOUND");
    world.close().await;
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_answered_with_those_it_does() {
    let world = Setup::new(Runtime::Process).start().await;
    for (method, path, allow) in [
        (Method::DELETE, "/health", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/api/v1/projects", "GET, HEAD, OPTIONS, POST"),
        (Method::POST, "/api/v1/projects/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        (Method::GET, "/api/v1/deploy", "OPTIONS, POST"),
        (Method::GET, "/api/v1/deployments/1/stop", "OPTIONS, POST"),
    ] {
        let answer = world.try_send(method.clone(), path, None).await.unwrap();
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(answer.expect(405)["code"], "METHOD_NOT_ALLOWED");
    }
    let head = world.try_send(Method::HEAD, "/api/v1/projects", None).await.unwrap();
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    world.close().await;
}

#[tokio::test]
async fn a_body_must_be_json_of_a_bearable_size() {
    let world = Setup::new(Runtime::Process).start().await;
    let send = async |kind: &str, body: String| {
        let request = world
            .request(Method::POST, "/api/v1/projects")
            .header("content-type", kind);
        Answer::to(request.body(body)).await.unwrap()
    };
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(
        send("application/json", large).await.expect(413)["code"],
        "BODY_TOO_LARGE"
    );
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let body = send(kind, "{}".to_owned()).await.expect(415);
        assert_eq!(body["code"], "UNSUPPORTED_MEDIA_TYPE");
    }
    for text in ["", "{", "[", "nul", "{\"name\": \"a\",}"] {
        let body = send("application/json", text.to_owned()).await.expect(400);
        assert_eq!(body["code"], "INVALID_JSON", "{text}");
    }
    assert_eq!(world.num_rows().await, 0);
    world.close().await;
}

#[tokio::test]
async fn the_documented_rate_limit_holds_for_each_client() {
    let world = Setup::new(Runtime::Process)
        .variable("BORGOS_RATE_LIMIT", "60/100")
        .start()
        .await;
    // Another address is another client: the world's own is not refused for what this one does.
    let client = Client::builder()
        .no_proxy()
        .local_address(IpAddr::from([127, 0, 0, 2]))
        .build()
        .unwrap();
    let get = async |path: &str| {
        Answer::to(client.get(format!("{}{path}", world.base_url())))
            .await
            .unwrap()
    };
    let first = get("/api/v1/status").await;
    assert_eq!(number(&first, "x-ratelimit-limit"), 60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(
        (now - 2..=now + 101).contains(&number(&first, "x-ratelimit-reset")),
        "{first:?}"
    );

    let mut num_accepted = 1;
    let refused = loop {
        let answer = get("/api/v1/projects").await;
        if answer.status == 429 {
            break answer;
        }
        assert!(number(&answer, "x-ratelimit-remaining") <= 60);
        answer.expect(200);
        num_accepted += 1;
        assert!(num_accepted < 1000, "nothing was refused");
    };
    assert!(
        num_accepted >= 100,
        "only {num_accepted} of a burst of 100 were accepted"
    );
    assert!(number(&refused, "retry-after") >= 1);
    assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
    let body = refused.expect(429);
    assert_eq!(
        (&body["code"], &body["error"]),
        (&json!("RATE_LIMITED"), &json!("Too many requests"))
    );

    get("/health").await.expect(200);
    world.get("/api/v1/projects").await.expect(200);
    eventually("the bucket fills again", async || match get("/api/v1/projects").await {
        answer if answer.status == 200 => Ok(()),
        answer => Err(answer.status),
    })
    .await;
    world.close().await;
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer
        .header(header)
        .parse()
        .unwrap_or_else(|_| panic!("{header} of {answer:?}"))
}
