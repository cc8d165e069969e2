//! The single checks. Each looks at one thing and changes nothing.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use borgos_actors::{
    error::chain,
    runtime::{Docker, Runtime},
    store::{self, Condition},
};
use rustix::fs::{Access, access, statvfs};
use serde_json::Value;
use tokio::time::timeout;
use uuid::Uuid;

use super::Finding;
use crate::{
    config::{Config, RuntimeChoice},
    serve,
};

/// With less than this, builds and databases fail soon.
const LOW_SPACE_BYTES: u64 = 5 << 30;
/// With less than this they fail now.
const NO_SPACE_BYTES: u64 = 256 << 20;
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

/// Is the data directory there, or can it be made?
pub(super) fn data_dir(config: &Config) -> Finding {
    let path = &config.data_dir;
    let shown = path.display();
    let Some(existing) = nearest(path) else {
        return Finding::fail(
            format!("data directory {shown} has no existing parent"),
            "choose another with `--data-dir`",
        );
    };
    if !existing.is_dir() {
        let text = format!("{} stands in the way of data directory {shown}", existing.display());
        return Finding::fail(
            text,
            "move that file away, or choose another directory with `--data-dir`",
        );
    }
    match access(existing, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if existing == path => Finding::ok(format!("data directory {shown} can be written")),
        Ok(()) => Finding::ok(format!("data directory {shown} will be made by `borgos serve`")),
        Err(error) => Finding::fail(
            format!("directory {} cannot be written: {error}", existing.display()),
            format!(
                "make user {} its owner, or choose another with `--data-dir`",
                rustix::process::geteuid().as_raw()
            ),
        ),
    }
}

/// Is there room for images, builds and the database?
pub(super) fn free_space(config: &Config) -> Finding {
    let Some(existing) = nearest(&config.data_dir) else {
        return Finding::fail(
            "free disk space is unknown",
            "choose another data directory with `--data-dir`",
        );
    };
    let num_bytes = match statvfs(existing) {
        Ok(numbers) => numbers.f_bavail.saturating_mul(numbers.f_frsize),
        Err(error) => return Finding::warn(format!("free disk space is unknown: {error}"), "look with `df -h`"),
    };
    let text = format!("{} MiB free at the data directory", num_bytes >> 20);
    let remedy = "make room, or choose another place with `--data-dir`";
    match num_bytes {
        ..NO_SPACE_BYTES => Finding::fail(text, remedy),
        NO_SPACE_BYTES..LOW_SPACE_BYTES => Finding::warn(text, remedy),
        LOW_SPACE_BYTES.. => Finding::ok(text),
    }
}

/// Is the port free, or is it BorgOS itself that has it?
pub(super) async fn listener(config: &Config) -> Finding {
    let address = config.listen;
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Finding::ok(format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match service(address).await {
            Some(status) => Finding::ok(format!("a BorgOS answers at {address} and is {status}")),
            None => Finding::fail(
                format!("{address} is held by another program"),
                format!(
                    "find it with `ss -ltnp 'sport = :{}'`, or choose another with `--listen`",
                    address.port()
                ),
            ),
        },
        Err(error) => Finding::fail(
            format!("cannot listen on {address}: {error}"),
            "choose another with `--listen`",
        ),
    }
}

/// Can others reach the service, and is there a credential that keeps out who has none?
pub(super) async fn credential(config: &Config) -> Finding {
    if config.is_loopback_only() {
        return Finding::ok("only this machine reaches the listener");
    }
    let remedy = "add a user with `borgos user add NAME --admin`, or set BORGOS_TOKEN";
    match serve::has_credential(config).await {
        Ok(true) => Finding::ok("others reach the listener, and need a credential"),
        Ok(false) => Finding::fail("others reach the listener, and there is no credential", remedy),
        Err(error) => Finding::warn(format!("credentials are unknown: {error:#}"), remedy),
    }
}

