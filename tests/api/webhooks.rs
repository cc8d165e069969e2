//! Webhooks: made, told of what happens, and what came of it.

mod addresses;
mod command_line;
mod delivery;
mod failures;

use std::fs;

use borgos_actors::webhooks::event_names;
use serde_json::{Value, json};

use super::everywhere::on_both_databases;
use crate::support::{Runtime, Setup, Target, World};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A world whose webhooks may be sent to this machine.
fn setup() -> Setup {
    Setup::new(Runtime::Process).variable("BORGOS_WEBHOOK_ALLOW", "127.0.0.0/8")
}

/// Has a target told of these events and returns the webhook's id.
async fn tell(world: &World, target: &Target, events: &[&str]) -> i64 {
    let body = json!({"url": target.url(), "events": events, "secret": SECRET});
    let created = world.post("/api/v1/webhooks", &body).await.expect(201);
    created["id"].as_i64().expect("a webhook has an id")
}

async fn webhook(world: &World, id: i64) -> Value {
    world.get(&format!("/api/v1/webhooks/{id}")).await.expect(200)
}

async fn deliveries(world: &World, id: i64) -> Vec<Value> {
    let list = world.get(&format!("/api/v1/webhooks/{id}/deliveries?limit=1000")).await;
    list.expect(200).as_array().expect("a list of deliveries").clone()
}

#[tokio::test]
async fn a_webhook_is_made_shown_changed_and_deleted() {
    on_both_databases(async |world| {
        // As the reference has it.
        let documented = json!({
            "url": "https://your-app.com/webhook",
            "events": ["project.created", "deployment.failed", "error.critical"],
            "secret": "your-webhook-secret"
        });
        let answer = world.post("/api/v1/webhooks", &documented).await;
        assert_eq!(answer.header("location"), "/api/v1/webhooks/1");
        let created = answer.expect(201);
        assert_eq!(
            (&created["url"], &created["events"]),
            (&documented["url"], &documented["events"])
        );
        assert_eq!((&created["active"], &created["secret"]), (&json!(true), &json!("***")));
        assert_eq!(webhook(world, 1).await, created);

        let fresh = json!({"url": "https://example.com/", "events": ["*"], "active": false});
        let fresh = world.post("/api/v1/webhooks", &fresh).await.expect(201);
        assert!(fresh["secret"].as_str().unwrap().starts_with("whsec_"), "{fresh}");
        let list = world.get("/api/v1/webhooks").await;
        assert_eq!(list.header("x-total-count"), "2");
        assert_eq!(list.expect(200)[1]["secret"], "***", "a secret is shown once");

        let change = json!({"events": ["task.*"], "active": true, "secret": "another-secret-of-mine"});
        let changed = world.patch("/api/v1/webhooks/2", &change).await.expect(200);
        assert_eq!(
            (&changed["events"], &changed["active"]),
            (&json!(["task.*"]), &json!(true))
        );
        assert_eq!(world.patch("/api/v1/webhooks/2", &json!({})).await.expect(200), changed);

        world.delete("/api/v1/webhooks/2").await.expect(200);
        for path in ["/api/v1/webhooks/2", "/api/v1/webhooks/2/deliveries"] {
            assert_eq!(
                world.get(path).await.expect(404)["message"],
                "Webhook with id 2 not found"
            );
        }
        for path in ["/api/v1/webhooks/2/test", "/api/v1/webhooks/1/deliveries/9/redeliver"] {
            world.post_nothing(path).await.expect(404);
        }
        world.patch("/api/v1/webhooks/2", &json!({})).await.expect(404);
        world.delete("/api/v1/webhooks/2").await.expect(404);
        world
            .post_nothing("/api/v1/webhooks/1/deliveries/x/redeliver")
            .await
            .expect(400);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_made() {
    let world = Setup::new(Runtime::Process).start().await;
    let good = json!({"url": "https://example.com/", "events": ["*"], "secret": SECRET});
    for (field, bad) in [
        ("url", json!(null)),
        ("url", json!("example.com")),
        ("url", json!("ftp://example.com/")),
        ("url", json!("https://user:canary@example.com/")),
        ("events", json!([])),
        ("events", json!("*")),
        ("events", json!(["deployment"])),
        ("events", json!(["nothing.*"])),
        ("events", json!([1])),
        ("secret", json!("short")),
        ("secret", json!("whsec_canary-that-is-no-base64")),
        ("active", json!("yes")),
        ("sekret", json!("x")),
    ] {
        let mut body = good.clone();
        body[field] = bad.clone();
        let answer = world.post("/api/v1/webhooks", &body).await;
        let message = answer.expect(400)["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.starts_with(&format!("`{field}")), "{bad}: {message}");
        assert!(!message.contains("canary"), "{message}");
    }
    assert_eq!(world.num_rows().await, 0);
    for _ in 0..64 {
        world.post("/api/v1/webhooks", &good).await.expect(201);
    }
    let refused = world.post("/api/v1/webhooks", &good).await.expect(409);
    assert_eq!(refused["code"], "TOO_MANY_WEBHOOKS");
    world.close().await;
}

#[test]
fn the_readme_names_every_event() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme.split("### Webhooks").nth(1).expect("a section on webhooks");
    let section = section.split("\n## ").next().unwrap_or_default();
    for name in event_names() {
        let (kind, what) = name.split_once('.').unwrap();
        let row = section.lines().find(|line| line.starts_with(&format!("| `{kind}.`")));
        let row = row.unwrap_or_else(|| panic!("README.md has no row for `{kind}.`"));
        assert!(row.contains(&format!("`{what}`")), "README.md does not name {name}");
    }
}
