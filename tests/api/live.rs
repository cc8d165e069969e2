//! `/ws`: the documented protocol.

use serde_json::{Value, json};

use super::everywhere::everywhere;
use crate::support::{Runtime, Setup, free_port};

#[tokio::test]
async fn the_documented_events_come_to_who_subscribed() {
    everywhere(async |world| {
        let mut socket = world.socket().await;
        socket.subscribe(&["projects", "deployments", "errors"]).await;
        let project = world.project("new", "one");
        // The documented frame has no answer, so it may be read after what is done next.
        settle(&mut socket).await;

        let id = world.create_project("NewProject", project.path()).await;
        let event = socket.next_event("project_created", |data| data["id"] == id).await;
        assert_eq!(event["data"]["name"], "NewProject");
        assert_extras(&event, "projects");

        let port = free_port();
        let body = json!({"project_id": id, "port": port});
        let deployment = world.post("/api/v1/deploy", &body).await.expect(201)["id"].clone();
        let mut seen = Vec::new();
        while seen.last() != Some(&json!("running")) {
            let event = socket
                .next_event("deployment_status", |data| data["id"] == deployment)
                .await;
            assert_eq!(event["data"]["port"], port);
            assert_extras(&event, "deployments");
            seen.push(event["data"]["status"].clone());
        }
        assert_eq!(seen.first(), Some(&json!("pending")), "{seen:?}");

        let entry = json!({
            "severity": "critical", "message": "System failure", "project_id": id, "error_type": "runtime"
        });
        world.post("/api/v1/errors", &entry).await.expect(201);
        let event = socket
            .next_event("error_logged", |data| data["message"] == "System failure")
            .await;
        assert_eq!(event["data"]["severity"], "critical");
        assert_eq!(event["data"]["project_id"], id);
        assert_extras(&event, "errors");
    })
    .await;
}

/// Waits until everything sent so far has been read.
async fn settle(socket: &mut crate::support::Socket) {
    socket.send(&json!({"type": "ping", "ref": "settled"})).await;
    loop {
        let frame = socket.next().await;
        if frame["type"] == "pong" && frame["ref"] == "settled" {
            return;
        }
    }
}

/// Checks what an event has beside the documented `type` and `data`.
fn assert_extras(event: &Value, channel: &str) {
    assert_eq!(event["channel"], channel);
    assert!(event["offset"].as_i64() >= Some(1), "{event}");
    assert!(event["id"].is_string() && event["at"].is_string(), "{event}");
}

#[tokio::test]
async fn nothing_comes_before_a_subscription_and_only_what_was_subscribed_after() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut socket = world.socket().await;
    let first = world.project("first", "one");
    world.create_project("first", first.path()).await;
    settle_without_events(&mut socket).await;

    socket.subscribe(&["errors"]).await;
    settle_without_events(&mut socket).await;
    let second = world.project("second", "one");
    world.create_project("second", second.path()).await;
    let entry = json!({"severity": "info", "message": "x", "error_type": "runtime"});
    world.post("/api/v1/errors", &entry).await.expect(201);
    assert_eq!(socket.next().await["type"], "error_logged");
    world.close().await;
}

async fn settle_without_events(socket: &mut crate::support::Socket) {
    socket.send(&json!({"type": "ping", "ref": "quiet"})).await;
    assert_eq!(socket.next().await["type"], "pong");
}

#[tokio::test]
async fn an_unknown_channel_is_answered_with_the_known_ones() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut socket = world.socket().await;
    socket.subscribe(&["projects", "weather"]).await;
    let error = socket.next().await;
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("error"), &json!("UNKNOWN_CHANNEL"))
    );
    let message = error["message"].as_str().unwrap();
    for word in ["weather", "projects", "deployments", "errors", "actors"] {
        assert!(message.contains(word), "{message}");
    }
    for text in [
        "{",
        "[]",
        "{}",
        "{\"type\": \"shout\"}",
        "{\"type\": \"subscribe\", \"channels\": 1}",
    ] {
        socket.send_text(text).await;
        assert_eq!(socket.next().await["type"], "error", "{text}");
    }
    world.close().await;
}

#[tokio::test]
async fn more_than_ten_messages_a_second_are_refused_and_then_the_connection_closed() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut socket = world.socket().await;
    for _ in 0..11 {
        socket.send(&json!({"type": "ping"})).await;
    }
    let mut num_pongs = 0;
    let refused = loop {
        match socket.next().await {
            frame if frame["type"] == "pong" => num_pongs += 1,
            frame => break frame,
        }
    };
    assert!(num_pongs >= 10, "only {num_pongs} of the documented 10 were read");
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("error"), &json!("RATE_LIMITED"))
    );

    // Enough for the limit itself, for the patience beyond it, and for the seconds that a busy machine takes.
    for _ in 0..100 {
        socket.send(&json!({"type": "ping"})).await;
    }
    assert_eq!(u16::from(socket.closed().await.code), 1008);
    world.close().await;
}

#[tokio::test]
async fn a_hello_is_answered_and_operators_see_who_is_connected() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut socket = world.socket().await;
    socket.send(&json!({"type": "hello", "ref": 1})).await;
    let welcome = socket.next().await;
    assert_eq!(
        (&welcome["type"], &welcome["ref"], &welcome["heartbeat"]),
        (&json!("welcome"), &json!(1), &json!(25))
    );
    assert_eq!(welcome["limits"]["messages_per_second"], 10);
    socket
        .send(&json!({"type": "subscribe", "channels": ["errors", "tasks"], "ref": 2}))
        .await;
    assert_eq!(socket.next().await["channels"]["errors"]["epoch"], welcome["epoch"]);

    let clients = world.get("/api/v1/ws/clients").await;
    assert_eq!(clients.header("x-total-count"), "1");
    let client = clients.expect(200)[0].clone();
    assert_eq!(client["id"], welcome["session"]);
    assert_eq!(
        (&client["address"], &client["caller"]),
        (&json!("127.0.0.1"), &json!("local"))
    );
    assert_eq!(client["channels"], json!(["errors", "tasks"]));
    assert_eq!((&client["num_received"], &client["num_sent"]), (&json!(2), &json!(2)));
    drop(socket);
    crate::support::eventually("nobody is connected", async || {
        let clients = world.get("/api/v1/ws/clients").await.expect(200);
        if clients == json!([]) { Ok(()) } else { Err(clients) }
    })
    .await;
    world.close().await;
}
