//! Webhooks over `kill -9`: whatever happened is told, and what is told twice has the same id.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use super::chance::Chance;
use crate::support::{Backend, Reply, Runtime, Setup, Target, eventually};

const NUM_KILLS: usize = 6;
const NUM_CHANGES: usize = 8;
/// About as long as it takes from a change to the end of its delivery.
const MAX_MOMENT: Duration = Duration::from_millis(60);

async fn whatever_happened_is_told(setup: Setup) {
    let mut world = setup.variable("BORGOS_WEBHOOK_ALLOW", "127.0.0.1").start().await;
    let target = Target::start(|_, _| Reply::Status(200)).await;
    let webhook = json!({"url": target.url(), "events": ["project.*"]});
    world.post("/api/v1/webhooks", &webhook).await.expect(201);
    let project = world.project("mine", "one");
    let id = world.create_project("mine", project.path()).await;
    let mut random = Chance::new();
    for kill in 0..NUM_KILLS {
        for number in 0..NUM_CHANGES {
            let change = json!({"name": format!("name {kill}-{number}")});
            world
                .patch(&format!("/api/v1/projects/{id}"), &change)
                .await
                .expect(200);
        }
        let moment = random.moment(MAX_MOMENT);
        eprintln!(
            "kill {kill} after {moment:?}, when {} messages were taken",
            target.taken().len()
        );
        sleep(moment).await;
        world.kill_9().await;
        world.boot().await;
    }
    let mut expected = vec!["mine".to_owned()];
    for kill in 0..NUM_KILLS {
        expected.extend((0..NUM_CHANGES).map(|number| format!("name {kill}-{number}")));
    }
    let told = eventually("everything is told", async || {
        let mut told: BTreeMap<i64, String> = BTreeMap::new();
        for message in target.taken() {
            let (_, number) = message.id().rsplit_once('_').unwrap_or_default();
            let name = message.body()["data"]["name"].as_str().unwrap_or_default().to_owned();
            let before = told.insert(number.parse().unwrap_or_default(), name.clone());
            assert!(
                before.is_none_or(|before| before == name),
                "an id stands for one message"
            );
        }
        let names: Vec<String> = told.into_values().collect();
        if names.len() == expected.len() {
            Ok(names)
        } else {
            Err(names)
        }
    })
    .await;
    assert_eq!(told, expected);
    let num_repeated = target.taken().len() - expected.len();
    eprintln!("{num_repeated} messages were repeated");
    assert!(
        num_repeated <= NUM_KILLS,
        "one message of a subject is under way at a time"
    );
    world.close().await;
}

#[tokio::test]
async fn whatever_happened_is_told_over_kills() {
    whatever_happened_is_told(Setup::new(Runtime::Process)).await;
}

#[tokio::test]
async fn whatever_happened_is_told_over_kills_on_postgresql() {
    whatever_happened_is_told(Setup::new(Runtime::Process).backend(Backend::Postgres)).await;
}