/// Does the database answer, and is it one that this program can use?
pub(super) async fn database(config: &Config) -> Finding {
    let condition = match serve::database(config) {
        Ok(settings) => store::inspect(&settings).await,
        Err(error) => Err(error),
    };
    match condition {
        Ok(Condition::Missing) => Finding::ok("the database will be made by `borgos serve`"),
        Ok(Condition::Behind) => Finding::ok("the database answers, and `borgos serve` will bring it up to date"),
        Ok(Condition::UpToDate) => Finding::ok("the database answers"),
        Err(error) => Finding::fail(
            format!("the database cannot be used: {}", chain(&error)),
            "see that the server runs and that `DATABASE_URL` names it, or unset it for the SQLite file",
        ),
    }
}

/// Does the container engine answer? Without one, deployments can still run as processes.
pub(super) async fn engine(config: &Config) -> Finding {
    if config.runtime == RuntimeChoice::Process {
        return Finding::ok("deployments run as processes, as configured");
    }
    // The instance id labels containers, and nothing is started here.
    let answer = match Docker::connect(Uuid::nil()) {
        Ok(docker) => timeout(PROBE_DEADLINE, docker.ping())
            .await
            .map_err(|_| "no answer".to_owned()),
        Err(error) => Err(chain(&error)),
    };
    let reason = match answer {
        Ok(Ok(version)) => return Finding::ok(format!("the container engine answers ({version})")),
        Ok(Err(error)) => chain(&error),
        Err(reason) => reason,
    };
    let text = format!("the container engine cannot be used: {reason}");
    let remedy = "start it, or set `DOCKER_HOST`, and see that this user may use its socket";
    match config.runtime {
        RuntimeChoice::Auto => Finding::warn(format!("{text}; deployments will run as processes"), remedy),
        _ => Finding::fail(text, remedy),
    }
}

/// Asks whatever listens there for its health as BorgOS tells it.
async fn service(address: SocketAddr) -> Option<String> {
    let client = reqwest::Client::builder()
        .timeout(PROBE_DEADLINE)
        .no_proxy()
        .build()
        .ok()?;
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let response = client.get(format!("http://{address}/health")).send().await.ok()?;
    let is_ours = response.headers().contains_key("x-request-id");
    let body: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
    match body["status"].as_str() {
        Some(status @ ("healthy" | "unhealthy")) if is_ours => Some(status.to_owned()),
        _ => None,
    }
}

/// Returns the path itself, or the first of its parents that exists.
fn nearest(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::doctor::Level,
        config::{AgentZero, Build, LogFilter, LogFormat, RateLimit},
    };

    fn config(data_dir: &Path, listen: SocketAddr) -> Config {
        Config {
            listen,
            data_dir: data_dir.to_owned(),
            database_url: None,
            runtime: RuntimeChoice::Auto,
            token: None,
            secret_key: None,
            rate_limit: RateLimit::Off,
            agent_zero: AgentZero::default(),
            allowed_hosts: Vec::new(),
            webhook_allow: Vec::new(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            tls: None,
            zenith_dir: None,
            agents: Vec::new(),
            build: Build::default(),
            log: LogFilter::default(),
            log_format: LogFormat::Text,
        }
    }

    #[tokio::test]
    async fn a_port_of_another_program_is_a_failure_with_a_remedy() {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = other.local_addr().unwrap();
        let found = config(directory.path(), address);
        // A program that hangs up on everybody.
        let hang_up = async {
            loop {
                drop(other.accept().await);
            }
        };
        let finding = tokio::select! {
            finding = listener(&found) => finding,
            () = hang_up => unreachable!(),
        };
        assert_eq!(finding.level, Level::Fail);
        assert!(finding.remedy.unwrap().contains(&address.port().to_string()));
        drop(other);
        assert_eq!(listener(&found).await.level, Level::Ok);
    }

    #[test]
    fn a_directory_that_can_be_made_is_fine_and_a_file_in_the_way_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        assert_eq!(
            data_dir(&config(&directory.path().join("a/b"), address)).level,
            Level::Ok
        );
        assert!(!directory.path().join("a").exists());
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(data_dir(&config(&file, address)).level, Level::Fail);
        assert_ne!(
            free_space(&config(directory.path(), address)).text,
            "free disk space is unknown"
        );
    }
}
