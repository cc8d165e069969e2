//! The real binary as the bench runs it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// A running BorgOS with a data directory of its own. Dropping it kills it.
pub(super) struct Borgos {
    pub(super) address: SocketAddr,
    /// From the start of the process to the first good answer of `/health`, on an existing database.
    pub(super) ready_after: Duration,
    process: Child,
    directory: TempDir,
    client: reqwest::Client,
}

impl Borgos {
    /// Starts it twice, since only the first start has to make the database.
    pub(super) async fn start() -> Result<Self> {
        let provider = rustls::crypto::ring::default_provider().install_default();
        ensure!(provider.is_ok(), "another TLS provider is installed");
        let directory = TempDir::with_prefix("borgos-bench-")?;
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let mut first = spawn(directory.path(), address)?;
        ready(&client, address).await?;
        first.kill().await?;
        let begin = Instant::now();
        let process = spawn(directory.path(), address)?;
        ready(&client, address).await?;
        Ok(Self {
            address,
            ready_after: begin.elapsed(),
            process,
            directory,
            client,
        })
    }

    /// Fills the list that is asked for.
    pub(super) async fn create_projects(&self, count: usize) -> Result<()> {
        for number in 0..count {
            let path = self.directory.path().join(format!("project-{number}"));
            fs::create_dir(&path)?;
            let body = json!({
                "name": format!("project-{number}"), "path": path, "project_type": "api",
                "tech_stack": ["fastapi", "postgresql"],
            });
            let request = self
                .client
                .post(format!("http://{}/api/v1/projects", self.address))
                .json(&body);
            request.send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// Returns its process id.
    pub(super) fn pid(&self) -> Result<u32> {
        self.process.id().context("borgos has ended")
    }

    /// Returns how much of its memory is in RAM.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        resident_bytes_of(self.pid()?)
    }
}

/// Returns how much of a process's memory is in RAM.
pub(super) fn resident_bytes_of(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

fn spawn(directory: &Path, address: SocketAddr) -> Result<Child> {
    let child = Command::new(env!("CARGO_BIN_EXE_borgos"))
        .args(["serve", "--rate-limit", "off", "--runtime", "process", "--log", "warn"])
        .arg("--listen")
        .arg(address.to_string())
        .arg("--data-dir")
        .arg(directory.join("data"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

async fn ready(client: &reqwest::Client, address: SocketAddr) -> Result<()> {
    let begin = Instant::now();
    let url = format!("http://{address}/health");
    loop {
        match client.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            other => ensure!(begin.elapsed() < READY_TIMEOUT, "not ready: {other:?}"),
        }
        sleep(Duration::from_millis(1)).await;
    }
}
