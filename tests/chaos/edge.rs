//! The edge as a process of its own: what it forwards, how it drains and hands over, and how it survives.

mod app;
mod control;
mod draining;
mod forwarding;
mod handover;
mod upkeep;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    time::timeout,
};

use crate::support::{eventually, free_port, kill_processes, program};

const DEADLINE: Duration = Duration::from_secs(30);

/// A data directory with an edge in it, and whatever took its place. Dropping it kills them all.
struct Scene {
    data_dir: TempDir,
    edge: Child,
}

impl Scene {
    async fn start() -> Self {
        let data_dir = TempDir::with_prefix("borgos-edge-").unwrap();
        let edge = edge_of(data_dir.path()).spawn().unwrap();
        let scene = Self { data_dir, edge };
        scene.answers().await;
        scene
    }

    fn socket(&self) -> PathBuf {
        self.data_dir.path().join("edge/control.sock")
    }

    async fn answers(&self) -> Value {
        eventually("the edge answers", async || {
            ask(&self.socket(), json!("identify")).await
        })
        .await
    }

    /// Asks the edge; panics if it does not answer.
    async fn ask(&self, request: Value) -> Value {
        ask(&self.socket(), request).await.unwrap()
    }

    /// Leads a new port to these targets.
    async fn route(&self, targets: &[SocketAddr]) -> SocketAddr {
        let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
        self.set(listen, targets, 1).await;
        listen
    }

    async fn set(&self, listen: SocketAddr, targets: &[SocketAddr], revision: u64) {
        let answer = self.ask(set(1, listen, targets, revision)).await;
        assert_eq!(answer, json!({"Ok": "set"}));
    }

    async fn drain(&self, target: SocketAddr, deadline_ms: u64) -> Value {
        self.ask(json!({"drain": {"deployment": 1, "target": target, "deadline_ms": deadline_ms}}))
            .await
    }

    /// Returns what the edge says about the first route's target.
    async fn target(&self, address: SocketAddr) -> Value {
        let answer = self.ask(json!("list")).await;
        let targets = answer["Ok"]["routes"][0]["targets"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found = targets.into_iter().find(|target| target["address"] == json!(address));
        found.unwrap_or(Value::Null)
    }

    async fn kill_9(&mut self) {
        self.edge.kill().await.unwrap();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        kill_processes(self.data_dir.path());
    }
}

fn set(deployment: i64, listen: SocketAddr, targets: &[SocketAddr], revision: u64) -> Value {
    json!({"set": {"deployment": deployment, "listen": listen, "targets": targets, "revision": revision}})
}

/// Returns the command that is an edge for this data directory.
fn edge_of(data_dir: &Path) -> Command {
    let mut command = program();
    command
        .arg("edge")
        .arg(data_dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

async fn ask(socket: &Path, request: Value) -> Result<Value, String> {
    let asked = async {
        let mut stream = BufReader::new(UnixStream::connect(socket).await?);
        stream.write_all(format!("{request}\n").as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        Ok::<Value, std::io::Error>(serde_json::from_str(&line)?)
    };
    match timeout(DEADLINE, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Connects through the edge, says something and returns what an app that says its name answers.
async fn greet(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.shutdown().await?;
    let mut name = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut name)).await??;
    Ok(name)
}
