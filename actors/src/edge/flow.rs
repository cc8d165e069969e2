//! One direction of a connection.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is read at once, and at most held for a receiver that is slow.
const CHUNK_BYTES: usize = 64 * 1024;
/// After so many chunks others have their turn, so that a flood does not add to their latency.
const MAX_CHUNKS_AT_ONCE: usize = 8;

thread_local! {
    /// What is read lies here while it is passed on. Only what the receiver does not take at once is copied, so that
    /// connections on which nothing waits hold no memory.
    static CHUNK: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK_BYTES]);
}

/// What is on its way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    waiting: Vec<u8>,
    num_written: usize,
    progress: Progress,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    Open,
    /// The sender has ended; the receiver is not told yet.
    Ended,
    /// The receiver knows.
    Closed,
}

impl Flow {
    /// Tells whether more may come and all that came was passed on.
    pub(super) fn rests(&self) -> bool {
        self.progress == Progress::Open && self.waiting.is_empty()
    }

    /// Passes on what there is; ready once the sender has ended and the receiver was told.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        mut seen: impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        for _ in 0..MAX_CHUNKS_AT_ONCE {
            ready!(self.poll_flush(context, to))?;
            match self.progress {
                Progress::Open => ready!(self.poll_pass(context, from, to, &mut seen))?,
                Progress::Ended => {
                    ready!(Pin::new(&mut *to).poll_shutdown(context))?;
                    self.progress = Progress::Closed;
                }
                Progress::Closed => return Poll::Ready(Ok(())),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what waits.
    fn poll_flush(&mut self, context: &mut Context<'_>, to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.waiting.get(self.num_written..).filter(|bytes| !bytes.is_empty()) {
            let num_bytes = ready!(Pin::new(&mut *to).poll_write(context, bytes))?;
            if num_bytes == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.num_written += num_bytes;
        }
        self.waiting = Vec::new();
        self.num_written = 0;
        Poll::Ready(Ok(()))
    }

    /// Reads once and writes that, as far as the receiver takes it.
    fn poll_pass(
        &mut self,
        context: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        seen: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        CHUNK.with_borrow_mut(|chunk| {
            let mut read = ReadBuf::new(chunk);
            ready!(Pin::new(from).poll_read(context, &mut read))?;
            let bytes = read.filled();
            if bytes.is_empty() {
                self.progress = Progress::Ended;
                return Poll::Ready(Ok(()));
            }
            seen(bytes);
            let num_written = match Pin::new(to).poll_write(context, bytes) {
                Poll::Ready(written) => written?,
                Poll::Pending => 0,
            };
            self.waiting = bytes.get(num_written..).unwrap_or_default().to_vec();
            Poll::Ready(Ok(()))
        })
    }
}
