//! Deployments: their life, and who gets a port.

mod cancel;
mod changes;
mod commits;
mod life;
mod logs;
mod plans;
mod ports;
mod releases;
mod secrets;
mod sources;
mod volumes;

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Http, World, eventually};

/// Creates a project for the directory and deploys it as the body says. Returns the deployment's id.
async fn deploy(world: &World, directory: &Path, mut body: Value) -> i64 {
    body["project_id"] = json!(world.create_project("deployed", directory).await);
    world.post("/api/v1/deploy", &body).await.expect(201)["id"]
        .as_i64()
        .unwrap()
}

/// Waits until what is deployed on the port answers this text.
async fn answers(port: u16, text: &str) {
    let app = Http::new(&format!("http://127.0.0.1:{port}"), None);
    let what = format!("port {port} answers `{text}`");
    eventually(&what, async || match app.try_send(Method::GET, "/", None).await {
        Ok(answer) if answer.text == text => Ok(()),
        other => Err(other),
    })
    .await;
}

/// Checks that nobody listens on the port.
async fn assert_silent(port: u16) {
    let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    assert!(connected.is_err(), "something still listens on port {port}");
}
