//! The chats that our prompts have, and their end. A chat that is left is work that goes on, and costs.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use serde_json::{Value, json};
use tokio::time::timeout;

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
/// So many are ended before a stop; nobody has more.
const MAX_CHATS: usize = 100;

/// The chat of one prompt. Dropping it has the chat ended.
pub(in crate::agent_zero) struct Chat {
    /// The one in use, last; before it those that were replaced and could not be ended.
    ids: Vec<String>,
    actor: Handle<Message>,
}

impl Chat {
    /// Names a chat that is not there yet.
    pub(in crate::agent_zero) fn new(name: &str, actor: Handle<Message>) -> Self {
        Self {
            ids: vec![format!("{PREFIX}{name}")],
            actor,
        }
    }

    pub(super) fn id(&self) -> &str {
        self.ids.last().map_or("", String::as_str)
    }

    /// Gives it up for another one.
    pub(super) async fn replace(&mut self, api: &Api) {
        let next = format!("{}-again", self.id());
        self.end(api).await;
        self.ids.push(next);
    }

    /// Ends it. What cannot be ended now is left to the actor.
    pub(super) async fn end(&mut self, api: &Api) {
        for id in std::mem::take(&mut self.ids) {
            match timeout(END_DEADLINE, end_chat(api, &id)).await {
                Ok(Ok(())) => {}
                Ok(Err(trouble)) => {
                    tracing::debug!("chat {id} of Agent Zero is not ended yet: {trouble}");
                    self.ids.push(id);
                }
                Err(_) => self.ids.push(id),
            }
        }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        for chat in std::mem::take(&mut self.ids) {
            if let Err(error) = self.actor.cast(Message::EndChat { chat }) {
                tracing::warn!(%error, "a chat of Agent Zero is left to its next stop");
            }
        }
    }
}

/// Ends a chat: what it does, and what it has said. One that is gone is a success.
pub(in crate::agent_zero) async fn end_chat(api: &Api, chat: &str) -> Result<(), Trouble> {
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
            200 | 404 => Ok(()),
            _ => Err(refusal(&answer)),
        };
    }
    let mut session = Session::open(api).await?;
    session.call("chat_remove", &json!({"context": chat})).await.map(drop)
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
