//! What there is to compare with: the least that a server of WebSockets can do, on bare tokio-tungstenite. What one client says
//! goes to all. It runs in a process of its own, as BorgOS does, which is this program started again with an argument.

use std::{net::SocketAddr, process::Stdio};

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

const SERVE: &str = "--serve-broadcast";
/// As many messages wait for a client as BorgOS keeps.
const QUEUE: usize = 256;
/// The same buffer as BorgOS has; the library's own is 128 KiB.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A running server. Dropping it kills it.
pub(super) struct Broadcast {
    pub(super) address: SocketAddr,
    pub(super) process: Child,
}

/// Says whether this process was started by [`Broadcast::start`].
pub(super) fn is_wanted() -> bool {
    std::env::args().any(|argument| argument == SERVE)
}

impl Broadcast {
    pub(super) async fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("a piped output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines.next_line().await?.context("no address")?.parse()?;
        Ok(Self { address, process })
    }
}

/// Says its address on standard output and serves until it is killed.
pub(super) async fn serve() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let (sender, _) = broadcast::channel(QUEUE);
    let mut clients = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        clients.spawn(talk(stream, sender.clone()));
        while clients.try_join_next().is_some() {}
    }
}

/// Serves one client; one that has gone or is too slow is dropped.
async fn talk(stream: TcpStream, sender: broadcast::Sender<Message>) -> Result<()> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    let mut messages = sender.subscribe();
    loop {
        tokio::select! {
            said = socket.next() => match said {
                // Nobody listening is no failure.
                Some(Ok(message @ Message::Text(_))) => drop(sender.send(message)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            message = messages.recv() => match message {
                Ok(message) => socket.send(message).await?,
                Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(()),
            },
        }
    }
}
