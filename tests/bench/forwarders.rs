//! What stands between client and app.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    time::{Instant, sleep},
};

const READY_TIMEOUT: Duration = Duration::from_secs(10);
const NGINX_STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// The real binary. Dropping it kills it.
pub(super) struct Edge {
    pub(super) addresses: [SocketAddr; 2],
    process: Child,
    _data_dir: TempDir,
}

/// nginx as a TCP proxy. Dropping it ends it.
pub(super) struct Nginx {
    pub(super) addresses: [SocketAddr; 2],
    process: Child,
    _directory: TempDir,
}

impl Edge {
    pub(super) async fn start(targets: [SocketAddr; 2]) -> Result<Self> {
        let data_dir = TempDir::with_prefix("borgos-bench-")?;
        let process = Command::new(env!("CARGO_BIN_EXE_borgos"))
            .arg("edge")
            .arg(data_dir.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let addresses = free_addresses()?;
        for (deployment, (listen, target)) in addresses.iter().zip(targets).enumerate() {
            let request = json!({"set": {
                "deployment": deployment, "listen": listen, "targets": [target], "revision": 1,
            }});
            let answer = ask(&data_dir.path().join("edge/control.sock"), &request).await?;
            ensure!(answer == json!({"Ok": "set"}), "the edge says {answer}");
        }
        Ok(Self {
            addresses,
            process,
            _data_dir: data_dir,
        })
    }

    /// Returns how much of its memory is in RAM.
    pub(super) fn resident_megabytes(&self) -> Result<f64> {
        let pid = self.process.id().context("the edge has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }
}

impl Nginx {
    /// Starts it with one worker for each core, as the edge has one thread for each; nothing if it is not installed.
    pub(super) async fn start(targets: [SocketAddr; 2]) -> Result<Option<Self>> {
        if !Path::new(NGINX_STREAM).exists() {
            return Ok(None);
        }
        let directory = TempDir::with_prefix("borgos-bench-")?;
        let addresses = free_addresses()?;
        let servers = addresses.iter().zip(targets);
        let servers = servers.map(|(listen, target)| format!("server {{ listen {listen}; proxy_pass {target}; }}\n"));
        let configuration = format!(
            "load_module {NGINX_STREAM};\ndaemon off;\npid {}/pid;\nerror_log stderr;\nworker_processes auto;\n\
             events {{ worker_connections 1024; }}\nstream {{\n{}}}\n",
            directory.path().display(),
            servers.collect::<String>()
        );
        let path = directory.path().join("nginx.conf");
        fs::write(&path, configuration)?;
        let process = Command::new("nginx")
            .arg("-c")
            .arg(path)
            .arg("-p")
            .arg(directory.path())
            .stdin(Stdio::null())
            .spawn()
            .context("nginx does not start")?;
        let nginx = Self {
            addresses,
            process,
            _directory: directory,
        };
        for address in addresses {
            drop(retry(async || Ok(TcpStream::connect(address).await?)).await?);
        }
        Ok(Some(nginx))
    }
}

impl Drop for Nginx {
    /// Its workers would outlive a master that is killed.
    fn drop(&mut self) {
        let pid = self
            .process
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::TERM)) {
            eprintln!("nginx is left over: {error}");
        }
    }
}

fn free_addresses() -> Result<[SocketAddr; 2]> {
    let (one, other) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([one.local_addr()?, other.local_addr()?])
}

async fn ask(socket: &Path, request: &Value) -> Result<Value> {
    let stream = retry(async || Ok(UnixStream::connect(socket).await?)).await?;
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{request}\n").as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}

async fn retry<T>(attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    let begin = Instant::now();
    loop {
        match attempt().await {
            Err(error) if begin.elapsed() > READY_TIMEOUT => return Err(error),
            Err(_) => sleep(Duration::from_millis(5)).await,
            Ok(done) => return Ok(done),
        }
    }
}
