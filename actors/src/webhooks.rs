//! Webhooks: what happens in BorgOS, told to other systems.
//!
//! ```text
//! event ── bus gives its offset ──▶ spool: cursor + message, one transaction ──▶ due? ──▶ POST, signed
//!                                                      ▲                                      │
//!                                                      └────── 5 s … a day later, same id ◀───┘ no 2xx
//! ```
//!
//! Messages follow Standard Webhooks. Those about one subject, such as one deployment, come in the order in which it
//! happened; each target has connections of its own, so a slow one delays nobody else.

mod actor;
mod address;
mod message;
mod names;
mod schedule;
mod sender;

use std::sync::Arc;

use tokio::sync::Semaphore;

pub use actor::{Args, Message, PATH, WebhooksActor};
pub use names::{Wanted, all as event_names};
pub use schedule::Verdict;
pub use sender::{Attempt, Sender};

use self::sender::Outgoing;
use crate::{
    Error,
    id::{DeliveryId, WebhookId},
    store::{
        Store,
        webhooks::{self, Delivery, NewWebhook, Patch, Webhook, deliveries},
    },
    supervision::Handle,
    value::WebhookUrl,
};

/// As many tests are sent at once.
const MAX_TESTS: usize = 8;

/// What people can do with webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    store: Store,
    sender: Sender,
    actor: Handle<Message>,
    tests: Arc<Semaphore>,
}

impl Webhooks {
    /// Ties the parts together.
    pub fn new(args: &Args, actor: Handle<Message>) -> Self {
        Self {
            store: args.store.clone(),
            sender: args.sender.clone(),
            actor,
            tests: Arc::new(Semaphore::new(MAX_TESTS)),
        }
    }

    /// Makes a webhook.
    ///
    /// # Errors
    /// `INVALID_FIELD` for a target that nothing may be sent to, `TOO_MANY_WEBHOOKS`, and those of the database.
    pub async fn create(&self, new: &NewWebhook) -> Result<Webhook, Error> {
        self.check(&new.url)?;
        webhooks::create(&self.store, new).await
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_FIELD` for a target that nothing may be sent to, and those of the database.
    pub async fn update(&self, id: WebhookId, patch: &Patch) -> Result<Webhook, Error> {
        if let Some(url) = &patch.url {
            self.check(url)?;
        }
        let webhook = webhooks::update(&self.store, id, patch).await?;
        nudge(&self.actor);
        Ok(webhook)
    }

    /// Has a message sent again, with its old id.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WEBHOOK_INACTIVE`, and those of the database.
    pub async fn redeliver(&self, webhook: WebhookId, id: DeliveryId) -> Result<Delivery, Error> {
        let delivery = deliveries::redeliver(&self.store, webhook, id).await?;
        nudge(&self.actor);
        Ok(delivery)
    }

    /// Sends a test to a webhook's target, active or not, and returns what came of it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `BUSY`, and those of the database.
    pub async fn test(&self, id: WebhookId) -> Result<Delivery, Error> {
        let busy = |_| Error::Busy { actor: PATH.to_owned() };
        let _permit = self.tests.try_acquire().map_err(busy)?;
        let webhook = webhooks::webhook(&self.store, id).await?;
        let message = message::test(id);
        let outgoing = Outgoing {
            url: webhook.url,
            secret: webhook.secret,
            message_id: message.message_id.clone(),
            payload: message.payload.clone(),
        };
        let attempt = self.sender.send(&outgoing).await;
        deliveries::record(&self.store, id, &message, &attempt).await
    }

    fn check(&self, url: &WebhookUrl) -> Result<(), Error> {
        self.sender.check(url).map_err(|refused| Error::InvalidField {
            field: "url".to_owned(),
            reason: format!("must be somewhere else: {refused}"),
        })
    }
}

/// Tells the actor that there may be something to send. It looks by itself as well, so a hint that it does not take is no
/// loss.
pub(crate) fn nudge(webhooks: &Handle<Message>) {
    if let Err(error) = webhooks.cast(Message::Nudge) {
        tracing::debug!(%error, "the webhooks took no hint");
    }
}
