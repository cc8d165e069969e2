//! Task queues of others, which `peer.mjs` measures in a process of its own.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::{BATCH, Figures, NUM_BULK, NUM_CLIENTS, NUM_PICKUPS, NUM_SINGLE};

/// Names the directory that they are installed in.
pub(super) const VARIABLE: &str = "BORGOS_BENCH_NODE_MODULES";
const NAMES: [&str; 2] = ["graphile-worker", "pg-boss"];

/// Those that are installed.
pub(super) struct Peers {
    modules: PathBuf,
}

impl Peers {
    pub(super) fn from_environment() -> Option<Self> {
        let modules = std::env::var_os(VARIABLE)?.into();
        Some(Self { modules })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(|name| self.modules.join(name).is_dir())
    }

    pub(super) async fn measure(&self, name: &str, url: &str) -> Result<Figures> {
        let numbers = [NUM_SINGLE, NUM_CLIENTS, NUM_BULK, BATCH, NUM_PICKUPS];
        let output = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peer.mjs"))
            .arg(name)
            .arg(&self.modules)
            .arg(url)
            .args(numbers.map(|number| number.to_string()))
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "{name} ended with {}", output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().context("it says nothing")?;
        serde_json::from_str(last).with_context(|| format!("{name} said {text}"))
    }
}
