//! One WebSocket with the bounds that are put on it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message, Utf8Bytes,
        protocol::{Role, WebSocketConfig},
    },
};

use super::ending::Ending;

/// A client sends at most that in one message, whether in one frame or in many.
pub(super) const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Reserved for each connection at once; what clients send is small.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// More than the longest frame, so that one always fits: each is written out before the next one comes.
const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;
/// A client that takes nothing for that long is given up. Longer than the bus waits, which decides in most cases.
const WRITE_DEADLINE: Duration = Duration::from_secs(15);
/// A client has so long to take the close frame and to close its end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// One WebSocket.
pub(super) struct Socket<S> {
    stream: WebSocketStream<S>,
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Text(Utf8Bytes),
    /// A ping. It has been answered.
    Ping,
    Pong,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Speaks WebSocket as the server on a connection whose handshake is done.
    pub(super) async fn new(connection: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        Self {
            stream: WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await,
        }
    }

    /// Waits for what the client sends. Cancelling it loses nothing.
    pub(super) async fn receive(&mut self) -> Result<Incoming, Ending> {
        match self.stream.next().await {
            None => Err(Ending::Closed),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(Message::Text(text))) => Ok(Incoming::Text(text)),
            Some(Ok(Message::Ping(_))) => Ok(Incoming::Ping),
            Some(Ok(Message::Pong(_))) => Ok(Incoming::Pong),
            Some(Ok(Message::Binary(_))) => Err(Ending::Binary),
            Some(Ok(Message::Close(_) | Message::Frame(_))) => Err(Ending::Closed),
        }
    }

    /// Sends a message and waits until it is written out.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(WRITE_DEADLINE, self.stream.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Ending::Slow),
        }
    }

    /// Tells the client why, as far as it still listens, and ends the connection.
    pub(super) async fn close(mut self, ending: Ending) {
        if ending == Ending::Broken {
            return;
        }
        if timeout(CLOSE_DEADLINE, self.say_goodbye(ending)).await.is_err() {
            tracing::debug!(?ending, "a client did not close its end in time");
        }
    }

    /// Closes so that the client reads the close frame: a connection that is dropped with unread input is reset, and a
    /// reset throws away what the client has not read yet.
    async fn say_goodbye(&mut self, ending: Ending) {
        if let Some(frame) = ending.close_frame()
            && self.stream.send(Message::Close(Some(frame))).await.is_err()
        {
            return;
        }
        while let Some(Ok(_)) = self.stream.next().await {}
        // After an error there are no more messages, but still bytes.
        let connection = self.stream.get_mut();
        let mut rest = [0; 1024];
        if connection.shutdown().await.is_ok() {
            while connection.read(&mut rest).await.is_ok_and(|num_bytes| num_bytes > 0) {}
        }
    }
}

/// Makes a message of an event's text without copying it.
pub(super) fn text_message(text: Bytes) -> Result<Message, Ending> {
    match Utf8Bytes::try_from(text) {
        Ok(text) => Ok(Message::Text(text)),
        Err(error) => {
            tracing::error!(%error, "the event bus made a frame that is no text");
            Err(Ending::Broken)
        }
    }
}
