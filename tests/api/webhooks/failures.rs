//! Targets that do not take what they are sent.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};

use super::{deliveries, setup, tell, webhook};
use crate::support::{Backend, Reply, Setup, Target, World, eventually};

/// Makes everything that waits due, as if the pauses had passed.
pub(super) async fn hasten(database: &DatabaseConnection) {
    let due = "UPDATE webhook_deliveries SET next_at = created_at WHERE status = 'pending'";
    database.execute_unprepared(due).await.unwrap();
}

async fn happen(world: &World, message: &str) {
    let entry = json!({"error_type": "x", "severity": "error", "message": message});
    world.post("/api/v1/errors", &entry).await.expect(201);
}

async fn failed_once(world: &World, id: i64) -> Value {
    eventually("an attempt has failed", async || {
        let list = deliveries(world, id).await;
        let failed = list.iter().find(|delivery| delivery["attempts"] == 1);
        failed.cloned().ok_or(list)
    })
    .await
}

#[tokio::test]
async fn a_failure_is_shown_and_tried_again_with_the_same_id() {
    let target = Target::start(|index, _| Reply::Status(if index == 0 { 503 } else { 200 })).await;
    let world = setup().start().await;
    let id = tell(&world, &target, &["error.*"]).await;
    happen(&world, "one").await;
    let failed = failed_once(&world, id).await;
    assert_eq!(
        (&failed["status"], &failed["response_status"]),
        (&json!("pending"), &json!(503)),
        "{failed}"
    );
    assert!(
        failed["error"].as_str().unwrap().contains("503") && failed["next_at"].is_string(),
        "{failed}"
    );
    assert!(webhook(&world, id).await["failing_since"].is_string());
    // It comes by itself, after five seconds.
    target.has_taken(1).await;
    let received = target.received();
    assert_eq!((received.len(), received[0].id()), (2, received[1].id()));
    assert_ne!(
        received[0].header("webhook-timestamp"),
        received[1].header("webhook-timestamp")
    );
    eventually("it is well again", async || {
        let webhook = webhook(&world, id).await;
        let is_well = webhook["failing_since"].is_null() && webhook["last_success_at"].is_string();
        if is_well { Ok(()) } else { Err(webhook) }
    })
    .await;
    world.close().await;
}

async fn a_webhook_is_disabled(setup: Setup) {
    let world = setup.start().await;
    let gone = Target::start(|_, _| Reply::Status(410)).await;
    let away = Target::start(|_, _| Reply::Status(500)).await;
    let watching = Target::willing().await;
    let gone_id = tell(&world, &gone, &["error.*"]).await;
    let away_id = tell(&world, &away, &["error.*"]).await;
    tell(&world, &watching, &["webhook.disabled"]).await;
    happen(&world, "one").await;
    let told = watching.has_taken(1).await;
    assert_eq!(told[0].body()["data"]["id"], gone_id);
    let disabled = webhook(&world, gone_id).await;
    assert!(disabled["active"] == false && disabled["disabled_reason"].as_str().unwrap().contains("410"));

    failed_once(&world, away_id).await;
    let database = world.database().await;
    let long_ago = "UPDATE webhooks SET failing_since = '2020-01-01 00:00:00+00:00' WHERE failing_since IS NOT NULL";
    database.execute_unprepared(long_ago).await.unwrap();
    hasten(&database).await;
    database.close().await.unwrap();
    let told = watching.has_taken(2).await;
    assert_eq!(told[1].body()["data"]["id"], away_id);
    assert!(
        webhook(&world, away_id).await["disabled_reason"]
            .as_str()
            .unwrap()
            .contains("a day")
    );

    // Nothing more is sent until somebody says so; then what waited comes first.
    let num_before = away.received().len();
    happen(&world, "while it was disabled").await;
    watching.has_taken(2).await;
    let willing = Target::willing().await;
    let woken = json!({"active": true, "url": willing.url()});
    let woken = world
        .patch(&format!("/api/v1/webhooks/{away_id}"), &woken)
        .await
        .expect(200);
    assert!(woken["active"] == true && woken["disabled_reason"].is_null(), "{woken}");
    happen(&world, "two").await;
    let told = willing.has_taken(2).await;
    let messages: Vec<Value> = told
        .iter()
        .map(|message| message.body()["data"]["message"].clone())
        .collect();
    assert_eq!(messages, ["one", "two"]);
    assert_eq!(away.received().len(), num_before);
    world.close().await;
}

#[tokio::test]
async fn a_target_that_is_gone_or_away_for_a_day_is_sent_nothing_more() {
    a_webhook_is_disabled(setup()).await;
}

#[tokio::test]
async fn a_target_that_is_gone_or_away_for_a_day_is_sent_nothing_more_on_postgresql() {
    a_webhook_is_disabled(setup().backend(Backend::Postgres)).await;
}

#[tokio::test]
async fn what_a_target_answers_is_read_no_further_than_needed() {
    let world = setup().start().await;
    let long = Target::start(|_, _| Reply::Long(64 * 1024 * 1024)).await;
    let id = tell(&world, &long, &["*"]).await;
    let tested = world
        .post_nothing(&format!("/api/v1/webhooks/{id}/test"))
        .await
        .expect(200);
    assert_eq!(
        (&tested["status"], tested["response"].as_str().unwrap().len()),
        (&json!("delivered"), 1024)
    );

    let silent = Target::start(|_, _| Reply::Silence).await;
    let id = tell(&world, &silent, &["webhook.disabled"]).await;
    let tested = world
        .post_nothing(&format!("/api/v1/webhooks/{id}/test"))
        .await
        .expect(200);
    assert_eq!(
        (&tested["status"], &tested["response_status"]),
        (&json!("failed"), &Value::Null)
    );
    let waited = Duration::from_millis(tested["duration_ms"].as_u64().unwrap());
    assert!(
        waited >= Duration::from_secs(14) && waited < Duration::from_secs(18),
        "{waited:?}"
    );
    world.close().await;
}

#[tokio::test]
async fn a_target_that_asks_for_time_gets_it() {
    let target = Target::start(|_, _| Reply::RetryAfter(1200)).await;
    let world = setup().start().await;
    let id = tell(&world, &target, &["error.*"]).await;
    happen(&world, "one").await;
    let failed = failed_once(&world, id).await;
    let time = |name: &str| chrono::DateTime::parse_from_rfc3339(failed[name].as_str().unwrap()).unwrap();
    let pause = time("next_at") - time("attempted_at");
    assert!(
        pause > chrono::Duration::seconds(1190) && pause < chrono::Duration::seconds(1210),
        "{failed}"
    );
    world.close().await;
}
