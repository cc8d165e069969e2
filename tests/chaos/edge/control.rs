//! The control socket, and who may have the directory.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    time::timeout,
};

use super::{DEADLINE, Scene, app::App, ask, edge_of, greet, set};
use crate::support::{eventually, free_port};

/// Says something on the control socket and returns all that comes back until the edge closes.
async fn say(scene: &Scene, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(scene.socket()).await.unwrap();
    // It may be cut off before it was all said.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn nonsense_is_answered_or_cut_off_and_hurts_nobody() {
    let scene = Scene::start().await;
    let app = App::named("app").await;
    let address = scene.route(&[app.address]).await;
    let (long, half, silent) = (
        vec![b'x'; 1024 * 1024],
        b"{\"set\": {".as_slice(),
        b"\"identi".as_slice(),
    );
    let (long, half, silent) = tokio::join!(say(&scene, &long), say(&scene, half), say(&scene, silent));
    for answer in [&long, &half, &silent] {
        assert!(answer.is_empty() || answer.contains("malformed"), "{answer}");
    }
    let mut stream = UnixStream::connect(scene.socket()).await.unwrap();
    for nonsense in [
        "\n",
        "hello\n",
        "{\"set\": 1}\n",
        "\"ready\"\n",
        "\"taken_over\"\n",
        "{\"drain\": {\"target\": \"x\"}}\n",
    ] {
        stream.write_all(nonsense.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1000];
        let num_bytes = timeout(DEADLINE, stream.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..num_bytes]).into_owned();
        assert!(answer.contains("\"Err\":{\"malformed\""), "{nonsense}: {answer}");
    }
    assert_eq!(greet(address).await.unwrap(), "app");
}

#[tokio::test]
async fn more_clients_than_may_be_do_not_keep_others_out_for_good() {
    let scene = Scene::start().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(UnixStream::connect(scene.socket()).await.unwrap());
    }
    assert!(ask(&scene.socket(), json!("identify")).await.is_err());
    drop(idle);
    scene.answers().await;
}

#[tokio::test]
async fn a_route_is_set_once_however_often_it_is_told_and_never_goes_back() {
    let scene = Scene::start().await;
    let (old, new) = (App::named("old").await, App::named("new").await);
    let address = scene.route(&[old.address]).await;
    scene.set(address, &[new.address], 3).await;
    scene.set(address, &[new.address], 3).await;
    for (targets, revision) in [(&[old.address], 2), (&[old.address], 3)] {
        let refused = scene.ask(set(1, address, targets, revision)).await;
        assert_eq!(refused, json!({"Err": {"outdated": {"known": 3}}}));
    }
    assert_eq!(greet(address).await.unwrap(), "new");
    let impossible = scene.ask(set(1, address, &[address], 4)).await;
    assert!(impossible["Err"]["impossible"].is_string(), "{impossible}");

    let removed = scene
        .ask(json!({"remove": {"deployment": 1, "deadline_ms": 1000}}))
        .await;
    assert_eq!(removed, json!({"Ok": {"removed": {"num_routes": 0}}}));
    assert!(greet(address).await.is_err());
    let removed = scene
        .ask(json!({"remove": {"deployment": 1, "deadline_ms": 1000}}))
        .await;
    assert_eq!(removed["Ok"]["removed"]["num_routes"], 0);
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_with_its_holder_and_changes_nothing() {
    let scene = Scene::start().await;
    let app = App::named("app").await;
    let address = scene.route(&[app.address]).await;
    let taken = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
    let elsewhere = taken.local_addr().unwrap();
    for deployment in [1, 2] {
        let refused = scene.ask(set(deployment, elsewhere, &[app.address], 2)).await;
        let holder = refused["Err"]["port_in_use"]["holder"].as_str().unwrap();
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{refused}");
    }
    let refused = scene.ask(set(2, address, &[app.address], 2)).await;
    assert_eq!(refused["Err"]["port_in_use"]["holder"], "deployment 1", "{refused}");
    assert_eq!(greet(address).await.unwrap(), "app");
    drop(taken);
    // A program that another test starts at this moment has a copy of the socket until it is executed.
    eventually("the port is free", async || {
        match scene.ask(set(1, elsewhere, &[app.address], 2)).await {
            answer if answer == json!({"Ok": "set"}) => Ok(()),
            refused => Err(refused),
        }
    })
    .await;
    assert_eq!(greet(elsewhere).await.unwrap(), "app");
    assert!(greet(address).await.is_err());
}

#[tokio::test]
async fn only_one_edge_has_a_directory_and_only_its_owner_looks_into_it() {
    let scene = Scene::start().await;
    let second = timeout(DEADLINE, edge_of(scene.data_dir.path()).output())
        .await
        .unwrap()
        .unwrap();
    let complaint = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success());
    assert!(
        complaint.contains(&format!("(process {})", scene.edge.id().unwrap())),
        "{complaint}"
    );
    let directory = scene.data_dir.path().join("edge");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(directory.clone()), mode(scene.socket())), (0o700, 0o600));
    assert_eq!(mode(directory.join("lock")), 0o600);
}

#[tokio::test]
async fn an_edge_that_is_stopped_ends_in_order_and_leaves_its_routes() {
    let mut scene = Scene::start().await;
    let app = App::named("app").await;
    let address = scene.route(&[app.address]).await;
    assert_eq!(
        scene.ask(json!({"stop": {"deadline_ms": 1000}})).await,
        json!({"Ok": "stopping"})
    );
    let status = timeout(Duration::from_secs(10), scene.edge.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(greet(address).await.is_err());
    scene.edge = edge_of(scene.data_dir.path()).spawn().unwrap();
    scene.answers().await;
    assert_eq!(greet(address).await.unwrap(), "app");
}
