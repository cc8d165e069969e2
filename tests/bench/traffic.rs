//! The apps, and clients that use them as hard as they can.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

const PIECE_BYTES: usize = 256 * 1024;
const MESSAGE_BYTES: usize = 100;
const ECHO_CONNECTIONS: usize = 8;

/// Apps that run as long as this is held.
pub(super) struct Apps {
    /// One that sends as much as it can, and one that sends back what it gets.
    pub(super) addresses: [SocketAddr; 2],
    _serving: JoinSet<()>,
}

/// How long exchanges took.
pub(super) struct Latencies {
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

pub(super) async fn start_apps() -> Result<Apps> {
    let (flood, echo) = (
        TcpListener::bind("127.0.0.1:0").await?,
        TcpListener::bind("127.0.0.1:0").await?,
    );
    let addresses = [flood.local_addr()?, echo.local_addr()?];
    let mut serving = JoinSet::new();
    serving.spawn(serve(flood, send_all_the_time));
    serving.spawn(serve(echo, send_back));
    Ok(Apps {
        addresses,
        _serving: serving,
    })
}

async fn serve<S>(listener: TcpListener, serve_one: fn(TcpStream) -> S)
where
    S: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(serve_one(stream));
    }
}

async fn send_all_the_time(mut stream: TcpStream) -> std::io::Result<()> {
    let piece = vec![b'x'; PIECE_BYTES];
    loop {
        stream.write_all(&piece).await?;
    }
}

async fn send_back(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut message = [0; MESSAGE_BYTES];
    loop {
        stream.read_exact(&mut message).await?;
        stream.write_all(&message).await?;
    }
}

/// Reads one stream for that long and returns megabytes per second.
pub(super) async fn flood(address: SocketAddr, duration: Duration) -> Result<f64> {
    let mut stream = TcpStream::connect(address).await?;
    let mut piece = vec![0; PIECE_BYTES];
    let (start, mut num_bytes) = (Instant::now(), 0_u64);
    while start.elapsed() < duration {
        let num_read = stream.read(&mut piece).await?;
        ensure!(num_read > 0, "the stream has ended");
        num_bytes += num_read as u64;
    }
    Ok(num_bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// Sends messages on some connections for that long, each after the answer to the one before.
pub(super) async fn echo(address: SocketAddr, duration: Duration) -> Result<Latencies> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..ECHO_CONNECTIONS {
        clients.spawn(exchange_until(address, start + duration));
    }
    let mut taken_us = Vec::new();
    while let Some(taken) = clients.join_next().await {
        taken_us.extend(taken??);
    }
    taken_us.sort_by(f64::total_cmp);
    let quantile = |percent: usize| {
        taken_us
            .get(taken_us.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    Ok(Latencies {
        per_second: taken_us.len() as f64 / start.elapsed().as_secs_f64(),
        p50_us: quantile(50),
        p99_us: quantile(99),
    })
}

async fn exchange_until(address: SocketAddr, end: Instant) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut message = [b'x'; MESSAGE_BYTES];
    let mut taken_us = Vec::new();
    while Instant::now() < end {
        let begin = Instant::now();
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        taken_us.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    Ok(taken_us)
}
