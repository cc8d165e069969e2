//! The event bus: gives the events of the outbox their offsets and fans them out to readers.
//!
//! It is a permanent child of `app`, alone gives offsets, and owns who reads what right now. It does not own the events:
//! those are rows, written in the transaction of the change that they tell of. So a crash loses nothing. Readers see
//! their queue closed, look in the store for what came after their last offset and subscribe again; an event that has an
//! offset but was never fanned out is found the same way. While the bus is down, subscribing fails with
//! [`Error::Restarting`] and events wait in the outbox.
//!
//! ```text
//! state change ── one transaction: row + event ──┐            ┌── queue ── reader
//!       └── Nudge ──> bus ── assign_offsets ── outbox ── fan-out ── queue ── reader
//! ```
//!
//! Publishing never waits for a reader: a queue that is full is the reader's loss, see [`Overflow`].

mod channel;
mod fanout;
mod filter;
mod flights;
mod frame;
pub mod queue;
mod reader;

use std::{cell::OnceCell, collections::BTreeMap, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use sea_orm::DbErr;
use tokio::time::{Instant, timeout};
use tracing::{debug, error, info, warn};

pub use channel::{Channel, UnknownChannel};
pub use fanout::{ClientId, Overflow};
pub use filter::{Filter, InvalidFilter};
pub use frame::Frame;
pub use reader::{EventBus, Page};

use self::{fanout::Fanout, frame::Body};
use crate::{
    Error,
    store::{self, Store, events::Event},
    supervision::{self, Handle},
    webhooks,
};

/// The bus's place in the tree.
pub const PATH: &str = "event-bus";
/// The outbox is looked at this often even if nobody says that there is something: nudges are hints and may be lost.
const TICK: Duration = Duration::from_secs(1);
/// So many events are given offsets in one transaction. Few enough not to keep other writers waiting.
const PAGE: u64 = 256;
/// A transaction is given up after that time, so that a hanging database does not look like a hanging bus.
const STORE_DEADLINE: Duration = Duration::from_secs(10);

/// What the bus can be told.
#[derive(Debug)]
pub enum Message {
    /// There may be events in the outbox. Losing this costs at most a second.
    Nudge,
    /// Publish a page of the outbox. The bus tells itself, behind the nudges that wait, so that they cost one look.
    Publish,
    /// Look after slow readers, and at the outbox. The bus tells itself every second.
    Tick,
    /// Adds channels to what a client reads; the reply has the last offset of each. The client's queue gets exactly the
    /// events with greater ones.
    Subscribe {
        /// Who reads.
        client: ClientId,
        /// Where events go: given by a client that is not known yet. One that wrongly believes to be known is refused,
        /// so that it subscribes to everything again after a restart of the bus.
        queue: Option<queue::Sender>,
        /// What to do when the queue is full.
        overflow: Overflow,
        /// The channels, and what is to be let through of each.
        wanted: Vec<(Channel, Filter)>,
        /// Receives the offsets.
        reply: RpcReplyPort<Result<Vec<(Channel, i64)>, Error>>,
    },
    /// Takes channels from what a client reads.
    Unsubscribe {
        /// Who read them.
        client: ClientId,
        /// The channels.
        channels: Vec<Channel>,
    },
    /// Forgets a client.
    Detach {
        /// Who has gone.
        client: ClientId,
    },
}

/// Tells the bus that there are new events. It polls as well, so a hint that it does not take is no loss.
pub fn nudge(bus: &Handle<Message>) {
    if let Err(error) = bus.cast(Message::Nudge) {
        debug!(%error, "the event bus took no hint");
    }
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Nudge => "nudge",
            Self::Publish => "publish",
            Self::Tick => "tick",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Detach { .. } => "detach",
        }
    }
}

/// What the bus is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// Holds the outbox.
    pub store: Store,
    /// Is told when events have their offsets, since it reads them from the outbox itself.
    pub webhooks: Handle<webhooks::Message>,
}

/// The actor.
#[derive(Debug)]
pub struct Bus;

/// What the bus knows of the present. All of it may vanish.
#[derive(Debug)]
pub struct State {
    args: Args,
    fanout: Fanout,
    /// Spares looks at the outbox while one is due anyway.
    is_publish_queued: bool,
    /// The last attempt to give offsets failed, perhaps after it was committed.
    is_in_doubt: bool,
}

impl Actor for Bus {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        myself.cast(Message::Tick)?;
        Ok(State {
            args,
            fanout: Fanout::default(),
            is_publish_queued: false,
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
            Message::Publish => state.publish(&myself).await,
            Message::Tick => state.tick(&myself),
            Message::Subscribe {
                client,
                queue,
                overflow,
                wanted,
                reply,
            } => {
                let tops = state.subscribe(client, queue, overflow, wanted).await;
                // A caller that has given up is attached until its queue is found closed.
                let _ = reply.send(tops);
            }
            Message::Unsubscribe { client, channels } => state.fanout.unsubscribe(client, &channels),
            Message::Detach { client } => state.fanout.detach(client),
        }
        Ok(())
    }
}

