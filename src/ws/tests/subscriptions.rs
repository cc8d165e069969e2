//! What clients subscribe to and get.

use borgos_actors::store::error_log::Severity;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;

use super::{client::offsets, world::World};

#[tokio::test]
async fn the_documented_client_gets_the_documented_events() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let early = world.create_project("Early").await;
    client.expect_silence().await;

    client.subscribe(&["projects", "deployments", "errors"]).await;
    let project = world.create_project("NewProject").await;
    let created = client.next().await;
    assert_eq!(created["type"], "project_created");
    assert_eq!(created["data"]["id"], json!(project.id));
    assert_eq!(created["data"]["name"], "NewProject");
    assert_eq!(created["channel"], "projects");
    let offset = created["offset"].as_i64().unwrap();
    assert!(offset > early.id.0 - 1);
    assert_eq!(created["id"], format!("{}-{offset}", world.store.epoch()));
    assert!(created["at"].as_str().is_some_and(|at| at.ends_with('Z')));

    world
        .log_error("System failure", Severity::Critical, Some(project.id))
        .await;
    let logged = client.next().await;
    assert_eq!(logged["type"], "error_logged");
    assert_eq!(logged["data"]["severity"], "critical");
    assert_eq!(logged["data"]["message"], "System failure");
    assert_eq!(logged["data"]["project_id"], json!(project.id));
    client.expect_silence().await;
    client.close().await;
    world.end().await;
}

#[tokio::test]
async fn what_is_asked_with_a_reference_is_acknowledged() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let epoch = world.store.epoch();
    let ack = client
        .ask(json!({"type": "subscribe", "channels": ["errors", "tasks:42"], "ref": 7}))
        .await;
    let at_zero = json!({"offset": 0, "epoch": epoch});
    assert_eq!(
        ack,
        json!({"type": "ack", "ref": 7, "channels": {"errors": at_zero, "tasks:42": at_zero}})
    );

    world.log_errors(["one".to_owned()]).await;
    assert_eq!(client.next().await["offset"], 1);
    let ack = client
        .ask(json!({"type": "unsubscribe", "channels": ["errors"], "ref": "u"}))
        .await;
    assert_eq!(ack, json!({"type": "ack", "ref": "u", "unsubscribed": ["errors"]}));
    world.log_errors(["two".to_owned()]).await;
    let ack = client
        .ask(json!({"type": "subscribe", "channels": ["tasks:42"], "ref": "again"}))
        .await;
    assert_eq!(ack["ref"], "again");
    client.expect_silence().await;
    world.end().await;
}

#[tokio::test]
async fn mistakes_are_answered_and_the_connection_stays() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let error = client
        .ask(json!({"type": "subscribe", "channels": ["errors", "nothing"], "ref": 1}))
        .await;
    assert_eq!(
        (&error["type"], &error["ref"], &error["code"]),
        (&json!("error"), &json!(1), &json!("UNKNOWN_CHANNEL"))
    );
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|message| message.contains("agent-zero")),
        "{error}"
    );
    assert_eq!(client.next().await["channels"]["errors"]["offset"], 0);

    assert_eq!(
        client.ask(json!({"type": "shout", "ref": 2})).await["code"],
        "UNKNOWN_TYPE"
    );
    assert_eq!(client.ask(json!(["subscribe"])).await["code"], "INVALID_MESSAGE");
    client.send_raw(Message::text("{")).await;
    assert_eq!(client.next().await["code"], "INVALID_JSON");
    world.log_errors(["still here".to_owned()]).await;
    assert_eq!(client.next().await["data"]["message"], "still here");
    world.end().await;
}

#[tokio::test]
async fn a_connection_reads_a_bounded_number_of_channels() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let subjects: Vec<String> = (1..=128).map(|id| format!("tasks:{id}")).collect();
    let ack = client
        .ask(json!({"type": "subscribe", "channels": subjects, "ref": 1}))
        .await;
    assert_eq!(ack["channels"].as_object().map(|channels| channels.len()), Some(128));
    let error = client
        .ask(json!({"type": "subscribe", "channels": ["tasks:1", "errors"], "ref": 2}))
        .await;
    assert_eq!(error["code"], "TOO_MANY_CHANNELS");
    let ack = client
        .ask(json!({"type": "subscribe", "channels": ["tasks:1"], "ref": 3}))
        .await;
    assert_eq!(ack["type"], "ack");
    world.end().await;
}

