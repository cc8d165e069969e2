//! BorgOS is told to end in the middle of everything, or is frozen for a while.

use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    load::Load,
    scene::{Deployed, TRUTH_TIMEOUT, project},
};
use crate::support::{Runtime, Setup, World, eventually_within};

const STOP_PROMISE: Duration = Duration::from_secs(10);
const FROZEN_FOR: Duration = Duration::from_secs(20);

/// Opens a connection, gets an answer over it, and keeps it.
async fn idle_connection(world: &World) -> TcpStream {
    let address = world.base_url().replace("http://", "");
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    connection
}

#[tokio::test]
async fn an_orderly_stop_waits_for_nobody_and_forgets_nothing() {
    let mut world = Setup::new(Runtime::Docker).start().await;
    let steady = Deployed::running(&world, "steady").await;
    let instances = steady.really_there(&world).await;
    let mut socket = world.socket().await;
    socket.subscribe(&["deployments"]).await;
    let idle = idle_connection(&world).await;
    let slow = project(&world, "slow", "3");
    let project_id = world.create_project("slow", slow.path()).await;
    let deploying = Deployed::begin(&world, project_id, "slow", &json!({})).await;
    socket
        .next_event("deployment_status", |data| data["status"] == "building")
        .await;
    let load = Load::on(steady.port);

    let start = Instant::now();
    world.terminate().await;
    assert!(start.elapsed() < STOP_PROMISE, "the stop took {:?}", start.elapsed());
    assert_eq!(u16::from(socket.closed().await.code), 1001);
    drop(idle);

    world.boot().await;
    deploying.is_truly_running(&world).await;
    steady.is_truly_running(&world).await;
    assert_eq!(steady.really_there(&world).await, instances);
    load.finish().await;
    world.close().await;
}

#[tokio::test]
async fn a_server_that_was_frozen_goes_on() {
    let world = Setup::new(Runtime::Docker).start().await;
    let deployed = Deployed::running(&world, "steady").await;
    let before = deployed.is_truly_running(&world).await;
    let load = Load::on(deployed.port);

    world.signal(Signal::STOP);
    sleep(FROZEN_FOR).await;
    world.signal(Signal::CONT);
    eventually_within(TRUTH_TIMEOUT, "the server is well", async || {
        // The connection that was idle all the time may be closed at once.
        match world.try_send(Method::GET, "/health", None).await {
            Ok(health) if health.status == 200 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    let after = deployed.is_truly_running(&world).await;
    for field in ["container_id", "generation", "restarts", "started_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    load.finish().await;
    world.close().await;
}
