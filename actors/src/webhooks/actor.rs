//! The actor `webhooks` under `app`: turns events into messages and sees to it that they are delivered.
//!
//! It owns what is under way and nothing else: webhooks, cursors and messages are rows. A crash ends the attempts that are
//! under way, and their messages are sent again, with the same ids. While it is away events wait in the outbox.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{task::JoinSet, time::Duration};

use super::{
    message,
    schedule::judge,
    sender::{Attempt, Outgoing, Sender},
};
use crate::{
    Error, event_bus,
    id::{DeliveryId, WebhookId},
    store::{
        Store,
        events::Event,
        webhooks::{self, Webhook, deliveries::Due},
    },
    supervision::{self, Handle},
};

/// The actor's path in the tree.
pub const PATH: &str = "webhooks";
/// How often is looked for what is due again, and for what no hint has told of.
const TICK: Duration = Duration::from_secs(1);
/// As many messages are under way to one target. The number of webhooks is limited, too.
const LANES: usize = 4;

/// What the actor can be told.
#[derive(Debug)]
pub enum Message {
    /// There may be events, or something may be due. Losing this costs at most a second.
    Nudge,
    /// Look for both. The actor tells itself, behind the nudges that wait, so that they cost one look.
    Look,
    /// Look by itself. The actor tells itself every second.
    Tick,
    /// An attempt has ended.
    NoteEnd {
        /// At which message.
        delivery: DeliveryId,
        /// What it came to.
        attempt: Attempt,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Nudge => "nudge",
            Self::Look => "look",
            Self::Tick => "tick",
            Self::NoteEnd { .. } => "note_end",
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// Webhooks, events and messages.
    pub store: Store,
    /// Sends.
    pub sender: Sender,
    /// Is told of new events.
    pub events: Handle<event_bus::Message>,
}

/// The actor.
pub struct WebhooksActor;

/// What the actor holds.
pub struct State {
    args: Args,
    /// What is under way, or has ended and could not be written down yet.
    under_way: HashMap<DeliveryId, Lane>,
    /// The attempts; they end with the actor.
    jobs: JoinSet<()>,
    /// Spares looks while one is due anyway.
    is_look_queued: bool,
    /// The last look failed, which need not be said again and again.
    is_in_doubt: bool,
}

/// One message that is under way.
struct Lane {
    webhook: WebhookId,
    /// How often it was sent before.
    num_before: u32,
    /// What the attempt came to, once it has ended.
    ended: Option<Attempt>,
}

impl Actor for WebhooksActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        myself.cast(Message::Tick)?;
        Ok(State {
            args,
            under_way: HashMap::new(),
            jobs: JoinSet::new(),
            is_look_queued: false,
            is_in_doubt: false,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Nudge => state.nudge(&myself),
            Message::Look => state.look(&myself).await,
            Message::Tick => state.tick(&myself),
            Message::NoteEnd { delivery, attempt } => state.note_end(&myself, delivery, attempt),
        }
        Ok(())
    }
}

impl State {
    fn nudge(&mut self, myself: &ActorRef<Message>) {
        // An actor that is being replaced takes no more messages of its own; the next one looks at once.
        if !self.is_look_queued && myself.cast(Message::Look).is_ok() {
            self.is_look_queued = true;
        }
    }

    fn tick(&mut self, myself: &ActorRef<Message>) {
        myself.send_after(TICK, || Message::Tick);
        self.nudge(myself);
    }

    fn note_end(&mut self, myself: &ActorRef<Message>, delivery: DeliveryId, attempt: Attempt) {
        if let Some(lane) = self.under_way.get_mut(&delivery) {
            lane.ended = Some(attempt);
        }
        self.nudge(myself);
    }

