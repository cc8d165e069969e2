//! One JSON value a line, bounded in length and time, for both ends of the control socket.

use std::{io, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

/// How long a line may take once it has begun, and how long the other end may take to read one.
const LINE_DEADLINE: Duration = Duration::from_secs(5);

/// One end of a conversation.
#[derive(Debug)]
pub(super) struct Lines {
    stream: BufReader<UnixStream>,
    max_bytes: usize,
}

impl Lines {
    /// Takes a stream whose other end sends lines of at most so many bytes.
    pub(super) fn new(stream: UnixStream, max_bytes: usize) -> Self {
        Self {
            stream: BufReader::new(stream),
            max_bytes,
        }
    }

    /// Reads a line that may begin within `patience`; nothing if the other end has closed.
    ///
    /// # Errors
    /// `InvalidData` with what is wrong with the line; `FileTooLarge` if it is too long to know where it ends.
    pub(super) async fn read<T: DeserializeOwned>(&mut self, patience: Duration) -> io::Result<Option<T>> {
        if timeout(patience, self.stream.fill_buf()).await??.is_empty() {
            return Ok(None);
        }
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(self.max_bytes as u64);
        timeout(LINE_DEADLINE, limited.read_until(b'\n', &mut line)).await??;
        if line.last() != Some(&b'\n') {
            return match line.len() < self.max_bytes {
                true => Err(io::ErrorKind::UnexpectedEof.into()),
                false => Err(io::ErrorKind::FileTooLarge.into()),
            };
        }
        let parsed = serde_json::from_slice(&line).map(Some);
        parsed.map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause))
    }

    /// Waits until the other end has closed, or says something that nobody asked for.
    pub(super) async fn closed(&mut self) {
        // An error is an end, too.
        let _ = self.stream.fill_buf().await;
    }

    /// Sends a line.
    pub(super) async fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        timeout(LINE_DEADLINE, self.stream.write_all(&line)).await?
    }

    /// Returns the stream, when what comes next are no lines.
    ///
    /// # Errors
    /// Fails if something came already.
    pub(super) fn into_stream(self) -> io::Result<UnixStream> {
        match self.stream.buffer() {
            [] => Ok(self.stream.into_inner()),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "more was said than was asked for",
            )),
        }
    }

    /// Returns the stream, to send something between two lines.
    pub(super) fn stream(&self) -> &UnixStream {
        self.stream.get_ref()
    }
}
