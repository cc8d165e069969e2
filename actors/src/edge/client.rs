//! Asks a running edge.

use std::{io, time::Duration};

use tokio::{net::UnixStream, time::timeout};

use super::{
    directory::Directory,
    line::Lines,
    protocol::{MAX_ANSWER_BYTES, Reply, Request},
};

/// How long the edge may take to accept.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// A connection to an edge. One that has failed is of no further use.
#[derive(Debug)]
pub(super) struct Client(Lines);

impl Client {
    /// Connects. Where no edge runs this fails with `NotFound` or `ConnectionRefused`.
    pub(super) async fn connect(directory: &Directory) -> io::Result<Self> {
        let stream = timeout(CONNECT_DEADLINE, UnixStream::connect(directory.control_path())).await??;
        Ok(Self(Lines::new(stream, MAX_ANSWER_BYTES)))
    }

    /// Asks, and waits for the answer that long.
    pub(super) async fn ask(&mut self, request: &Request, patience: Duration) -> io::Result<Reply> {
        self.0.write(request).await?;
        match self.0.read(patience).await? {
            Some(reply) => Ok(reply),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Waits until the edge is gone.
    pub(super) async fn closed(&mut self) {
        self.0.closed().await;
    }

    pub(super) fn into_lines(self) -> Lines {
        self.0
    }
}
