//! What one client cannot do to the service and to others.

use std::{sync::Arc, time::Duration};

use borgos_actors::{credentials::Caller, event_bus::EventBus, supervision::Handle};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::json;
use tokio::{io::DuplexStream, task::JoinSet, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use tokio_util::sync::CancellationToken;

use super::{
    client::{Client, offsets},
    world::{LOCAL, World, credentials, eventually, open_store},
};
use crate::ws::{Viewer, clients::Clients, session::Session, socket::MAX_MESSAGE_BYTES};

/// Longer than the bus waits for a slow reader to make room, shorter than that and the deadline for closing.
const SLOW: Duration = Duration::from_millis(12_500);

fn messages(num_messages: usize) -> impl Iterator<Item = String> {
    (0..num_messages).map(|_| "x".repeat(4000))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_that_knows_no_notices_is_closed_and_delays_nobody() {
    let world = World::new().await;
    let (mut slow, mut quick) = (world.connect_narrow().await, world.connect().await);
    slow.subscribe(&["errors"]).await;
    quick.subscribe(&["errors"]).await;
    let ((), frames) = tokio::join!(world.log_errors(messages(600)), quick.next_many(600));
    assert_eq!(offsets(&frames), (1..=600).collect::<Vec<_>>());

    let (frames, code) = slow.read_to_close().await;
    assert_eq!(code, 1013);
    let seen = offsets(&frames);
    assert!(seen.len() < 600);
    assert_eq!(seen, (1..=seen.len() as i64).collect::<Vec<_>>());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_that_knows_notices_is_told_what_it_missed_and_closed_if_it_stays_slow() {
    let world = World::new().await;
    let mut slow = world.connect_narrow().await;
    slow.ask(json!({"type": "subscribe", "channels": ["errors"], "ref": 1}))
        .await;
    let mut quick = world.connect().await;
    quick.subscribe(&["errors"]).await;
    tokio::join!(world.log_errors(messages(600)), quick.next_many(600));

    let mut last = 0;
    let lagged = loop {
        let frame = slow.next().await;
        match frame["offset"].as_i64() {
            Some(offset) => {
                assert_eq!(offset, last + 1);
                last = offset;
            }
            None => break frame,
        }
    };
    assert_eq!(
        lagged,
        json!({"type": "lagged", "channel": "errors", "from": last + 1, "to": 600, "dropped": 600 - last})
    );
    slow.send(json!({"type": "subscribe", "channels": ["errors"], "since": last, "ref": 2}))
        .await;
    let missed = slow.next_many(600 - last as usize).await;
    assert_eq!(offsets(&missed), (last + 1..=600).collect::<Vec<_>>());
    assert_eq!(slow.next().await["channels"]["errors"]["recovered"], true);

    tokio::join!(world.log_errors(messages(600)), quick.next_many(600));
    // This is what it is to be slow.
    tokio::time::sleep(SLOW).await;
    let (frames, code) = slow.read_to_close().await;
    assert_eq!(code, 1013);
    assert!(frames.iter().all(|frame| frame["type"] == "error_logged"));
    world.end().await;
}

#[tokio::test]
async fn a_message_has_at_most_64_kib() {
    let world = World::new().await;
    let mut client = world.connect().await;
    client.send_raw(Message::text("x".repeat(MAX_MESSAGE_BYTES))).await;
    assert_eq!(client.next().await["code"], "INVALID_JSON");
    client.try_send(Message::text("x".repeat(MAX_MESSAGE_BYTES + 1))).await;
    assert_eq!(client.read_to_close().await, (vec![], 1009));

    let mut huge = world.connect().await;
    huge.try_send(Message::text("x".repeat(4 * 1024 * 1024))).await;
    assert_eq!(huge.read_to_close().await.1, 1009);
    world.end().await;
}

#[tokio::test]
async fn binary_messages_are_not_understood() {
    let world = World::new().await;
    let mut client = world.connect().await;
    client.send_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.read_to_close().await, (vec![], 1003));
    world.end().await;
}

#[tokio::test]
async fn a_flood_of_messages_is_refused_and_then_closed() {
    let world = World::new().await;
    let mut client = world.connect().await;
    for number in 0..200 {
        if !client
            .try_send(Message::text(json!({"type": "ping", "ref": number}).to_string()))
            .await
        {
            break;
        }
    }
    let (frames, code) = client.read_to_close().await;
    assert_eq!(code, 1008);
    let num_pongs = frames.iter().filter(|frame| frame["type"] == "pong").count();
    let num_errors = frames.iter().filter(|frame| frame["code"] == "RATE_LIMITED").count();
    assert!((10..15).contains(&num_pongs), "{num_pongs} pongs");
    assert!((10..15).contains(&num_errors), "{num_errors} errors");
    assert_eq!(num_pongs + num_errors, frames.len());
    world.end().await;
}

#[tokio::test]
async fn a_flood_of_pongs_that_nobody_asked_for_is_closed() {
    let world = World::new().await;
    let mut client = world.connect().await;
    for _ in 0..200 {
        if !client.try_send(Message::Pong(Bytes::new())).await {
            break;
        }
    }
    assert_eq!(client.read_to_close().await.1, 1008);
    world.end().await;
}

#[tokio::test]
async fn all_connections_are_told_when_the_service_stops() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = world.connect().await;
        client.subscribe(&["errors"]).await;
        clients.push(client);
    }
    assert_eq!(world.sessions.count(), 20);
    // One that has gone is not counted, one that does not listen does not keep the others.
    clients.pop().unwrap().close().await;
    eventually("one connection fewer", || world.sessions.count() == 19).await;
    let deaf = clients.pop().unwrap();

    let mut closing = JoinSet::new();
    for mut client in clients {
        closing.spawn(async move { client.read_to_close().await });
    }
    let start = Instant::now();
    world.sessions.close(Duration::from_secs(2)).await;
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(world.sessions.count(), 0);
    while let Some(end) = closing.join_next().await {
        assert_eq!(end.unwrap(), (vec![], 1001));
    }
    drop(deaf);
    let connection = tokio::net::TcpStream::connect(world.address).await.unwrap();
    assert_eq!(Client::refused(connection).await, 503);
    world.end().await;
}