impl State {
    fn nudge(&mut self, myself: &ActorRef<Message>) {
        // An actor that is being replaced takes no more messages of its own; the next one looks at once.
        if !self.is_publish_queued && myself.cast(Message::Publish).is_ok() {
            self.is_publish_queued = true;
        }
    }

    /// Publishes one page and comes back for more, so that subscriptions are not kept waiting by a long outbox.
    async fn publish(&mut self, myself: &ActorRef<Message>) {
        self.is_publish_queued = false;
        match assign(&self.args.store).await {
            Ok(events) => {
                self.fan_out_all(&events);
                if !events.is_empty() {
                    webhooks::nudge(&self.args.webhooks);
                }
                if events.len() as u64 == PAGE {
                    self.nudge(myself);
                }
            }
            Err(cause) => self.doubt(&cause),
        }
    }

    fn doubt(&mut self, cause: &Error) {
        if self.is_in_doubt {
            debug!(error = %cause, "events still wait in the outbox");
            return;
        }
        warn!(error = cause as &dyn std::error::Error, "events wait in the outbox");
        self.is_in_doubt = true;
    }

    /// Fans out what has just been given offsets. If the last attempt failed, its commit may have succeeded all the same
    /// and given offsets to events that were never fanned out: who reads is let go then, and finds them in the store.
    fn fan_out_all(&mut self, events: &[Event]) {
        if self.is_in_doubt {
            info!("events leave the outbox again");
            self.fanout = Fanout::default();
            self.is_in_doubt = false;
        }
        events.iter().for_each(|event| self.fan_out(event));
    }

    fn fan_out(&mut self, event: &Event) {
        let Ok(channel) = event.channel.parse::<Channel>() else {
            error!(event.id = %event.id, channel = event.channel, "an event is on a channel that nobody can read");
            return;
        };
        let subject = event
            .subject
            .and_then(|subject| channel.of_subject(subject))
            .zip(event.subject_offset);
        let body = OnceCell::new();
        let body = || body.get_or_init(|| Body::new(&event.kind, &event.data, event.at));
        let now = Instant::now();
        for (channel, offset) in [(channel, event.channel_offset)].into_iter().chain(subject) {
            let make_frame = || body().frame(self.args.store.epoch(), channel, offset);
            self.fanout.publish(now, channel, offset, &event.data, make_frame);
        }
    }

    fn tick(&mut self, myself: &ActorRef<Message>) {
        myself.send_after(TICK, || Message::Tick);
        self.fanout.maintain(Instant::now());
        self.nudge(myself);
    }

    /// Nothing is published between the first line and the last: that is what makes the offsets exact.
    async fn subscribe(
        &mut self,
        client: ClientId,
        queue: Option<queue::Sender>,
        overflow: Overflow,
        wanted: Vec<(Channel, Filter)>,
    ) -> Result<Vec<(Channel, i64)>, Error> {
        if queue.is_none() && !self.fanout.knows(client) {
            return Err(Error::Restarting { actor: PATH.to_owned() });
        }
        let tops = self.tops(&wanted).await?;
        if let Some(queue) = queue {
            self.fanout.attach(client, queue);
        }
        for ((channel, filter), (_, top)) in wanted.into_iter().zip(&tops) {
            self.fanout.subscribe(client, overflow, channel, filter, *top);
        }
        Ok(tops)
    }

    /// Returns the last offset of each channel: from memory where somebody reads it, else from the store.
    async fn tops(&self, wanted: &[(Channel, Filter)]) -> Result<Vec<(Channel, i64)>, Error> {
        let unread = wanted.iter().filter(|(channel, _)| self.fanout.top(*channel).is_none());
        let unread: Vec<String> = unread.map(|(channel, _)| channel.to_string()).collect();
        let stored = if unread.is_empty() {
            BTreeMap::new()
        } else {
            stored_tops(&self.args.store, &unread).await?
        };
        let top = |channel: Channel| {
            let stored = || stored.get(&channel.to_string()).copied().unwrap_or(0);
            self.fanout.top(channel).unwrap_or_else(stored)
        };
        Ok(wanted.iter().map(|(channel, _)| (*channel, top(*channel))).collect())
    }
}

async fn assign(store: &Store) -> Result<Vec<Event>, Error> {
    in_time(store::events::assign_offsets(store, PAGE)).await
}

async fn stored_tops(store: &Store, names: &[String]) -> Result<BTreeMap<String, i64>, Error> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    in_time(store::events::tops(store, &names)).await
}

async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = || Error::Database(DbErr::Custom(format!("no answer within {STORE_DEADLINE:?}")));
    timeout(STORE_DEADLINE, work).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests;
