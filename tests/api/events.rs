//! The events over plain HTTP.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::everywhere::on_both_databases;
use crate::support::{Runtime, Setup, World, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of Server-Sent Events, read as a browser reads it.
struct Stream {
    response: Response,
    rest: String,
    last_id: String,
}

impl Stream {
    async fn open(world: &World, query: &str, last_id: Option<&str>) -> Self {
        let mut request = world
            .request(Method::GET, &format!("/api/v1/events?{query}"))
            .timeout(PATIENCE * 2)
            .header("Accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self {
            response,
            rest: String::new(),
            last_id: String::new(),
        };
        // The greeting says that nothing of what follows can be missed.
        assert_eq!(stream.block().await, None);
        assert!(!stream.last_id.is_empty());
        stream
    }

    /// Reads up to the next empty line, notes the id, and returns the data if there is any.
    async fn block(&mut self) -> Option<Value> {
        while !self.rest.contains("\n\n") {
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            let chunk = chunk.unwrap().expect("the stream goes on");
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        let (block, rest) = self.rest.split_once("\n\n").unwrap();
        let mut data = None;
        for line in block.lines() {
            if let Some(id) = line.strip_prefix("id: ") {
                self.last_id = id.to_owned();
            }
            if let Some(text) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(text).unwrap());
            }
        }
        self.rest = rest.to_owned();
        data
    }

    async fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.block().await {
                return event;
            }
        }
    }
}

async fn log(world: &World, message: &str, severity: &str) {
    let entry = json!({"severity": severity, "message": message, "error_type": "runtime"});
    world.post("/api/v1/errors", &entry).await.expect(201);
}

async fn page(world: &World, query: &str) -> Value {
    world.get(&format!("/api/v1/events?{query}")).await.expect(200)
}

fn messages(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| event["data"]["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_stream_goes_on_where_it_ended() {
    on_both_databases(async |world| {
        let mut stream = Stream::open(world, "channels=errors", None).await;
        log(world, "one", "error").await;
        let event = stream.next().await;
        assert_eq!(
            (&event["type"], &event["data"]["message"]),
            (&json!("error_logged"), &json!("one"))
        );
        assert_eq!((&event["channel"], &event["offset"]), (&json!("errors"), &json!(1)));
        let id = stream.last_id.clone();
        drop(stream);

        for message in ["two", "three"] {
            log(world, message, "error").await;
        }
        let mut stream = Stream::open(world, "channels=errors", Some(&id)).await;
        for message in ["two", "three"] {
            assert_eq!(stream.next().await["data"]["message"], message);
        }
        log(world, "four", "error").await;
        assert_eq!(stream.next().await["data"]["message"], "four");

        // The id of the event itself is as good, for a single channel.
        let mut stream = Stream::open(world, "channels=errors", event["id"].as_str()).await;
        assert_eq!(stream.next().await["data"]["message"], "two");
    })
    .await;
}

#[tokio::test]
async fn one_who_comes_from_another_event_log_is_told_what_is_lost() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut stream = Stream::open(&world, "channels=errors", None).await;
    log(&world, "one", "error").await;
    stream.next().await;
    let mut stream = Stream::open(&world, "channels=errors", Some("another;errors=7")).await;
    let lagged = stream.next().await;
    assert_eq!(
        lagged,
        json!({"type": "lagged", "channel": "errors", "from": 1, "to": 1, "dropped": 1})
    );
    log(&world, "two", "error").await;
    assert_eq!(stream.next().await["data"]["message"], "two");
    world.close().await;
}

#[tokio::test]
async fn a_filter_lets_only_some_through() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut stream = Stream::open(&world, "channels=errors,tasks&filter=severity:critical", None).await;
    log(&world, "small", "info").await;
    log(&world, "large", "critical").await;
    assert_eq!(stream.next().await["data"]["message"], "large");
    let found = eventually("all is in the log", async || {
        let found = page(&world, "channels=errors&since=0&filter=severity:info").await;
        if found["events"].as_array().is_some_and(|events| events.len() == 1) {
            Ok(found)
        } else {
            Err(found)
        }
    })
    .await;
    assert_eq!(messages(&found), ["small"]);
    world.close().await;
}

#[tokio::test]
async fn pages_cover_the_stream_without_gap_or_double() {
    on_both_databases(async |world| {
        let wanted: Vec<String> = (1..=25).map(|number| number.to_string()).collect();
        for message in &wanted {
            log(world, message, "error").await;
        }
        eventually("all have offsets", async || {
            let newest = page(world, "channels=errors&limit=1").await;
            if messages(&newest) == ["25"] {
                Ok(())
            } else {
                Err(newest)
            }
        })
        .await;
        let mut since = "0".to_owned();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let next = page(world, &format!("channels=errors,projects&limit=10&since={since}")).await;
            assert_eq!(next["recovered"], true);
            seen.extend(messages(&next).into_iter().map(str::to_owned));
            since = next["last_event_id"].as_str().unwrap().to_owned();
            if next["has_more"] == false {
                break;
            }
        }
        assert_eq!(seen, wanted);
        assert_eq!(
            messages(&page(world, "channels=errors&limit=3").await),
            ["23", "24", "25"]
        );
        let other = page(world, "channels=errors&since=another-epoch;errors=3&limit=1").await;
        assert_eq!((messages(&other), &other["recovered"]), (vec!["1"], &json!(false)));
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let world = Setup::new(Runtime::Process).start().await;
    for (query, field) in [
        ("channels=error", "channels"),
        ("channels=", "channels"),
        ("since=x", "since"),
        ("filter=severity", "filter"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("page=2", "page"),
    ] {
        let refused = world.get(&format!("/api/v1/events?{query}")).await.expect(400);
        assert!(
            refused["message"].as_str().unwrap().contains(&format!("`{field}`")),
            "{refused}"
        );
    }
    world.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_service_and_does_not_hold_it_up() {
    let mut world = Setup::new(Runtime::Process).start().await;
    let mut stream = Stream::open(&world, "channels=errors", None).await;
    world.terminate().await;
    let end = timeout(PATIENCE, stream.response.chunk())
        .await
        .expect("the stream ends");
    assert!(end.map_or(true, |chunk| chunk.is_none()));
    world.boot().await;
    world.close().await;
}