/// A session over a pipe, whose clock can be turned: it never asks the bus for anything.
async fn piped() -> (JoinSet<()>, DuplexStream, Arc<tempfile::TempDir>) {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let store = open_store(&directory).await;
    let viewer = Viewer::new(Caller::local(), LOCAL, credentials(&store, &directory).await);
    let bus = EventBus::new(Handle::new("nobody", 1), store);
    let (near, far) = tokio::io::duplex(4096);
    tokio::time::pause();
    let mut tasks = JoinSet::new();
    let presence = Clients::default().enter(viewer.visitor());
    tasks.spawn(async move {
        Session::new(near, bus, viewer, presence, CancellationToken::new())
            .await
            .run()
            .await
    });
    (tasks, far, directory)
}

#[tokio::test]
async fn a_client_that_answers_pings_is_kept_and_one_that_does_not_is_closed() {
    let (mut tasks, far, _directory) = piped().await;
    let start = Instant::now();
    let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
    // Reading answers: four pings are 100 s.
    for beat in 1..=4 {
        let ping = client.next().await.unwrap().unwrap();
        assert_eq!(ping, Message::Ping(Bytes::new()));
        assert_eq!(start.elapsed().as_secs(), 25 * beat);
    }
    // The fourth pong is written with the next read, which is 11 s late: the server has given up.
    tokio::time::sleep(Duration::from_secs(11)).await;
    let close = client.next().await.unwrap().unwrap();
    assert!(matches!(close, Message::Close(Some(frame)) if u16::from(frame.code) == 4001));
    drop(client);
    tasks.join_next().await.unwrap().unwrap();
}
