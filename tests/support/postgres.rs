//! A PostgreSQL server of a test's own, which can be ended without harm to other tests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};
use sea_orm::Database;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{eventually, free_port};

/// A server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Postgres {
    directory: TempDir,
    port: u16,
    server: Child,
}

impl Postgres {
    /// Makes an empty server and starts it.
    pub(crate) async fn start() -> Self {
        let directory = TempDir::with_prefix("borgos-postgres-").expect("a temporary directory");
        run(Command::new("chown").arg("postgres:").arg(directory.path())).await;
        let data = directory.path().join("data");
        let arguments = [
            "--auth",
            "trust",
            "--no-sync",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
        ];
        run(program("initdb").arg("--pgdata").arg(&data).args(arguments)).await;
        let port = free_port();
        let mut postgres = Self {
            server: spawn(directory.path(), port),
            directory,
            port,
        };
        postgres.until_ready().await;
        postgres
    }

    /// Returns the address of a database that is always there.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it by this signal, whoever is connected, and starts it again.
    pub(crate) async fn restart(&mut self, signal: Signal) {
        let pid = self.server.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.and_then(Pid::from_raw).expect("the server runs");
        kill_process(pid, signal).expect("a child can be signalled");
        self.server.wait().await.expect("a child can be waited for");
        self.server = spawn(self.directory.path(), self.port);
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        let url = self.url();
        eventually("the server takes connections", async || {
            match Database::connect(&url).await {
                Ok(connection) => connection.close().await,
                Err(error) => Err(error),
            }
        })
        .await;
    }
}

/// It must not be run by the superuser.
fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"])
        .arg(newest().join(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

fn newest() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let versions = versions.map(|entry| entry.expect("a directory can be read").path());
    versions.max().expect("PostgreSQL is installed").join("bin")
}

fn spawn(directory: &Path, port: u16) -> Child {
    let mut command = program("postgres");
    command.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
    // Nothing here outlives the machine, so it need not reach the disk.
    for setting in [
        "listen_addresses=127.0.0.1",
        &format!("port={port}"),
        "fsync=off",
        "full_page_writes=off",
    ] {
        command.args(["-c", setting]);
    }
    command.spawn().expect("the server can be started")
}

async fn run(command: &mut Command) {
    let status = command.status().await.expect("a program can be started");
    assert!(status.success(), "{command:?} ended with {status}");
}
