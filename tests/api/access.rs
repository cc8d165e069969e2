//! Who may ask: the token, and the checks against pages of other sites.

use borgos::routes::{Scope, TABLE};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Http, Runtime, Setup, World};

const TOKEN: &str = "let-me-in-0123456789";
/// Public, and lets in who has signed the body; a token of ours is none of its business.
const SIGNED: &str = "/api/v1/hooks/{id}";

#[tokio::test]
async fn no_endpoint_but_the_public_ones_answers_without_the_token() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let stranger = Http::new(&world.base_url(), None);
    let guesser = Http::new(&world.base_url(), Some("let-me-in-0123456788"));
    for endpoint in TABLE {
        let path = endpoint
            .path
            .replace("{id}", "1")
            .replace("{path}", "event-bus")
            .replace("{file}", "README.md");
        for client in [&stranger, &guesser] {
            let answer = client
                .try_send(endpoint.method.clone(), &path, Some(&json!({})))
                .await
                .unwrap();
            if endpoint.path == SIGNED {
                assert_eq!(answer.expect(401)["code"], "INVALID_SIGNATURE");
            } else if endpoint.scope == Scope::Public {
                answer.expect(200);
            } else {
                assert_documented_refusal(answer, &path);
            }
        }
        let known = world
            .try_send(endpoint.method.clone(), &path, Some(&json!({})))
            .await
            .unwrap();
        assert!(
            endpoint.path == SIGNED || !matches!(known.status, 401 | 403 | 405),
            "{} {path}: {known:?}",
            endpoint.method
        );
    }
    assert_eq!(world.num_rows().await, 0);
    world.close().await;
}

fn assert_documented_refusal(answer: Answer, path: &str) {
    assert!(
        answer.header("www-authenticate").starts_with("Bearer"),
        "{path}: {answer:?}"
    );
    let body = answer.expect(401);
    assert_eq!(body["error"], "Unauthorized", "{path}");
    assert_eq!(body["message"], "Invalid or missing authentication token", "{path}");
}

#[tokio::test]
async fn a_request_for_another_host_is_refused() {
    let world = Setup::new(Runtime::Process).start().await;
    let status_for = async |host: &str| {
        let request = world.request(Method::GET, "/api/v1/projects").header("host", host);
        Answer::to(request).await.unwrap()
    };
    for host in ["localhost", "localhost:8081", "127.0.0.1", "[::1]:1"] {
        status_for(host).await.expect(200);
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "192.0.2.1",
        "127.0.0.1.evil.example:8081",
    ] {
        assert_eq!(status_for(host).await.expect(403)["code"], "HOST_NOT_ALLOWED", "{host}");
    }
    for (head, status) in [
        ("GET /health HTTP/1.1\r\n", "400"),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", "400"),
        ("GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n", "400"),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\n", "200"),
    ] {
        let answer = raw(&world, head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head:?}: {answer}");
    }
    world.close().await;
}

#[tokio::test]
async fn a_page_of_another_site_can_neither_write_nor_listen() {
    let world = Setup::new(Runtime::Process).start().await;
    let project = world.project("mine", "one");
    let body = json!({"name": "mine", "path": project.path()});
    for origin in [
        "http://evil.example",
        "https://localhost.evil.example",
        "http://localhost:1",
        "null",
        "file://",
    ] {
        let request = world.request(Method::POST, "/api/v1/projects").header("origin", origin);
        let refused = Answer::to(request.json(&body)).await.unwrap().expect(403);
        assert_eq!(refused["code"], "ORIGIN_NOT_ALLOWED", "{origin}");
        assert!(upgrade(&world, origin).await.starts_with("HTTP/1.1 403"), "{origin}");
    }
    assert_eq!(world.num_rows().await, 0);

    let own = world.base_url();
    let request = world.request(Method::POST, "/api/v1/projects").header("origin", &own);
    Answer::to(request.json(&body)).await.unwrap().expect(201);
    assert!(upgrade(&world, &own).await.starts_with("HTTP/1.1 101"));
    world.close().await;
}

/// Asks for `/ws` as a browser does, and returns the head of the answer.
async fn upgrade(world: &World, origin: &str) -> String {
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        address(world)
    );
    raw(world, &head).await
}

fn address(world: &World) -> String {
    world.base_url().replace("http://", "")
}

/// Sends a request that no proper client would send, and returns the beginning of the answer.
async fn raw(world: &World, head: &str) -> String {
    let mut connection = TcpStream::connect(address(world)).await.unwrap();
    connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let num_bytes = connection.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..num_bytes]).into_owned()
}
