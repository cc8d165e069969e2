//! A new edge takes over from one that runs.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{super::load::Load, DEADLINE, Scene, app::App, edge_of, greet};
use crate::support::eventually;

/// Starts another edge in the place of the one that runs, and waits until that one has ended with success.
async fn replace(scene: &mut Scene) {
    let next = edge_of(scene.data_dir.path()).arg("take-over").spawn().unwrap();
    let mut old = std::mem::replace(&mut scene.edge, next);
    // Sooner than it would cut what it could not hand over.
    let status = timeout(Duration::from_secs(15), old.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    let identity = scene.answers().await;
    assert_eq!(
        identity["Ok"]["identity"]["pid"].as_u64(),
        scene.edge.id().map(u64::from)
    );
}

async fn echoed(client: &mut TcpStream) {
    client.write_all(b"\x01ping").await.unwrap();
    let mut answer = [0; 5];
    timeout(DEADLINE, client.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn no_request_fails_while_one_edge_after_the_other_takes_over() {
    let mut scene = Scene::start().await;
    let app = App::http().await;
    let address = scene.route(&[app.address]).await;
    let load = Load::on(address.port());
    for _ in 0..5 {
        load.goes_on().await;
        replace(&mut scene).await;
    }
    load.goes_on().await;
    load.finish().await;
    let status = timeout(DEADLINE, edge_of(scene.data_dir.path()).output())
        .await
        .unwrap()
        .unwrap();
    assert!(!status.status.success(), "the lock was handed over, too");
}

#[tokio::test]
async fn what_cannot_be_handed_over_goes_on_in_the_old_edge_to_its_end() {
    let mut scene = Scene::start().await;
    let app = App::echo().await;
    let address = scene.route(&[app.address]).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    echoed(&mut client).await;
    let next = edge_of(scene.data_dir.path()).arg("take-over").spawn().unwrap();
    let mut old = std::mem::replace(&mut scene.edge, next);
    let new_pid = scene.edge.id().map(u64::from);
    eventually("the new edge answers", async || {
        let identity = scene.answers().await;
        match identity["Ok"]["identity"]["pid"].as_u64() == new_pid {
            true => Ok(()),
            false => Err(identity),
        }
    })
    .await;
    echoed(&mut client).await;
    assert!(old.try_wait().unwrap().is_none());
    drop(client);
    let status = timeout(DEADLINE, old.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    echoed(&mut TcpStream::connect(address).await.unwrap()).await;
}

#[tokio::test]
async fn a_takeover_that_is_not_finished_changes_nothing() {
    let scene = Scene::start().await;
    let app = App::named("app").await;
    let address = scene.route(&[app.address]).await;
    let mut stream = UnixStream::connect(scene.socket()).await.unwrap();
    let request = json!({"take_over": {"format": 1, "grace_ms": 1000}});
    stream.write_all(format!("{request}\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let num_bytes = timeout(DEADLINE, stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..num_bytes]).contains("num_listeners"));
    stream.write_all(b"\"ready\"\n").await.unwrap();
    drop(stream);
    eventually("the edge takes routes again", async || {
        match scene.ask(super::set(1, address, &[app.address], 2)).await {
            answer if answer == json!({"Ok": "set"}) => Ok(()),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(greet(address).await.unwrap(), "app");
    let other_format = scene.ask(json!({"take_over": {"format": 99, "grace_ms": 1000}})).await;
    assert!(other_format["Err"]["impossible"].is_string(), "{other_format}");
}

#[tokio::test]
async fn an_edge_that_was_killed_listens_on_the_same_port_without_being_told() {
    let mut scene = Scene::start().await;
    let app = App::named("app").await;
    let address: SocketAddr = scene.route(&[app.address]).await;
    scene.kill_9().await;
    assert!(greet(address).await.is_err());
    // Taking over from nobody is starting.
    scene.edge = edge_of(scene.data_dir.path()).arg("take-over").spawn().unwrap();
    let greeted = timeout(Duration::from_secs(10), async {
        loop {
            if let Ok(name) = greet(address).await {
                return name;
            }
        }
    });
    assert_eq!(greeted.await.unwrap(), "app");
}
