//! Requests per second of the real release binary against the least that warp and hyper can do on the same machine in
//! the same run, its memory at rest, and how long it takes to be ready:
//!
//!     cargo bench --bench http
//!
//! Rounds of all contestants alternate, so that a noisy machine is noisy to all; the median of the rounds counts.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]

mod borgos;
mod hello;
mod load;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};

use borgos::Borgos;
use hello::{Framework, Hello};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const PROJECTS: usize = 100;

/// One line of the table.
struct Contestant {
    name: &'static str,
    address: SocketAddr,
    path: &'static str,
    /// Requests per second of each round.
    rounds: Vec<f64>,
}

impl Contestant {
    fn new(name: &'static str, address: SocketAddr, path: &'static str) -> Self {
        Self {
            name,
            address,
            path,
            rounds: Vec::with_capacity(ROUNDS),
        }
    }

    fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds.get(rounds.len() / 2).copied().unwrap_or_default()
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    match Framework::from_arguments() {
        Some(framework) => runtime.block_on(hello::serve(framework)),
        None => runtime.block_on(compare()),
    }
}

async fn compare() -> Result<()> {
    let borgos = Borgos::start().await.context("borgos does not start")?;
    let resting_bytes = borgos.resident_bytes()?;
    borgos.create_projects(PROJECTS).await?;
    let warp = Hello::start(Framework::Warp).await?;
    let hyper = Hello::start(Framework::Hyper).await?;
    let mut contestants = [
        Contestant::new("bare hyper", hyper.address, "/"),
        Contestant::new("bare warp", warp.address, "/"),
        Contestant::new("borgos /health", borgos.address, "/health"),
        Contestant::new("borgos projects (100)", borgos.address, "/api/v1/projects"),
    ];
    for _ in 0..ROUNDS {
        for contestant in &mut contestants {
            contestant
                .rounds
                .push(load::requests_per_second(contestant.address, contestant.path, ROUND).await?);
        }
    }
    print_table(&contestants);
    println!("ready after     {:>8} ms", borgos.ready_after.as_millis());
    println!("memory at rest  {:>8.1} MB", megabytes(resting_bytes));
    println!("memory at end   {:>8.1} MB", megabytes(borgos.resident_bytes()?));
    Ok(())
}

fn print_table(contestants: &[Contestant]) {
    let [hyper, warp, ..] = contestants else { return };
    println!("{:<22} {:>10} {:>10} {:>10}", "", "requests/s", "of warp", "of hyper");
    for contestant in contestants {
        let median = contestant.median();
        let percent = |of: &Contestant| 100.0 * median / of.median();
        println!(
            "{:<22} {median:>10.0} {:>9.0}% {:>9.0}%",
            contestant.name,
            percent(warp),
            percent(hyper)
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory sizes are far below 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
