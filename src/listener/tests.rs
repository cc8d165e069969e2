//! Real connections to a real listener.

use std::{net::SocketAddr, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    task::JoinHandle,
    time::Instant,
};
use warp::{Filter, Reply};

use super::*;
use crate::guard::{
    Guard, audit::Auditor, auth::tests::authorizer, client::Proxies, cors::Cors, host::Hosts, limits::Limits,
};

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    _directory: TempDir,
}

impl Server {
    /// Starts a server whose only route answers with a number of bytes, or panics.
    async fn start(num_bytes: fn() -> usize) -> Self {
        let route = warp::path!("health")
            .map(move || "x".repeat(num_bytes()).into_response())
            .boxed();
        let (authorizer, store, directory) = authorizer(None).await;
        let hosts = Hosts::new(true, Vec::new(), Cors::default());
        let guard = Guard::new(hosts, authorizer, Limits::new(None), Proxies::default());
        let service = Service::new(guard, Auditor::new(store), route);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let entrance = Entrance {
            listener,
            tls: None,
            proxies: Proxies::default(),
        };
        let (sender, stop) = Stop::new();
        Self {
            address,
            stop: sender,
            serving: tokio::spawn(serve(entrance, service, stop)),
            _directory: directory,
        }
    }

    /// Sends a text and reads until the server closes.
    async fn exchange(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn every_answer_has_an_id_and_errors_repeat_it() {
    let server = Server::start(|| 2).await;
    let answer = server
        .exchange(&get("/health").replace("Host", "X-Request-Id: mine\r\nHost"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("x-request-id: mine\r\n"),
        "{answer}"
    );
    let answer = server
        .exchange(&get("/none").replace("Host", "X-Request-Id: mine\r\nHost"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains(r#""request_id":"mine""#),
        "{answer}"
    );
    server.end().await;
}

#[tokio::test]
async fn a_panic_is_an_answer_with_an_id_and_the_next_request_is_served() {
    let server = Server::start(|| panic!("canary")).await;
    for _ in 0..2 {
        let answer = server.exchange(&get("/health")).await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(
            answer.contains(r#""code":"INTERNAL","request_id":"req_"#) && !answer.contains("canary"),
            "{answer}"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn a_length_stated_twice_is_refused_and_what_follows_is_not_read() {
    let server = Server::start(|| 2).await;
    let both =
        "POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n";
    let answer = server.exchange(&format!("{both}{}", get("/health"))).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("AMBIGUOUS_LENGTH"),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    server.end().await;
}

#[tokio::test]
async fn who_sends_a_body_that_nobody_reads_gets_the_answer() {
    let server = Server::start(|| 2).await;
    let body = "x".repeat(4 * 1024 * 1024);
    let head = format!(
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = server.exchange(&format!("{head}{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");

    let started = Instant::now();
    let answer = server.exchange(&head).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "the answer is there before the wait"
    );
    server.end().await;
}

#[tokio::test]
async fn who_sends_nothing_or_half_a_head_is_disconnected() {
    let server = Server::start(|| 2).await;
    // Only now: a database is not opened by a clock that jumps.
    tokio::time::pause();
    for text in ["", "PRI * HTTP/2", "GET /health HTTP/1.1\r\nHo"] {
        let started = Instant::now();
        assert_eq!(server.exchange(text).await, "", "{text:?}");
        assert!(started.elapsed() < Duration::from_secs(11), "{text:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn who_is_silent_after_an_answer_is_disconnected() {
    let server = Server::start(|| 2).await;
    // Only now: a database is not opened by a clock that jumps.
    tokio::time::pause();
    let started = Instant::now();
    let answer = server.exchange(&get("/health").replace("close", "keep-alive")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
    server.end().await;
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_disconnected() {
    const NUM_BYTES: usize = 64 * 1024 * 1024;
    let server = Server::start(|| NUM_BYTES).await;
    // Only now: a database is not opened by a clock that jumps.
    tokio::time::pause();
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(get("/health").as_bytes()).await.unwrap();
    client.readable().await.unwrap();
    sleep(tap::WRITE_DEADLINE * 2).await;
    let mut received = Vec::new();
    let is_whole = client.read_to_end(&mut received).await.is_ok() && received.len() >= NUM_BYTES;
    assert!(!is_whole, "the rest was thrown away with the connection");
    server.end().await;
}

#[tokio::test]
async fn a_stop_ends_idle_connections_at_once() {
    let server = Server::start(|| 2).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(get("/health").replace("close", "keep-alive").as_bytes())
        .await
        .unwrap();
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    let address = server.address;
    timeout(DRAIN_DEADLINE / 2, server.end()).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
