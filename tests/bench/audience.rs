//! Thousands of clients that read and count. They cost little, since they share the machine with what they measure.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

const READ_BUFFER_BYTES: usize = 4 * 1024;
/// So many connect at the same time: more would overrun the queue of those that the kernel has not handed over.
const AT_ONCE: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

type Socket = WebSocketStream<TcpStream>;

/// Clients that are connected. Dropping them closes their connections.
pub(super) struct Audience {
    clients: JoinSet<Result<()>>,
    latencies: UnboundedReceiver<Duration>,
    num_received: Arc<AtomicU64>,
}

/// What it took to reach everybody.
pub(super) struct Measured {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Audience {
    /// Connects so many clients, and has each say `hello` if that is needed for it to be sent anything.
    pub(super) async fn gather(address: SocketAddr, size: usize, hello: Option<&str>, start: Instant) -> Result<Self> {
        let (sender, latencies) = mpsc::unbounded_channel();
        let num_received = Arc::new(AtomicU64::new(0));
        let (mut clients, mut connecting) = (JoinSet::new(), JoinSet::new());
        for number in 0..size {
            if number >= AT_ONCE {
                let socket = connecting.join_next().await.context("somebody connects")???;
                clients.spawn(read(socket, start, sender.clone(), num_received.clone()));
            }
            connecting.spawn(connect(address, hello.map(str::to_owned)));
        }
        while let Some(socket) = connecting.join_next().await {
            clients.spawn(read(socket??, start, sender.clone(), num_received.clone()));
        }
        Ok(Self {
            clients,
            latencies,
            num_received,
        })
    }

    /// Waits until everybody has got `num_messages`, and tells how long that took since `begin`.
    pub(super) async fn measure(&mut self, num_messages: usize, begin: Instant) -> Result<Measured> {
        let wanted = num_messages * self.clients.len();
        let mut latencies = Vec::with_capacity(wanted);
        let all = async {
            while latencies.len() < wanted {
                latencies.push(self.latencies.recv().await.context("a client has gone")?);
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, all).await.context("not everybody was reached")??;
        let took = begin.elapsed();
        latencies.sort_unstable();
        let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
        Ok(Measured {
            per_second: wanted as f64 / took.as_secs_f64(),
            p50: at(50),
            p99: at(99),
        })
    }

    /// Waits until nothing more comes, so that a round does not hear the end of the one before.
    pub(super) async fn settle(&mut self) {
        loop {
            let before = self.num_received.load(Ordering::Relaxed);
            sleep(Duration::from_millis(500)).await;
            if before == self.num_received.load(Ordering::Relaxed) {
                break;
            }
        }
        while self.latencies.try_recv().is_ok() {}
    }
}

/// Connects one client.
pub(super) async fn connect(address: SocketAddr, hello: Option<String>) -> Result<Socket> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(format!("ws://{address}/ws"), stream, Some(config)).await?;
    if let Some(hello) = hello {
        socket.send(Message::text(hello)).await?;
        // The answer says that nothing of what follows can be missed.
        socket.next().await.context("no answer")??;
    }
    Ok(socket)
}

/// Reads until the connection ends, and tells how old each message was that says when it was made.
async fn read(
    mut socket: Socket,
    start: Instant,
    latencies: UnboundedSender<Duration>,
    num_received: Arc<AtomicU64>,
) -> Result<()> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        num_received.fetch_add(1, Ordering::Relaxed);
        if let Some(made) = stamp(&text) {
            latencies.send(start.elapsed().saturating_sub(made))?;
        }
    }
    Ok(())
}

/// Writes when a message was made, so that [`stamp`] finds it wherever it is put.
pub(super) fn stamped(start: Instant) -> String {
    format!("@{}@", start.elapsed().as_micros())
}

fn stamp(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once('@')?;
    let (micros, _) = rest.split_once('@')?;
    micros.parse().ok().map(Duration::from_micros)
}

/// Comes back as one that has missed everything since `since`, and checks that all of it comes, once and in order.
pub(super) async fn come_back(address: SocketAddr, since: i64, up_to: i64) -> Result<()> {
    let hello = json!({"type": "subscribe", "channels": ["errors"], "since": since});
    let stream = TcpStream::connect(address).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(format!("ws://{address}/ws"), stream, Some(config)).await?;
    socket.send(Message::text(hello.to_string())).await?;
    let mut last = since;
    while last < up_to {
        let message = socket.next().await.context("the connection ended")??;
        let Message::Text(text) = message else { continue };
        let event: Value = serde_json::from_str(&text)?;
        let offset = event["offset"].as_i64().context("not an event")?;
        ensure!(offset == last + 1, "{offset} came after {last}");
        last = offset;
    }
    Ok(())
}
