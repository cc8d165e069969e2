//! Apps behind the edge. Each runs as long as it is held.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// An app on a port of its own.
pub(super) struct App {
    pub(super) address: SocketAddr,
    connections: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

impl App {
    /// Starts an app that does this with each connection.
    pub(super) async fn start<F, S>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> S + Send + Sync + 'static,
        S: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, connections) = watch::channel(0);
        let count = Arc::new(count);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.send_modify(|count| *count += 1);
                let (served, count) = (serve(stream), count.clone());
                open.spawn(async move {
                    // An error is a client that is gone.
                    let _ = served.await;
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        Self {
            address,
            connections,
            _serving: serving,
        }
    }

    /// Says its name to each client, and hears it out.
    pub(super) async fn named(name: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            stream.write_all(name.as_bytes()).await?;
            stream.read_to_end(&mut Vec::new()).await?;
            Ok(())
        })
        .await
    }

    /// Sends back what it gets.
    pub(super) async fn echo() -> Self {
        Self::start(|mut stream| async move {
            let (mut reader, mut writer) = stream.split();
            tokio::io::copy(&mut reader, &mut writer).await?;
            writer.shutdown().await
        })
        .await
    }

    /// Speaks HTTP/1.1 with connections that are kept: `/health` is `ok`, `/download` takes a second or so.
    pub(super) async fn http() -> Self {
        Self::start(answer_requests).await
    }

    pub(super) fn num_connections(&self) -> usize {
        *self.connections.borrow()
    }
}

pub(super) const DOWNLOAD_PIECES: usize = 10;
pub(super) const DOWNLOAD_PIECE_BYTES: usize = 1000;

async fn answer_requests(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        if head.starts_with("GET /download ") {
            let num_bytes = DOWNLOAD_PIECES * DOWNLOAD_PIECE_BYTES;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {num_bytes}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
            for _ in 0..DOWNLOAD_PIECES {
                // Longer than the silence after which other protocols count as idle.
                sleep(Duration::from_millis(150)).await;
                stream.write_all(&[b'x'; DOWNLOAD_PIECE_BYTES]).await?;
            }
        } else {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await?;
        }
    }
}