    async fn look(&mut self, myself: &ActorRef<Message>) {
        self.is_look_queued = false;
        while self.jobs.try_join_next().is_some() {}
        match self.try_look(myself).await {
            Ok(()) => self.is_in_doubt = false,
            Err(error) if self.is_in_doubt => tracing::debug!(%error, "webhooks still wait"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "webhooks wait");
                self.is_in_doubt = true;
            }
        }
    }

    async fn try_look(&mut self, myself: &ActorRef<Message>) -> Result<(), Error> {
        self.settle().await?;
        if !webhooks::is_any_active(&self.args.store).await? {
            return Ok(());
        }
        if self.spool().await? {
            self.nudge(myself);
        }
        for webhook in webhooks::deliveries::webhooks_with_due(&self.args.store).await? {
            self.send_due(myself, webhook).await?;
        }
        Ok(())
    }

    /// Writes down what attempts came to. What cannot be written now is kept, with its lane.
    async fn settle(&mut self) -> Result<(), Error> {
        let ended = self.under_way.iter().filter(|(_, lane)| lane.ended.is_some());
        let mut ended: Vec<DeliveryId> = ended.map(|(delivery, _)| *delivery).collect();
        ended.sort_unstable();
        for delivery in ended {
            let Some(Lane {
                num_before,
                ended: Some(attempt),
                webhook,
            }) = self.under_way.get(&delivery)
            else {
                continue;
            };
            let verdict = judge(*num_before, attempt, rand::random());
            tracing::debug!(%delivery, %webhook, ?verdict, "a message was sent");
            if webhooks::settle(&self.args.store, delivery, attempt, &verdict).await? {
                tracing::warn!(%webhook, "webhook {webhook} is disabled, since its target takes nothing");
                event_bus::nudge(&self.args.events);
            }
            self.under_way.remove(&delivery);
        }
        Ok(())
    }

    /// Makes messages of a page of events for each webhook that is behind; true when that was not all.
    async fn spool(&mut self) -> Result<bool, Error> {
        let store = &self.args.store;
        let mut is_more = false;
        for webhook in webhooks::lagging(store).await? {
            let message = |webhook: &Webhook, event: &Event| message::of(store.epoch(), webhook, event);
            is_more |= webhooks::spool(store, webhook, message).await?;
        }
        Ok(is_more)
    }

    /// Sends what is due for one webhook, as far as it has lanes that are free.
    async fn send_due(&mut self, myself: &ActorRef<Message>, id: WebhookId) -> Result<(), Error> {
        let its_own = self.under_way.iter().filter(|(_, lane)| lane.webhook == id);
        let under_way: Vec<DeliveryId> = its_own.map(|(delivery, _)| *delivery).collect();
        let num_free = LANES.saturating_sub(under_way.len());
        if num_free == 0 {
            return Ok(());
        }
        let webhook = match webhooks::webhook(&self.args.store, id).await {
            // Deleted in the meantime.
            Err(Error::NotFound { .. }) => return Ok(()),
            found => found?,
        };
        let due = webhooks::deliveries::due(&self.args.store, id, &under_way, num_free as u64).await?;
        for message in due {
            self.begin(myself.clone(), &webhook, message);
        }
        Ok(())
    }

    fn begin(&mut self, myself: ActorRef<Message>, webhook: &Webhook, message: Due) {
        let delivery = message.id;
        let lane = Lane {
            webhook: webhook.id,
            num_before: message.attempts,
            ended: None,
        };
        self.under_way.insert(delivery, lane);
        let outgoing = Outgoing {
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
            message_id: message.message_id,
            payload: message.payload,
        };
        let sender = self.args.sender.clone();
        self.jobs.spawn(async move {
            let sent = AssertUnwindSafe(sender.send(&outgoing)).catch_unwind().await;
            let attempt = sent.unwrap_or_else(|_| Attempt {
                error: Some("the attempt ended unexpectedly, see the log".to_owned()),
                ..Attempt::default()
            });
            // An error means that the actor is gone; the next one sends the message again.
            let _ = myself.cast(Message::NoteEnd { delivery, attempt });
        });
    }
}
