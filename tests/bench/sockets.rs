//! Ten thousand clients of `/ws`, beside the least that a server of WebSockets can do in the same run: memory for each of them
//! at rest, how fast events reach all of them, whether one that stands still delays the others, and how long it takes until
//! thousands that come back at once have what they missed:
//!
//!     cargo bench --bench sockets
//!
//! Clients and servers share the machine, so the figures are far below what a server alone could do; what counts is how they
//! compare.
#![expect(clippy::print_stdout, reason = "a table is what a bench is for")]
#![expect(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^52")]

mod audience;
#[expect(dead_code, reason = "the other benches need more of it")]
mod borgos;
mod broadcast;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use futures_util::SinkExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};
use tokio_tungstenite::tungstenite::Message;

use audience::{Audience, Measured, come_back, connect, stamped};
use borgos::{Borgos, resident_bytes_of};
use broadcast::Broadcast;

const CLIENTS: usize = 10_000;
/// Events at once, to see how many reach their readers in a second.
const BURST: usize = 50;
/// Events one after the other, to see how long each takes to reach everybody.
const PACED: usize = 20;
const PACE: Duration = Duration::from_millis(500);
/// Clients that come back at once, and how much each of them has missed.
const RETURNING: usize = 5_000;
const MISSED: usize = 200;

/// What publishes events to one of both servers.
enum Publisher {
    Api(reqwest::Client, SocketAddr),
    Socket(Box<tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>>),
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    if broadcast::is_wanted() {
        return runtime.block_on(broadcast::serve());
    }
    raise_limit();
    runtime.block_on(compare())
}

/// Each client is an open file, here and in the server.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        println!("the limit of open files stays as it is: {error}");
    }
}

async fn compare() -> Result<()> {
    let start = Instant::now();
    println!(
        "{:<24} {:>10} {:>12} {:>10} {:>10}",
        "", "KiB each", "delivered/s", "p50 ms", "p99 ms"
    );
    let bare = Broadcast::start().await?;
    let pid = bare.process.id().context("the server has ended")?;
    let mut publisher = Publisher::Socket(Box::new(connect(bare.address, None).await?));
    round("bare tokio-tungstenite", bare.address, pid, None, &mut publisher, start).await?;
    drop((bare, publisher));

    let borgos = Borgos::start().await.context("borgos does not start")?;
    let hello = json!({"type": "subscribe", "channels": ["errors"], "ref": 1}).to_string();
    let mut publisher = Publisher::Api(reqwest::Client::builder().no_proxy().build()?, borgos.address);
    round(
        "borgos",
        borgos.address,
        borgos.pid()?,
        Some(&hello),
        &mut publisher,
        start,
    )
    .await?;
    with_a_stalled_reader(&borgos, &hello, &mut publisher, start).await?;
    returning(&borgos, &mut publisher, start).await
}

async fn round(
    name: &str,
    address: SocketAddr,
    pid: u32,
    hello: Option<&str>,
    publisher: &mut Publisher,
    start: Instant,
) -> Result<()> {
    let before = resident_bytes_of(pid)?;
    let mut audience = Audience::gather(address, CLIENTS, hello, start).await?;
    let each = (resident_bytes_of(pid)?.saturating_sub(before)) as f64 / 1024.0 / CLIENTS as f64;
    audience.settle().await;
    let begin = Instant::now();
    publisher.publish(BURST, start).await?;
    let burst = audience.measure(BURST, begin).await?;
    let paced = paced(&mut audience, publisher, start).await?;
    print_row(name, Some(each), Some(burst.per_second), &paced);
    Ok(())
}

async fn paced(audience: &mut Audience, publisher: &mut Publisher, start: Instant) -> Result<Measured> {
    let begin = Instant::now();
    let mut pace = interval(PACE);
    for _ in 0..PACED {
        pace.tick().await;
        publisher.publish(1, start).await?;
    }
    audience.measure(PACED, begin).await
}

/// One client does not read at all, while the others are measured.
async fn with_a_stalled_reader(borgos: &Borgos, hello: &str, publisher: &mut Publisher, start: Instant) -> Result<()> {
    let stalled = connect(borgos.address, Some(hello.to_owned())).await?;
    let mut audience = Audience::gather(borgos.address, CLIENTS, Some(hello), start).await?;
    let measured = paced(&mut audience, publisher, start).await?;
    print_row("borgos, one stands still", None, None, &measured);
    drop(stalled);
    Ok(())
}

/// Thousands of clients come back at the same time.
async fn returning(borgos: &Borgos, publisher: &mut Publisher, start: Instant) -> Result<()> {
    let first = newest(borgos).await?;
    publisher.publish(MISSED, start).await?;
    let up_to = first + i64::try_from(MISSED)?;
    while newest(borgos).await? < up_to {}
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..RETURNING {
        clients.spawn(come_back(borgos.address, first, up_to));
    }
    while let Some(back) = clients.join_next().await {
        back??;
    }
    println!(
        "{RETURNING} clients that missed {MISSED} events had them after {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Returns the offset of the newest error.
async fn newest(borgos: &Borgos) -> Result<i64> {
    let address = format!("http://{}/api/v1/events?channels=errors&limit=1", borgos.address);
    let page: Value = reqwest::get(address).await?.json().await?;
    page["events"][0]["offset"].as_i64().context("no event")
}

impl Publisher {
    async fn publish(&mut self, num_events: usize, start: Instant) -> Result<()> {
        for _ in 0..num_events {
            match self {
                Self::Api(client, address) => {
                    let body = json!({"severity": "info", "error_type": "bench", "message": stamped(start)});
                    let request = client.post(format!("http://{address}/api/v1/errors")).json(&body);
                    request.send().await?.error_for_status()?;
                }
                // As long as an event of BorgOS is.
                Self::Socket(socket) => {
                    let text = format!("{:<300}", stamped(start));
                    socket.send(Message::text(text)).await?;
                }
            }
        }
        Ok(())
    }
}

fn print_row(name: &str, each: Option<f64>, per_second: Option<f64>, paced: &Measured) {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    println!(
        "{name:<24} {:>10} {:>12} {:>10.1} {:>10.1}",
        number(each),
        number(per_second),
        paced.p50.as_secs_f64() * 1000.0,
        paced.p99.as_secs_f64() * 1000.0
    );
}
