//! What targets are told.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::names;
use crate::{
    id::WebhookId,
    store::{
        events::Event,
        webhooks::{Webhook, deliveries::NewMessage},
    },
};

/// The event of a test, which nobody can ask for.
const TEST: &str = "webhook.test";
/// An event whose text is longer is told of without its data; targets need not take more.
const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Makes the message of an event, if the webhook is told of it. The event log's epoch makes ids differ between
/// installations.
pub(super) fn of(epoch: &str, webhook: &Webhook, event: &Event) -> Option<NewMessage> {
    let name = names::of(event).filter(|name| webhook.events.contains(name))?;
    let lane = match event.subject {
        Some(subject) => format!("{}:{subject}", event.channel),
        None => event.channel.clone(),
    };
    Some(NewMessage {
        message_id: format!("evt_{epoch}_{}", event.id),
        event: name.to_owned(),
        lane,
        payload: payload(name, event),
    })
}

/// Makes a message that tells of nothing.
pub(super) fn test(webhook: WebhookId) -> NewMessage {
    let data = json!({"webhook_id": webhook, "message": "This is a test from BorgOS."});
    NewMessage {
        message_id: format!("test_{}", Uuid::new_v4().simple()),
        event: TEST.to_owned(),
        lane: TEST.to_owned(),
        payload: json!({"type": TEST, "timestamp": Utc::now(), "data": data}).to_string(),
    }
}

fn payload(name: &str, event: &Event) -> String {
    let with = |data: &Value| json!({"type": name, "timestamp": event.at, "data": data}).to_string();
    let whole = with(&event.data);
    match whole.len() <= MAX_PAYLOAD_BYTES {
        true => whole,
        false => with(&json!({"id": event.data["id"], "is_truncated": true})),
    }
}
