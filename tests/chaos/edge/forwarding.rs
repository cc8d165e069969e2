//! What goes in comes out.

use std::{fs, io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::{DEADLINE, Scene, app::App, greet};
use crate::support::eventually;

const LARGE_BYTES: usize = 200_000_000;
const PATTERN_BYTES: usize = 1_000_003;
const PAUSE_EVERY_BYTES: usize = 20_000_000;

#[tokio::test]
async fn each_direction_ends_on_its_own() {
    let scene = Scene::start().await;
    // The app goes on to speak after its client has ended, and then the other way round.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = scene.route(&[listener.local_addr().unwrap()]).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let (mut app, _) = listener.accept().await.unwrap();
    let mut heard = String::new();
    app.read_to_string(&mut heard).await.unwrap();
    app.write_all(b"answer").await.unwrap();
    drop(app);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!((heard.as_str(), answer.as_str()), ("question", "answer"));

    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut app, _) = listener.accept().await.unwrap();
    app.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    client.write_all(b"last words").await.unwrap();
    drop(client);
    let mut heard = String::new();
    app.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "last words");
}

#[tokio::test]
async fn a_side_that_breaks_off_resets_the_other() {
    let scene = Scene::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = scene.route(&[listener.local_addr().unwrap()]).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"question").await.unwrap();
    let (mut app, _) = listener.accept().await.unwrap();
    app.read_exact(&mut [0; 8]).await.unwrap();
    app.set_zero_linger().unwrap();
    drop(app);
    let broken = timeout(DEADLINE, client.read(&mut [0])).await.unwrap().unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn two_hundred_megabytes_come_through_a_slow_reader_unchanged_in_bounded_memory() {
    let scene = Scene::start().await;
    let app = App::start(|mut stream| async move {
        let pattern = pattern();
        for _ in 0..LARGE_BYTES.div_ceil(pattern.len()) {
            stream.write_all(&pattern).await?;
        }
        Ok(())
    })
    .await;
    let mut client = TcpStream::connect(scene.route(&[app.address]).await).await.unwrap();
    let pattern = [pattern(), pattern()].concat();
    let mut piece = vec![0; PATTERN_BYTES / 4];
    let (mut num_bytes, mut most_memory) = (0, 0);
    loop {
        let num_read = timeout(DEADLINE, client.read(&mut piece)).await.unwrap().unwrap();
        if num_read == 0 {
            break;
        }
        let start = num_bytes % PATTERN_BYTES;
        assert!(
            piece[..num_read] == pattern[start..start + num_read],
            "at byte {num_bytes}"
        );
        if num_bytes / PAUSE_EVERY_BYTES != (num_bytes + num_read) / PAUSE_EVERY_BYTES {
            // Long enough for all buffers to fill up.
            sleep(Duration::from_millis(50)).await;
            most_memory = most_memory.max(resident_kibibytes(&scene));
        }
        num_bytes += num_read;
    }
    assert!(num_bytes >= LARGE_BYTES, "{num_bytes}");
    assert!((1..60_000).contains(&most_memory), "{most_memory} KiB");
}

/// Bytes that do not repeat, of a length that no buffer has, so that nothing that is lost or doubled fits in again.
fn pattern() -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(PATTERN_BYTES).collect()
}

fn resident_kibibytes(scene: &Scene) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", scene.edge.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn connections_go_where_the_fewest_are_and_never_to_who_refuses() {
    let scene = Scene::start().await;
    let apps = [App::echo().await, App::echo().await, App::echo().await];
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let targets: Vec<SocketAddr> = apps.iter().map(|app| app.address).chain([dead]).collect();
    let address = scene.route(&targets).await;
    let mut clients = Vec::new();
    for _ in 0..12 {
        clients.push(echoing(address).await);
    }
    let counts = apps.each_ref().map(App::num_connections);
    assert_eq!(counts, [4, 4, 4]);
    let failures = scene.target(dead).await["num_failures"].as_u64().unwrap();
    assert!((1..12).contains(&failures), "{failures}");
    // Those of one app leave; the next ones go there.
    drop(clients);
    eventually("all connections are closed", async || {
        let counts = apps.each_ref().map(App::num_connections);
        if counts == [0, 0, 0] { Ok(()) } else { Err(counts) }
    })
    .await;
    let stats = scene.target(targets[0]).await;
    assert_eq!(
        (&stats["num_open"], &stats["num_bytes_in"]),
        (&0.into(), &16.into()),
        "{stats}"
    );
}

/// Connects and makes sure that the connection reaches an app.
async fn echoing(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    timeout(DEADLINE, client.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"ping");
    client
}

#[tokio::test]
async fn an_app_that_restarts_costs_a_connection_time_and_no_error() {
    let scene = Scene::start().await;
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = scene.route(&[target]).await;
    let (greeted, _app) = tokio::join!(greet(address), async {
        eventually(
            "the edge has tried",
            async || match scene.target(target).await["num_failures"].as_u64() {
                Some(1..) => Ok(()),
                other => Err(other),
            },
        )
        .await;
        let listener = TcpListener::bind(target).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"new").await.unwrap();
    });
    assert_eq!(greeted.unwrap(), "new");
}

#[tokio::test]
async fn without_any_app_a_connection_is_reset_soon() {
    let scene = Scene::start().await;
    let address = scene.route(&[]).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let refused = timeout(Duration::from_secs(10), client.read(&mut [0])).await.unwrap();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
