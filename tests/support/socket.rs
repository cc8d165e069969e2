//! The WebSocket client of the tests.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame},
};

const FRAME_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to `/ws`.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects, with `token` as the bearer if there is one.
    pub(crate) async fn connect(url: &str, token: Option<&str>) -> Self {
        let mut request = url.into_client_request().expect("a WebSocket address");
        if let Some(token) = token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a token of visible characters");
            request.headers_mut().insert("authorization", bearer);
        }
        let (stream, _) = connect_async(request).await.expect("the upgrade is accepted");
        Self { stream }
    }

    /// Connects as a page of a browser does, which can only offer subprotocols. Returns the one that was accepted, or the
    /// status of the refusal.
    pub(crate) async fn offering(url: &str, protocols: &str) -> Result<(Self, String), u16> {
        let mut request = url.into_client_request().expect("a WebSocket address");
        let offered = HeaderValue::try_from(protocols).expect("names of protocols");
        request.headers_mut().insert("sec-websocket-protocol", offered);
        match connect_async(request).await {
            Ok((stream, response)) => {
                let accepted = response.headers().get("sec-websocket-protocol");
                let accepted = accepted.map_or("", |value| value.to_str().expect("a name"));
                Ok((Self { stream }, accepted.to_owned()))
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }

    /// Sends the documented frame.
    pub(crate) async fn subscribe(&mut self, channels: &[&str]) {
        self.send(&json!({"type": "subscribe", "channels": channels})).await;
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends any text, valid or not.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("the connection is open");
    }

    /// Returns the next frame.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("the server sends JSON"),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// Returns the next frame of this type that `accept` likes, and skips all others.
    pub(crate) async fn next_event(&mut self, kind: &str, accept: impl Fn(&Value) -> bool) -> Value {
        let mut skipped = Vec::new();
        let find = async {
            loop {
                let frame = self.next().await;
                if frame["type"] == kind && accept(&frame["data"]) {
                    return frame;
                }
                skipped.push(frame);
            }
        };
        match timeout(FRAME_TIMEOUT, find).await {
            Ok(frame) => frame,
            Err(_) => panic!("no such `{kind}` within {FRAME_TIMEOUT:?}, only {skipped:?}"),
        }
    }

    /// Reads until the server closes, and returns with which code and reason.
    pub(crate) async fn closed(mut self) -> CloseFrame {
        loop {
            match self.next_message().await {
                Some(Message::Close(Some(frame))) => return frame,
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// Returns the next frame, or nothing once the connection has ended, in order or not.
    pub(crate) async fn next_if_connected(&mut self) -> Option<Value> {
        while let Some(Ok(message)) = self.stream.next().await {
            if let Message::Text(text) = message {
                return Some(serde_json::from_str(&text).expect("the server sends JSON"));
            }
        }
        None
    }

    /// Returns the next message that is neither ping nor pong, `None` at the end.
    async fn next_message(&mut self) -> Option<Message> {
        loop {
            let message = timeout(FRAME_TIMEOUT, self.stream.next()).await;
            match message.unwrap_or_else(|_| panic!("no frame within {FRAME_TIMEOUT:?}"))? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(message) => return Some(message),
                Err(error) => panic!("the connection broke: {error}"),
            }
        }
    }
}
