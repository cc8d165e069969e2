//! What the edge costs, against a direct connection and against nginx's `stream` proxy where that is installed, in one
//! run on one machine:
//!
//!     cargo bench --bench edge
//!
//! Rounds of all contestants alternate, so that a noisy machine is noisy to all; the median of the rounds counts. Client
//! and app share the machine with what is measured. nginx comes with the Debian packages `nginx-light` and
//! `libnginx-mod-stream`.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]

mod forwarders;
mod traffic;

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;

use forwarders::{Edge, Nginx};
use traffic::Latencies;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

/// One way to the app.
struct Contestant {
    name: &'static str,
    /// Where the app that sends as much as it can is reached.
    flood: SocketAddr,
    /// Where the app that sends back what it gets is reached.
    echo: SocketAddr,
    megabytes_per_second: Vec<f64>,
    latencies: Vec<Latencies>,
}

impl Contestant {
    fn new(name: &'static str, [flood, echo]: [SocketAddr; 2]) -> Self {
        Self {
            name,
            flood,
            echo,
            megabytes_per_second: Vec::with_capacity(ROUNDS),
            latencies: Vec::with_capacity(ROUNDS),
        }
    }

    fn throughput(&self) -> f64 {
        median(self.megabytes_per_second.iter().copied())
    }

    fn of_latencies(&self, value: impl Fn(&Latencies) -> f64) -> f64 {
        median(self.latencies.iter().map(value))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let apps = traffic::start_apps().await?;
    let edge = Edge::start(apps.addresses).await?;
    let nginx = Nginx::start(apps.addresses).await?;
    let mut contestants = vec![
        Contestant::new("direct", apps.addresses),
        Contestant::new("edge", edge.addresses),
    ];
    match &nginx {
        Some(nginx) => contestants.push(Contestant::new("nginx stream", nginx.addresses)),
        None => println!("nginx with its stream module is not installed: no comparison with it"),
    }
    for _ in 0..ROUNDS {
        for contestant in &mut contestants {
            contestant
                .megabytes_per_second
                .push(traffic::flood(contestant.flood, ROUND).await?);
        }
        for contestant in &mut contestants {
            contestant.latencies.push(traffic::echo(contestant.echo, ROUND).await?);
        }
    }
    print_table(&contestants);
    println!("memory of the edge at the end {:.1} MB", edge.resident_megabytes()?);
    Ok(())
}

fn print_table(contestants: &[Contestant]) {
    let Some(direct) = contestants.first() else { return };
    println!(
        "{:<14} {:>9} {:>10} {:>12} {:>10} {:>9} {:>9} {:>11}",
        "", "MB/s", "of direct", "exchanges/s", "of direct", "p50 µs", "p99 µs", "p99 added"
    );
    for contestant in contestants {
        let (per_second, p99) = (|found: &Latencies| found.per_second, |found: &Latencies| found.p99_us);
        println!(
            "{:<14} {:>9.0} {:>9.0}% {:>12.0} {:>9.0}% {:>9.0} {:>9.0} {:>11.0}",
            contestant.name,
            contestant.throughput(),
            100.0 * contestant.throughput() / direct.throughput(),
            contestant.of_latencies(per_second),
            100.0 * contestant.of_latencies(per_second) / direct.of_latencies(per_second),
            contestant.of_latencies(|found| found.p50_us),
            contestant.of_latencies(p99),
            contestant.of_latencies(p99) - direct.of_latencies(p99),
        );
    }
    if let [_, edge, nginx] = contestants {
        println!(
            "the edge has {:.0} % of nginx's throughput and {:.0} % of its exchanges per second",
            100.0 * edge.throughput() / nginx.throughput(),
            100.0 * edge.of_latencies(|found| found.per_second) / nginx.of_latencies(|found| found.per_second),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
