//! A client's socket, with what belongs to it for as long as it is open.

use std::{
    future::Future,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{framing::Scanner, places::Place};

/// How long a client may take nothing of what it is sent: it would hold its place and our answer for ever.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// How long and how much a client may go on sending a body that was refused.
const LINGER_DEADLINE: Duration = Duration::from_secs(2);
const MAX_LINGER_BYTES: usize = 16 * 1024 * 1024;
const LINGER_BUFFER_BYTES: usize = 16 * 1024;

/// A client's socket. It holds its place among the allowed connections even after an upgrade to WebSocket.
pub(super) struct Tap<S> {
    stream: S,
    scanner: Scanner,
    /// Runs while the client takes nothing; most of the time it does.
    stalled: Option<Pin<Box<Sleep>>>,
    /// The end of a connection whose client was still sending; most have none.
    linger: Option<Box<Linger>>,
    _place: Place,
}

/// What is left of the patience with a client that still sends.
struct Linger {
    deadline: Pin<Box<Sleep>>,
    num_left: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tap<S> {
    pub(super) fn new(stream: S, scanner: Scanner, place: Place) -> Self {
        Self {
            stream,
            scanner,
            stalled: None,
            linger: None,
            _place: place,
        }
    }

    /// Passes a write's outcome on, and fails one that has been waiting for too long.
    fn limit_stall(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_DEADLINE)));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::new(ErrorKind::TimedOut, "the client takes nothing")))
    }

    /// Reads and drops what comes until the client has ended too. To close a socket with unread bytes resets it, and
    /// the client would lose the answer that says why its body was refused.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(linger) = &mut self.linger else {
            return Poll::Ready(());
        };
        let mut space = [0; LINGER_BUFFER_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            if linger.deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() && linger.num_left > buffer.filled().len() => {
                    linger.num_left -= buffer.filled().len();
                }
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let num_before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.scanner.look(&buffer.filled()[num_before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit_stall(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            if !self.scanner.is_inside_body() {
                return Poll::Ready(Ok(()));
            }
            self.linger = Some(Box::new(Linger {
                deadline: Box::pin(sleep(LINGER_DEADLINE)),
                num_left: MAX_LINGER_BYTES,
            }));
        }
        self.poll_linger(cx).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.limit_stall(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
