//! A client as programs write them, on `tokio-tungstenite`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, error::ProtocolError, protocol::WebSocketConfig},
};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(super) async fn connect(connection: TcpStream) -> Self {
        let config = WebSocketConfig::default().read_buffer_size(4096);
        let (socket, _) = tokio_tungstenite::client_async_with_config("ws://localhost/ws", connection, Some(config))
            .await
            .unwrap();
        Self { socket }
    }

    /// Tries to connect and returns the status of the refusal.
    pub(super) async fn refused(connection: TcpStream) -> u16 {
        match client_async("ws://localhost/ws", connection).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(super) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends as long as the server takes it.
    pub(super) async fn try_send(&mut self, message: Message) -> bool {
        self.socket.send(message).await.is_ok()
    }

    /// Returns the next frame.
    pub(super) async fn next(&mut self) -> Value {
        match self.next_message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no frame came but {other:?}"),
        }
    }

    pub(super) async fn next_many(&mut self, num_frames: usize) -> Vec<Value> {
        let mut frames = Vec::with_capacity(num_frames);
        while frames.len() < num_frames {
            frames.push(self.next().await);
        }
        frames
    }

    /// Asks and returns the answer.
    pub(super) async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.next().await
    }

    /// Sends the documented frame, which has no answer, and waits until it has been read.
    pub(super) async fn subscribe(&mut self, channels: &[&str]) {
        self.send(json!({"type": "subscribe", "channels": channels})).await;
        self.expect_silence().await;
    }

    /// Checks that nothing has been sent: the answer to a ping comes next.
    pub(super) async fn expect_silence(&mut self) {
        let pong = self.ask(json!({"type": "ping", "ref": "silence"})).await;
        assert_eq!(pong, json!({"type": "pong", "ref": "silence"}));
    }

    /// Reads to the end and returns the frames and the close code.
    pub(super) async fn read_to_close(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match self.next_message().await {
                Some(Message::Text(text)) => frames.push(serde_json::from_str(&text).unwrap()),
                Some(Message::Close(Some(frame))) => return (frames, frame.code.into()),
                Some(Message::Ping(_)) => {}
                other => panic!("no close frame came but {other:?}"),
            }
        }
    }

    /// Closes and waits for the server to do so.
    pub(super) async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(message) = self.next_message().await {
            assert!(!message.is_ping());
        }
    }

    async fn next_message(&mut self) -> Option<Message> {
        match timeout(PATIENCE, self.socket.next()).await.expect("a message in time") {
            Some(Ok(message)) => Some(message),
            None | Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => None,
            Some(Err(error)) => panic!("the connection broke: {error}"),
        }
    }
}

/// Returns the offsets of frames.
pub(super) fn offsets(frames: &[Value]) -> Vec<i64> {
    frames.iter().filter_map(|frame| frame["offset"].as_i64()).collect()
}
