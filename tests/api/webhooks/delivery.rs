//! What targets get.

use std::{collections::BTreeMap, process::Stdio, sync::Mutex, time::Duration};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{SECRET, deliveries, setup, tell};
use crate::support::{Backend, Received, Reply, Setup, Target, World, eventually, python_program};

/// Verifies messages with the library of Standard Webhooks: each is good, and none is when a byte of it has changed.
const VERIFY: &str = r#"
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

num_verified = 0
for message in json.load(sys.stdin):
    webhook = Webhook(message["secret"])
    webhook.verify(message["body"], message["headers"])
    num_verified += 1
    for body, headers in [(message["body"] + " ", message["headers"]),
                          (message["body"], {**message["headers"], "webhook-id": "evt_other"})]:
        try:
            webhook.verify(body, headers)
        except WebhookVerificationError:
            continue
        sys.exit("a forged message was taken")
print(num_verified)
"#;

async fn assert_verified(messages: &[Received]) {
    let of = |message: &Received| {
        let header = |name: &'static str| (name, message.header(name).to_owned());
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header);
        json!({"secret": SECRET, "body": message.text, "headers": BTreeMap::from(headers)})
    };
    let input: Value = messages.iter().map(of).collect();
    let mut python = python_program("python");
    python.args(["-c", VERIFY]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = timeout(Duration::from_secs(60), child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        messages.len().to_string()
    );
}

async fn what_happens_is_told(setup: Setup) {
    let world = setup.start().await;
    let (all, some) = (Target::willing().await, Target::willing().await);
    let id = tell(&world, &all, &["project.*", "error.critical", "task.completed"]).await;
    tell(&world, &some, &["error.*"]).await;
    let project = world.project("mine", "one");
    let project_id = world.create_project("mine", project.path()).await;
    for severity in ["info", "critical"] {
        let entry = json!({"error_type": "x", "severity": severity, "message": "Größe \u{1f680}"});
        world.post("/api/v1/errors", &entry).await.expect(201);
    }
    let mut taken = all.has_taken(2).await;
    taken.sort_by_key(|message| message.body()["type"].to_string());
    let [error, created] = &taken[..] else {
        panic!("{taken:#?}")
    };
    assert_eq!(created.body()["type"], "project.created");
    assert_eq!(created.body()["data"], json!({"id": project_id, "name": "mine"}));
    assert_eq!(
        (&error.body()["type"], &error.body()["data"]["message"]),
        (&json!("error.critical"), &json!("Größe \u{1f680}"))
    );
    let at = error.body()["timestamp"].as_str().unwrap().to_owned();
    assert!(
        at.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(&at).is_ok(),
        "{at}"
    );
    assert_eq!(error.header("content-type"), "application/json");
    assert!(error.header("user-agent").starts_with("BorgOS/"));
    assert_verified(&taken).await;

    let names: Vec<Value> = some
        .has_taken(2)
        .await
        .iter()
        .map(|message| message.body()["type"].clone())
        .collect();
    assert_eq!(names, ["error.info", "error.critical"], "errors come in their order");
    let list = eventually("both are delivered", async || {
        let list = deliveries(&world, id).await;
        let is_delivered = |delivery: &Value| delivery["status"] == "delivered";
        if list.iter().all(is_delivered) && list.len() == 2 {
            Ok(list)
        } else {
            Err(list)
        }
    })
    .await;
    for delivery in &list {
        assert_eq!(
            (&delivery["response_status"], &delivery["attempts"]),
            (&json!(204), &json!(1)),
            "{delivery}"
        );
        assert!(
            delivery["duration_ms"].is_u64() && delivery["next_at"].is_null(),
            "{delivery}"
        );
    }
    world.close().await;
}

#[tokio::test]
async fn what_happens_is_told_signed() {
    what_happens_is_told(setup()).await;
}

#[tokio::test]
async fn what_happens_is_told_signed_on_postgresql() {
    what_happens_is_told(setup().backend(Backend::Postgres)).await;
}

