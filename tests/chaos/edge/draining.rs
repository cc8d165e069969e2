//! Connections leave an instance that is to end.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    super::load::Load,
    DEADLINE, Scene,
    app::{App, DOWNLOAD_PIECE_BYTES, DOWNLOAD_PIECES},
};
use crate::support::eventually;

fn drained(num_cut: usize) -> serde_json::Value {
    json!({"Ok": {"drained": {"num_cut": num_cut}}})
}

/// Asks for something and returns the connection with the answer.
async fn asked(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

async fn read(client: &mut TcpStream, num_bytes: usize) -> String {
    let mut answer = vec![0; num_bytes];
    timeout(DEADLINE, client.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
const HEALTH_BYTES: usize = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".len();

#[tokio::test]
async fn no_request_fails_while_instances_come_and_go_under_load() {
    let scene = Scene::start().await;
    let mut current = App::http().await;
    let address = scene.route(&[current.address]).await;
    let load = Load::on(address.port());
    for revision in 2..22 {
        let next = App::http().await;
        scene.set(address, &[next.address], revision).await;
        assert_eq!(scene.drain(current.address, 20_000).await, drained(0));
        eventually("the old instance has no connection", async || {
            match current.num_connections() {
                0 => Ok(()),
                left => Err(left),
            }
        })
        .await;
        load.goes_on().await;
        current = next;
    }
    load.finish().await;
}

#[tokio::test]
async fn a_kept_connection_goes_to_the_new_instance_and_its_client_notices_nothing() {
    let scene = Scene::start().await;
    let (old, new) = (App::http().await, App::http().await);
    let address = scene.route(&[old.address]).await;
    let mut used = asked(address, HEALTH).await;
    assert!(read(&mut used, HEALTH_BYTES).await.ends_with("ok"));
    let mut fresh = TcpStream::connect(address).await.unwrap();
    eventually("both are connected", async || match old.num_connections() {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    scene.set(address, &[new.address], 2).await;
    assert_eq!(scene.drain(old.address, 20_000).await, drained(0));
    drop(old);
    for client in [&mut used, &mut fresh] {
        client.write_all(HEALTH.as_bytes()).await.unwrap();
        assert!(read(client, HEALTH_BYTES).await.ends_with("ok"));
    }
}

#[tokio::test]
async fn a_download_goes_on_to_its_end_and_then_its_connection_goes_elsewhere() {
    let scene = Scene::start().await;
    let (old, new) = (App::http().await, App::http().await);
    let address = scene.route(&[old.address]).await;
    let mut client = asked(address, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n").await;
    read(&mut client, 20).await;
    scene.set(address, &[new.address], 2).await;
    let (drained_at_last, rest) = tokio::join!(scene.drain(old.address, 20_000), async {
        let rest = DOWNLOAD_PIECES * DOWNLOAD_PIECE_BYTES;
        read(
            &mut client,
            rest + "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n".len() - 20,
        )
        .await
    });
    assert_eq!(drained_at_last, drained(0));
    assert!(rest.ends_with("xxx"));
    client.write_all(HEALTH.as_bytes()).await.unwrap();
    assert!(read(&mut client, HEALTH_BYTES).await.ends_with("ok"));
    assert_eq!((old.num_connections(), new.num_connections()), (0, 1));
}

#[tokio::test]
async fn what_is_no_http_is_closed_once_it_is_silent_and_its_farewell_arrives() {
    let scene = Scene::start().await;
    let (old, new) = (App::echo().await, App::echo().await);
    let address = scene.route(&[old.address]).await;
    let mut client = asked(address, "\x01ping").await;
    read(&mut client, 5).await;
    scene.set(address, &[new.address], 2).await;
    let (answer, closed) = tokio::join!(scene.drain(old.address, 20_000), async {
        let num_bytes = client.read(&mut [0]).await.unwrap();
        client.write_all(b"bye").await.unwrap();
        drop(client);
        num_bytes
    });
    assert_eq!((answer, closed), (drained(0), 0));
    eventually("the old instance has no connection", async || {
        match old.num_connections() {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_cut_and_counted() {
    let scene = Scene::start().await;
    let (old, new) = (App::http().await, App::http().await);
    let address = scene.route(&[old.address]).await;
    let mut busy = asked(address, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut half = asked(address, "POST / HTTP/1.1\r\nContent-Le").await;
    read(&mut busy, 20).await;
    let refused = scene.drain(old.address, 100).await;
    assert_eq!(refused, json!({"Err": {"still_routed": {"target": old.address}}}));
    scene.set(address, &[new.address], 2).await;
    assert_eq!(scene.drain(old.address, 300).await, drained(2));
    for client in [&mut busy, &mut half] {
        let cut = timeout(DEADLINE, client.read_to_end(&mut Vec::new())).await.unwrap();
        assert_eq!(cut.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    assert_eq!(scene.drain(old.address, 300).await, drained(0));
}

#[tokio::test]
async fn a_target_that_the_route_comes_back_to_keeps_its_connections() {
    let scene = Scene::start().await;
    let (old, new) = (App::http().await, App::http().await);
    let address = scene.route(&[old.address]).await;
    let mut busy = asked(address, "GET /download HTTP/1.1\r\nHost: a\r\n\r\n").await;
    read(&mut busy, 20).await;
    scene.set(address, &[new.address], 2).await;
    let both = [old.address, new.address];
    let (answer, ()) = tokio::join!(scene.drain(old.address, 1000), scene.set(address, &both, 3));
    assert!(
        answer == drained(0) || answer["Err"]["still_routed"].is_object(),
        "{answer}"
    );
    let download = timeout(
        Duration::from_secs(10),
        read(&mut busy, DOWNLOAD_PIECES * DOWNLOAD_PIECE_BYTES),
    )
    .await;
    assert!(download.is_ok());
}
