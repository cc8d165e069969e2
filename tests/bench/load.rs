//! A load generator that costs little, since it shares the machine with what it measures: it writes the same bytes
//! again and again on connections that stay open, and reads no more of an answer than its length.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

const CONNECTIONS: usize = 32;
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Asks for the path on all connections for `duration` and returns how many answers came per second.
pub(super) async fn requests_per_second(address: SocketAddr, path: &'static str, duration: Duration) -> Result<f64> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(ask_until(address, path, start + duration));
    }
    let mut answers = 0;
    while let Some(answered) = clients.join_next().await {
        answers += answered??;
    }
    Ok(f64::from(answers) / start.elapsed().as_secs_f64())
}

async fn ask_until(address: SocketAddr, path: &str, end: Instant) -> Result<u32> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut received = Vec::with_capacity(MAX_HEAD_BYTES);
    let mut answers = 0;
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await?;
        read_answer(&mut stream, &mut received)
            .await
            .with_context(|| format!("the answer of {path}"))?;
        answers += 1;
    }
    Ok(answers)
}

/// Reads one answer, which must be a 200 with a length.
async fn read_answer(stream: &mut TcpStream, received: &mut Vec<u8>) -> Result<()> {
    received.clear();
    let head_bytes = loop {
        ensure!(stream.read_buf(received).await? > 0, "the server closed the connection");
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        ensure!(received.len() < MAX_HEAD_BYTES, "a head without an end");
    };
    let body_bytes = body_bytes(received.get(..head_bytes).unwrap_or_default())?;
    while received.len() < head_bytes + body_bytes {
        ensure!(stream.read_buf(received).await? > 0, "the server closed the connection");
    }
    Ok(())
}

fn body_bytes(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "not a success: {head}");
    for line in head.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    bail!("no length: {head}")
}