#[tokio::test]
async fn a_message_can_be_sent_again_and_a_test_at_any_time() {
    let world = setup().start().await;
    let target = Target::start(|_, _| Reply::Status(200)).await;
    tell(&world, &target, &["project.created"]).await;
    let project = world.project("mine", "one");
    world.create_project("mine", project.path()).await;
    target.has_taken(1).await;
    let delivery = eventually("the message is delivered", async || {
        let list = world
            .get("/api/v1/webhooks/1/deliveries?status=delivered")
            .await
            .expect(200);
        list[0]["id"].as_i64().ok_or(list)
    })
    .await;
    let path = format!("/api/v1/webhooks/1/deliveries/{delivery}/redeliver");
    assert_eq!(world.post_nothing(&path).await.expect(202)["status"], "pending");
    let taken = target.has_taken(2).await;
    assert_eq!((taken[0].id(), &taken[0].text), (taken[1].id(), &taken[1].text));

    world
        .patch("/api/v1/webhooks/1", &json!({"active": false}))
        .await
        .expect(200);
    assert_eq!(world.post_nothing(&path).await.expect(409)["code"], "WEBHOOK_INACTIVE");
    let tested = world.post_nothing("/api/v1/webhooks/1/test").await.expect(200);
    assert_eq!(
        (&tested["status"], &tested["event"]),
        (&json!("delivered"), &json!("webhook.test"))
    );
    assert_eq!(tested["response"], "answer 2");
    let taken = target.has_taken(3).await;
    assert_eq!(taken[2].body()["type"], "webhook.test");
    assert_verified(&taken).await;
    world.close().await;
}

#[tokio::test]
async fn a_slow_target_delays_nobody_else_and_takes_few_connections() {
    let world = setup().start().await;
    let slow = Target::start(|_, _| Reply::Silence).await;
    let fast = Target::willing().await;
    for _ in 0..3 {
        tell(&world, &slow, &["project.*"]).await;
    }
    tell(&world, &fast, &["project.*"]).await;
    for number in 0..20 {
        let name = format!("p{number}");
        let project = world.project(&name, "one");
        world.create_project(&name, project.path()).await;
    }
    // Long before the first answer of the slow one is given up.
    let taken = timeout(Duration::from_secs(12), fast.has_taken(20))
        .await
        .expect("nobody waits for the slow one");
    assert_eq!(taken.len(), 20);
    eventually("each webhook has its own connections", async || {
        let num_open = slow.num_open();
        if num_open == 12 { Ok(()) } else { Err(num_open) }
    })
    .await;
    world.close().await;
}

/// Names the projects that were told of, in order.
fn by_project(messages: &[Received]) -> BTreeMap<i64, Vec<String>> {
    let mut told: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for message in messages {
        let body = message.body();
        let project = body["data"]["id"].as_i64().expect("an event of a project has its id");
        told.entry(project).or_default().push(message.id().to_owned());
    }
    told
}

/// Returns the number in a message's id.
fn number(id: &str) -> i64 {
    id.rsplit_once('_').unwrap().1.parse().unwrap()
}

/// Changes each of these projects so many times.
async fn change_all(world: &World, projects: &[i64], num_times: usize) {
    for number in 0..num_times {
        for id in projects {
            let change = json!({"metadata": {"number": number}});
            world
                .patch(&format!("/api/v1/projects/{id}"), &change)
                .await
                .expect(200);
        }
    }
}

#[tokio::test]
async fn a_target_that_fails_for_a_while_gets_all_in_order_per_subject() {
    // Each fails as often as its number says, so that subjects are at different points when all is well again.
    let num_attempts: Mutex<BTreeMap<i64, i64>> = Mutex::default();
    let target = Target::start(move |_, received| {
        let message = number(received.id());
        let mut num_attempts = num_attempts.lock().unwrap();
        let num_so_far = num_attempts.entry(message).or_insert(0);
        *num_so_far += 1;
        Reply::Status(if *num_so_far > message % 4 { 200 } else { 500 })
    })
    .await;
    let world = setup().start().await;
    tell(&world, &target, &["project.*"]).await;
    let mut projects = Vec::new();
    for number in 0..5 {
        let name = format!("p{number}");
        let project = world.project(&name, "one");
        projects.push(world.create_project(&name, project.path()).await);
    }
    change_all(&world, &projects, 5).await;
    let database = world.database().await;
    let taken = eventually("everything is taken", async || {
        // As if the pauses had passed.
        super::failures::hasten(&database).await;
        let taken = target.taken();
        if taken.len() == 30 { Ok(taken) } else { Err(taken.len()) }
    })
    .await;
    database.close().await.unwrap();

    assert!(target.received().len() > 50, "it was unwell");
    let (told, tried) = (by_project(&taken), by_project(&target.received()));
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), projects);
    for (project, ids) in told {
        let numbers: Vec<i64> = ids.iter().map(|id| number(id)).collect();
        assert!(numbers.len() == 6 && numbers.is_sorted(), "{numbers:?}");
        // No attempt at a message came before the message before it was taken.
        let attempts: Vec<i64> = tried[&project].iter().map(|id| number(id)).collect();
        assert!(attempts.is_sorted(), "{attempts:?}");
    }
    assert_verified(&target.received()).await;
    world.close().await;
}
