//! The task queue against those of others on the same PostgreSQL in the same run, and on SQLite:
//!
//!     BORGOS_BENCH_POSTGRES_URL=postgres://… BORGOS_BENCH_NODE_MODULES=…/node_modules cargo bench --bench tasks
//!
//! The url names a server whose user may create databases; without it only SQLite is measured. The directory holds what
//! `npm install graphile-worker pg-boss` installs; without it only ours is measured. Rounds of all contestants alternate, so
//! that a noisy machine is noisy to all; the median of the rounds counts.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]

mod database;
mod peer;
mod queue;

use anyhow::Result;
use serde::Deserialize;

use database::Server;
use peer::Peers;

const ROUNDS: usize = 3;
/// Tasks that are enqueued one by one, by so many clients.
const NUM_SINGLE: u32 = 2_000;
const NUM_CLIENTS: u32 = 8;
/// Tasks that are enqueued so many at a time.
const NUM_BULK: u32 = 30_000;
const BATCH: u32 = 1_000;
/// Tasks that are enqueued when there is nothing else to do.
const NUM_PICKUPS: u32 = 100;

/// What one round has shown.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Figures {
    /// Tasks per second.
    singly: f64,
    in_bulk: f64,
    drained: f64,
    /// From the request until an agent has the task.
    p50_ms: f64,
    p99_ms: f64,
}

/// One line of the table.
struct Contestant {
    name: String,
    rounds: Vec<Figures>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::from_environment();
    let peers = Peers::from_environment();
    match (&server, &peers) {
        (None, _) => println!("only SQLite: {} is not set", database::VARIABLE),
        (Some(_), None) => println!("nobody to compare with: {} is not set", peer::VARIABLE),
        (Some(_), Some(_)) => {}
    }
    let mut table: Vec<Contestant> = Vec::new();
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir()?;
        note(
            &mut table,
            "borgos on sqlite",
            queue::measure(None, directory.path()).await?,
        );
        let Some(server) = &server else { continue };
        let database = server.create().await?;
        let figures = queue::measure(Some(database.url()), directory.path()).await;
        database.drop_it().await?;
        note(&mut table, "borgos", figures?);
        for name in peers.iter().flat_map(Peers::names) {
            let database = server.create().await?;
            let figures = peers.as_ref().map(|peers| peers.measure(name, database.url()));
            let figures = match figures {
                Some(figures) => figures.await,
                None => continue,
            };
            database.drop_it().await?;
            note(&mut table, name, figures?);
        }
    }
    print(&table);
    Ok(())
}

fn note(table: &mut Vec<Contestant>, name: &str, figures: Figures) {
    match table.iter_mut().find(|contestant| contestant.name == name) {
        Some(contestant) => contestant.rounds.push(figures),
        None => table.push(Contestant {
            name: name.to_owned(),
            rounds: vec![figures],
        }),
    }
}

fn print(table: &[Contestant]) {
    println!(
        "{:<18}{:>12}{:>12}{:>12}{:>10}{:>10}",
        "", "singly/s", "in bulk/s", "drained/s", "p50 ms", "p99 ms"
    );
    for Contestant { name, rounds } in table {
        let median = |figure: fn(&Figures) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or_default()
        };
        println!(
            "{name:<18}{:>12.0}{:>12.0}{:>12.0}{:>10.1}{:>10.1}",
            median(|round| round.singly),
            median(|round| round.in_bulk),
            median(|round| round.drained),
            median(|round| round.p50_ms),
            median(|round| round.p99_ms),
        );
    }
}
