//! Requests that become a WebSocket, and those that do not.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::world::{World, eventually};

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends a request and returns the head of the answer.
async fn answer(world: &World, headers: &str) -> String {
    let mut connection = TcpStream::connect(world.address).await.unwrap();
    let request = format!("GET /ws HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(connection.read_buf(&mut answer).await.unwrap(), 0);
    }
    String::from_utf8(answer).unwrap().to_ascii_lowercase()
}

#[tokio::test]
async fn the_answer_proves_that_the_key_was_read() {
    let world = World::new().await;
    let answer = answer(&world, &format!("{UPGRADE}Sec-WebSocket-Version: 13\r\n")).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    // The example of RFC 6455.
    assert!(
        answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{answer}"
    );
    // The client has gone without a word.
    eventually("no connection", || world.sessions.count() == 0).await;
    world.end().await;
}

#[tokio::test]
async fn other_requests_are_told_what_to_do() {
    let world = World::new().await;
    let plain = answer(&world, "").await;
    assert!(
        plain.starts_with("http/1.1 426") && plain.contains("upgrade: websocket"),
        "{plain}"
    );
    let old = answer(&world, &format!("{UPGRADE}Sec-WebSocket-Version: 8\r\n")).await;
    assert!(
        old.starts_with("http/1.1 426") && old.contains("sec-websocket-version: 13"),
        "{old}"
    );
    let without_key = answer(
        &world,
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
    )
    .await;
    assert!(without_key.starts_with("http/1.1 400"), "{without_key}");
    assert_eq!(world.sessions.count(), 0);
    world.end().await;
}
