//! What becomes of readers when the bus or their connection goes away.

use std::time::Duration;

use borgos_actors::store::events;
use serde_json::{Value, json};

use super::{client::offsets, world::World};

async fn recovery(world: &World, since: Value, epoch: Option<&str>) -> (Vec<i64>, Value) {
    let mut client = world.connect().await;
    let mut subscribe = json!({"type": "subscribe", "channels": ["errors"], "since": since});
    if let Some(epoch) = epoch {
        subscribe["epoch"] = json!(epoch);
    }
    let mut frames = vec![client.ask(subscribe).await];
    while frames.last().is_some_and(|frame| frame["type"] != "ack") {
        frames.push(client.next().await);
    }
    let ack = frames.pop().unwrap()["channels"]["errors"].clone();
    (offsets(&frames), ack)
}

/// Writes errors and waits until the bus has given them their offsets.
async fn publish(world: &World, num_errors: i64) {
    let mut watcher = world.connect().await;
    watcher.subscribe(&["errors"]).await;
    world
        .log_errors((1..=num_errors).map(|number| number.to_string()))
        .await;
    while watcher.next().await["offset"] != num_errors {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_miss_nothing_and_see_nothing_twice_over_restarts_of_the_bus() {
    let world = World::new().await;
    let (mut plain, mut extended) = (world.connect().await, world.connect().await);
    plain.subscribe(&["errors"]).await;
    extended
        .ask(json!({"type": "subscribe", "channels": ["errors", "projects"], "ref": 1}))
        .await;
    let restart = async {
        for _ in 0..5 {
            world.restart_bus().await;
            tokio::task::yield_now().await;
        }
    };
    let write = world.log_errors((1..=500).map(|number| number.to_string()));
    let ((), (), of_plain, of_extended) = tokio::join!(write, restart, plain.next_many(500), extended.next_many(500));
    let wanted: Vec<i64> = (1..=500).collect();
    assert_eq!(offsets(&of_plain), wanted);
    assert_eq!(offsets(&of_extended), wanted);

    world.restart_bus().await;
    world.log_errors(["last".to_owned()]).await;
    assert_eq!(plain.next().await["offset"], 501);
    plain.expect_silence().await;
    assert_eq!(extended.next().await["offset"], 501);
    extended.expect_silence().await;
    world.end().await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_and_goes_on() {
    let world = World::new().await;
    publish(&world, 600).await;
    world.restart_bus().await;
    let mut client = world.connect().await;
    client
        .send(json!({"type": "subscribe", "channels": ["errors", "tasks"], "since": {"errors": 10}, "ref": 1}))
        .await;
    assert_eq!(offsets(&client.next_many(590).await), (11..=600).collect::<Vec<_>>());
    let epoch = world.store.epoch();
    let ack = client.next().await;
    assert_eq!(
        ack["channels"],
        json!({
            "errors": {"offset": 600, "epoch": epoch, "recovered": true, "replayed": 590},
            "tasks": {"offset": 0, "epoch": epoch},
        })
    );
    world.log_errors(["live".to_owned()]).await;
    assert_eq!(client.next().await["offset"], 601);

    // The same connection can go back, too.
    client
        .send(json!({"type": "subscribe", "channels": ["errors"], "since": 598, "ref": 2}))
        .await;
    assert_eq!(offsets(&client.next_many(3).await), [599, 600, 601]);
    assert_eq!(client.next().await["channels"]["errors"]["replayed"], 3);
    client.expect_silence().await;
    world.end().await;
}

#[tokio::test]
async fn a_client_learns_when_it_cannot_get_what_it_missed() {
    let world = World::new().await;
    publish(&world, 20).await;
    let epoch = world.store.epoch();
    let lost =
        |reason: &str| json!({"offset": 20, "epoch": epoch, "recovered": false, "replayed": 0, "reason": reason});
    assert_eq!(
        recovery(&world, json!(3), Some("another")).await,
        (vec![], lost("other_epoch"))
    );
    assert_eq!(
        recovery(&world, json!(21), None).await,
        (vec![], lost("unknown_offset"))
    );
    assert_eq!(
        recovery(&world, json!(u64::MAX), None).await,
        (vec![], lost("unknown_offset"))
    );
    let nothing = json!({"offset": 20, "epoch": epoch, "recovered": true, "replayed": 0});
    assert_eq!(recovery(&world, json!(20), Some(epoch)).await, (vec![], nothing));

    events::prune(&world.store, Duration::MAX, 5).await.unwrap();
    assert_eq!(recovery(&world, json!(14), None).await, (vec![], lost("too_old")));
    let (offsets, ack) = recovery(&world, json!(15), None).await;
    assert_eq!(offsets, [16, 17, 18, 19, 20]);
    assert_eq!(ack["recovered"], true);
    events::prune(&world.store, Duration::MAX, 0).await.unwrap();
    assert_eq!(recovery(&world, json!(15), None).await, (vec![], lost("too_old")));
    world.end().await;
}