#[tokio::test]
async fn a_subject_has_a_channel_with_offsets_of_its_own() {
    let world = World::new().await;
    let mut client = world.connect().await;
    let project = world.create_project("one").await;
    let name = format!("projects:{}", project.id);
    let ack = client
        .ask(json!({"type": "subscribe", "channels": [name], "ref": 1, "since": 0}))
        .await;
    // The event of the creation comes first if it has an offset by then, else it is live.
    let (created, ack) = match ack["type"] == "ack" {
        true => (client.next().await, ack),
        false => (ack, client.next().await),
    };
    assert_eq!(ack["type"], "ack");
    assert_eq!(
        (created["channel"].as_str(), created["offset"].as_i64()),
        (Some(name.as_str()), Some(1))
    );

    world.create_project("two").await;
    world.rename_project(project.id, "uno").await;
    let updated = client.next().await;
    assert_eq!(
        (updated["channel"].as_str(), updated["offset"].as_i64()),
        (Some(name.as_str()), Some(2))
    );
    assert_eq!(updated["data"]["name"], "uno");
    client.expect_silence().await;
    world.end().await;
}

#[tokio::test]
async fn a_filter_lets_only_equal_events_through_live_and_replayed() {
    let world = World::new().await;
    let project = world.create_project("one").await;
    let mut live = world.connect().await;
    let filter = json!({"project_id": project.id, "severity": "critical"});
    live.ask(json!({"type": "subscribe", "channels": ["errors"], "filter": filter, "ref": 1}))
        .await;
    for (message, severity, project_id) in [
        ("a", Severity::Critical, None),
        ("b", Severity::Critical, Some(project.id)),
        ("c", Severity::Error, Some(project.id)),
        ("d", Severity::Critical, Some(project.id)),
    ] {
        world.log_error(message, severity, project_id).await;
    }
    let frames = live.next_many(2).await;
    assert_eq!(offsets(&frames), [2, 4]);

    let mut late = world.connect().await;
    late.send(json!({"type": "subscribe", "channels": ["errors"], "filter": filter, "since": 0}))
        .await;
    assert_eq!(late.next_many(2).await, frames);
    let ack = late.next().await;
    assert_eq!(ack["channels"]["errors"]["replayed"], 2);
    assert_eq!(ack["channels"]["errors"]["offset"], 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_reach_all_readers_once_and_in_order() {
    let world = World::new().await;
    let (mut plain, mut extended, mut late) = (world.connect().await, world.connect().await, world.connect().await);
    plain.subscribe(&["errors"]).await;
    extended
        .ask(json!({"type": "subscribe", "channels": ["errors", "projects"], "ref": 1}))
        .await;
    let write = world.log_errors((1..=1000).map(|number| number.to_string()));
    // The first of two is in the middle of the stream when the other one begins.
    let (middle, is_middle) = oneshot::channel();
    let read_plain = async {
        let seen = plain.next_many(300).await;
        middle.send(()).unwrap();
        [seen, plain.next_many(700).await].concat()
    };
    let read_late = async {
        is_middle.await.unwrap();
        late.send(json!({"type": "subscribe", "channels": ["errors"], "since": 0}))
            .await;
        late.next_many(1001).await
    };
    let ((), of_plain, of_extended, of_late) = tokio::join!(write, read_plain, extended.next_many(1000), read_late);
    let (ack, of_late): (Vec<Value>, Vec<Value>) = of_late.into_iter().partition(|frame| frame["type"] == "ack");
    assert_eq!(ack[0]["channels"]["errors"]["recovered"], true);

    let wanted: Vec<i64> = (1..=1000).collect();
    for frames in [of_plain, of_extended, of_late] {
        assert_eq!(offsets(&frames), wanted);
        let messages: Vec<&str> = frames
            .iter()
            .filter_map(|frame| frame["data"]["message"].as_str())
            .collect();
        let numbers: Vec<String> = wanted.iter().map(i64::to_string).collect();
        assert_eq!(messages, numbers);
    }
    world.end().await;
}
