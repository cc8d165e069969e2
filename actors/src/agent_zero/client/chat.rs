//! The chats that our prompts have, and their end. A chat that is left is work that goes on, and costs.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    log::Log,
    session::{Session, Trouble, refusal},
};
use crate::{
    agent_zero::{Message, http::exchange, probe::Api},
    supervision::Handle,
};

/// Tells our chats from those of people.
const PREFIX: &str = "borg-";
const END_DEADLINE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So many are ended before a stop; nobody has more.
const MAX_CHATS: usize = 100;

/// Whether a chat has its message, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It has it, or never gets it.
    Known,
    /// It was sent, and nobody knows.
    Unknown,
}

/// The chat of one prompt. Dropping it has the chat ended.
pub(in crate::agent_zero) struct Chat {
    /// The one in use, last; before it those that were replaced and could not be ended.
    open: Vec<Open>,
    actor: Handle<Message>,
}

struct Open {
    id: String,
    arrival: Arrival,
}

impl Chat {
    /// Names a chat that is not there yet.
    pub(in crate::agent_zero) fn new(name: &str, actor: Handle<Message>) -> Self {
        let mut chat = Self {
            open: Vec::new(),
            actor,
        };
        chat.begin(format!("{PREFIX}{name}"));
        chat
    }

    pub(super) fn id(&self) -> &str {
        self.open.last().map_or("", |open| &open.id)
    }

    /// Takes note of what is known about its message.
    pub(super) fn note(&mut self, arrival: Arrival) {
        if let Some(open) = self.open.last_mut() {
            open.arrival = arrival;
        }
    }

    /// Gives it up for another one.
    pub(super) async fn replace(&mut self, api: &Api) {
        let next = format!("{}-again", self.id());
        self.end(api).await;
        self.begin(next);
    }

    /// Ends it. What cannot be ended now is left to the actor.
    pub(super) async fn end(&mut self, api: &Api) {
        let mut left = Vec::new();
        for open in std::mem::take(&mut self.open) {
            match timeout(END_DEADLINE, end_chat(api, &open.id)).await {
                Ok(Ok(found)) if found == Found::Yes || open.arrival == Arrival::Known => {}
                Ok(Ok(_)) | Err(_) => left.push(open),
                Ok(Err(trouble)) => {
                    tracing::debug!("chat {} of Agent Zero is not ended yet: {trouble}", open.id);
                    left.push(open);
                }
            }
        }
        self.open = left;
    }

    fn begin(&mut self, id: String) {
        let arrival = Arrival::Known;
        self.open.push(Open { id, arrival });
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        for Open { id, arrival } in std::mem::take(&mut self.open) {
            if let Err(error) = self.actor.cast(Message::EndChat { chat: id, arrival }) {
                tracing::warn!(%error, "a chat of Agent Zero is left to its next stop");
            }
        }
    }
}

/// Whether there was a chat to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent_zero) enum Found {
    Yes,
    /// There was none, or nobody says.
    No,
}

/// Ends a chat for as long as it takes until it has ended. One whose message is on its way may only be there later.
pub(in crate::agent_zero) async fn see_ended(api: &Api, chat: &str, arrival: Arrival) {
    loop {
        match end_chat(api, chat).await {
            Ok(found) if found == Found::Yes || arrival == Arrival::Known => return,
            Ok(_) => {}
            Err(trouble) => tracing::debug!("chat {chat} of Agent Zero is not ended yet: {trouble}"),
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Ends a chat: what it does, and what it has said. One that is gone is a success.
async fn end_chat(api: &Api, chat: &str) -> Result<Found, Trouble> {
    if let Some(token) = &api.token {
        let request = Request::post(format!("{}/api_terminate_chat", api.prefix))
            .header(header::CONTENT_TYPE, "application/json")
            .header("X-API-KEY", token.expose())
            .body(Full::new(Bytes::from(json!({"context_id": chat}).to_string())))
            .map_err(|cause| Trouble::Unreadable(std::io::Error::other(cause)))?;
        let answer = exchange(api.port, request, END_DEADLINE)
            .await
            .map_err(Trouble::Unreachable)?;
        return match answer.status {
            200 => Ok(Found::Yes),
            404 => Ok(Found::No),
            _ => Err(refusal(&answer)),
        };
    }
    let mut session = Session::open(api).await?;
    session.call("chat_remove", &json!({"context": chat})).await?;
    Ok(Found::No)
}

/// Ends all chats that are ours. Those of people stay.
pub(in crate::agent_zero) async fn end_all_chats(api: &Api) {
    let ours = async {
        let question = Log::default().question(None, &api.timezone);
        let answer = Session::open(api).await?.call("poll", &question).await?;
        Ok::<_, Trouble>(ids(&answer))
    };
    match ours.await {
        Ok(ids) => {
            for id in ids {
                if let Err(trouble) = end_chat(api, &id).await {
                    tracing::debug!("chat {id} of Agent Zero is not ended: {trouble}");
                }
            }
        }
        Err(trouble) => tracing::debug!("the chats of Agent Zero are not known: {trouble}"),
    }
}

fn ids(answer: &Value) -> Vec<String> {
    let contexts = answer["contexts"].as_array().into_iter().flatten();
    let ids = contexts.filter_map(|context| context["id"].as_str());
    ids.filter(|id| id.starts_with(PREFIX))
        .take(MAX_CHATS)
        .map(str::to_owned)
        .collect()
}
