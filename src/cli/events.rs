//! `borgos events`: follows `/ws` and prints what comes.

use std::time::Duration;

use clap::Args;
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
    client::{Client, Remote, refusal},
    output::{self, line, plain, sentence},
};

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// The service pings more often than that; a longer silence means that it is gone.
const SILENCE_DEADLINE: Duration = Duration::from_secs(90);

/// Marks the acknowledgement of the subscription.
const SUBSCRIBED: &str = "subscribed";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// What to follow; one subject is written deployments:7
    #[arg(
        long,
        value_name = "CHANNELS",
        value_delimiter = ',',
        default_value = "projects,deployments,errors,tasks,agent-zero,actors,system"
    )]
    channels: Vec<String>,
    /// Print each event as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Events as they come.
pub(super) struct Followed {
    socket: Socket,
}

impl Followed {
    /// Begins to follow channels.
    pub(super) async fn connect(client: &Client, channels: &[String]) -> Result<Self, Failure> {
        let mut socket = connect(client).await?;
        let subscribe = json!({"type": "subscribe", "channels": channels, "ref": SUBSCRIBED}).to_string();
        socket.send(Message::text(subscribe)).await.map_err(lost)?;
        let mut followed = Self { socket };
        // From the acknowledgement on nothing is missed.
        while followed.next().await?["ref"] != SUBSCRIBED {}
        Ok(followed)
    }

    /// Waits for the next event. A refusal, such as of an unknown channel, is a failure: nothing would ever come.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        loop {
            let message = timeout(SILENCE_DEADLINE, self.socket.next())
                .await
                .map_err(|_| Failure::General("the connection is silent; the service may be gone".to_owned()))?;
            match message {
                Some(Ok(Message::Text(text))) => return read(&text),
                Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(error)),
                None => return Err(Failure::General("the connection ended".to_owned())),
            }
        }
    }
}

/// Prints events until the connection ends, which is a failure: the caller wanted to follow.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let mut events = Followed::connect(&client, &arguments.channels).await?;
    loop {
        let frame = events.next().await?;
        let text = if arguments.json {
            output::json(&frame)
        } else {
            describe(&frame)
        };
        line(&text)?;
    }
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
            "`borgos events` cannot follow an https address; use the service's own address or a tunnel".to_owned(),
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

fn read(text: &str) -> Result<Value, Failure> {
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        return Err(Failure::General("the service sent a frame that is not JSON".to_owned()));
    };
    if frame["type"] == "error" {
        let message = frame["message"].as_str().or_else(|| frame["data"]["message"].as_str());
        return Err(Failure::General(sentence(message.unwrap_or("the service refused"))));
    }
    Ok(frame)
}

fn describe(frame: &Value) -> String {
    let text = |key: &str| plain(frame[key].as_str().unwrap_or("-"));
    format!(
        "{}  {:<14} {:<20} {}",
        text("at"),
        text("channel"),
        text("type"),
        output::json(&frame["data"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let frame = json!({
            "type": "deployment_status", "data": {"id": 1, "note": "a\nb"}, "channel": "deployments",
            "at": "2024-01-15T10:30:00Z"
        });
        assert_eq!(
            describe(&frame),
            r#"2024-01-15T10:30:00Z  deployments    deployment_status    {"id":1,"note":"a\nb"}"#
        );
    }

    #[test]
    fn a_refusal_ends_the_command() {
        let message = format!("there is no such channel; known are {}", "projects, ".repeat(20));
        let failure = read(&json!({"type": "error", "message": message}).to_string()).unwrap_err();
        assert_eq!(failure.to_string(), message);
        assert!(read("<html>").is_err());
    }
}
