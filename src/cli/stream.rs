//! The live stream of a running service, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Request, header::AUTHORIZATION},
        protocol::CloseFrame,
    },
};

use super::{
    Failure,
    client::{Client, refusal},
    output::sentence,
};

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);
/// The service pings more often than that; a longer silence means that it is gone.
const SILENCE_DEADLINE: Duration = Duration::from_secs(90);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The events of some channels, from now on.
pub(super) struct Stream {
    socket: Socket,
}

impl Stream {
    /// Subscribes, and returns once nothing of what follows can be missed.
    pub(super) async fn open(client: &Client, channels: &[impl AsRef<str>]) -> Result<Self, Failure> {
        let mut stream = Self {
            socket: connect(client).await?,
        };
        let channels: Vec<&str> = channels.iter().map(AsRef::as_ref).collect();
        let subscribe = json!({"type": "subscribe", "ref": "cli", "channels": channels}).to_string();
        stream.socket.send(Message::text(subscribe)).await.map_err(lost)?;
        while stream.next().await?["type"] != "ack" {}
        Ok(stream)
    }

    /// Takes leave, so that the service need not wonder where its client has gone.
    pub(super) async fn close(mut self) {
        // It notices anyway, only later.
        let _ = timeout(CLOSE_DEADLINE, self.socket.close(None)).await;
    }

    /// Waits for the next frame. That none will come is a failure: the caller wanted to follow.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        loop {
            let message = timeout(SILENCE_DEADLINE, self.socket.next())
                .await
                .map_err(|_| Failure::General("the connection is silent; the service may be gone".to_owned()))?;
            match message {
                Some(Ok(Message::Text(text))) => return frame(&text),
                Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(error)),
                None => return Err(Failure::General("the connection ended".to_owned())),
            }
        }
    }
}

/// Understands a frame. A refusal, such as of an unknown channel, ends the stream: nothing would ever come.
fn frame(text: &str) -> Result<Value, Failure> {
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        return Err(Failure::General("the service sent a frame that is not JSON".to_owned()));
    };
    if frame["type"] == "error" {
        let message = frame["message"].as_str().or_else(|| frame["data"]["message"].as_str());
        return Err(Failure::General(sentence(message.unwrap_or("the service refused"))));
    }
    Ok(frame)
}

async fn connect(client: &Client) -> Result<Socket, Failure> {
    let request = request(client)?;
    match timeout(CONNECT_DEADLINE, connect_async(request)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => {
            let body = response.body().as_deref().unwrap_or_default();
            let status = StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
            Err(refusal(status, body))
        }
        Ok(Err(Error::Io(_))) | Err(_) => Err(client.absent()),
        Ok(Err(error)) => Err(Failure::General(format!("cannot follow events: {error}"))),
    }
}

fn request(client: &Client) -> Result<Request<()>, Failure> {
    let mut url = client.url("/ws");
    if url.scheme() != "http" {
        return Err(Failure::Usage(
            "events cannot be followed at an https address; use the service's own address or a tunnel".to_owned(),
        ));
    }
    let unusable = |_| Failure::Usage("`--url` cannot be used for a WebSocket".to_owned());
    url.set_scheme("ws").map_err(unusable)?;
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|error| Failure::Usage(format!("`--url` cannot be used for a WebSocket: {error}")))?;
    if let Some(token) = client.token() {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Failure::Usage("BORGOS_TOKEN cannot be sent in a header".to_owned()))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn closed(frame: Option<CloseFrame>) -> Failure {
    let reason = match frame {
        Some(frame) if frame.reason.is_empty() => format!(" with code {}", u16::from(frame.code)),
        Some(frame) => format!(" with code {}: {}", u16::from(frame.code), sentence(&frame.reason)),
        None => String::new(),
    };
    Failure::General(format!("the service closed the connection{reason}"))
}

fn lost(error: Error) -> Failure {
    Failure::General(format!("the connection was lost: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_ends_the_stream() {
        let message = format!("there is no such channel; known are {}", "projects, ".repeat(20));
        let failure = frame(&json!({"type": "error", "message": message}).to_string()).unwrap_err();
        assert_eq!(failure.to_string(), message);
        assert!(frame("<html>").is_err());
    }
}
