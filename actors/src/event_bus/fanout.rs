//! Who reads what, and what becomes of a reader that is too slow. Pure: no store, no actor, no clock of its own.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Channel, Filter, Frame,
    queue::{Delivery, Lag, Refused, Sender},
};

/// A reader that lags has so long to make room before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names one reader while it is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId(pub Uuid);

/// What happens when a reader's queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It is given up at once: it would not understand a notice, and must not miss an event in silence.
    Close,
    /// Events are dropped, and it is told which as soon as there is room.
    Notify,
}

/// All readers and the channels that they read.
#[derive(Debug, Default)]
pub(super) struct Fanout {
    clients: HashMap<ClientId, Client>,
    /// Only channels that somebody reads.
    channels: HashMap<Channel, Members>,
}

#[derive(Debug)]
struct Members {
    /// The last offset that was published.
    top: i64,
    clients: HashSet<ClientId>,
}

#[derive(Debug)]
struct Client {
    queue: Sender,
    overflow: Overflow,
    subscriptions: HashMap<Channel, Subscription>,
    /// Since when at least one subscription lags.
    lagging_since: Option<Instant>,
}

#[derive(Debug)]
struct Subscription {
    filter: Filter,
    /// Only events past this offset are delivered.
    after: i64,
    lag: Option<Lag>,
}

/// Whether a client is kept after something was offered to it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Remove,
}

impl Fanout {
    /// Returns the last offset that was published, of a channel that somebody reads.
    pub(super) fn top(&self, channel: Channel) -> Option<i64> {
        self.channels.get(&channel).map(|members| members.top)
    }

    /// Says whether a client is attached.
    pub(super) fn knows(&self, id: ClientId) -> bool {
        self.clients.contains_key(&id)
    }

    /// Adds a client that reads nothing yet.
    pub(super) fn attach(&mut self, id: ClientId, queue: Sender) {
        let client = Client {
            queue,
            overflow: Overflow::Close,
            subscriptions: HashMap::new(),
            lagging_since: None,
        };
        self.clients.insert(id, client);
    }

    /// Adds a channel to what a client reads, from the event after `top` on. A subscription that was there is replaced.
    /// A client that understands notices once understands them always.
    pub(super) fn subscribe(&mut self, id: ClientId, overflow: Overflow, channel: Channel, filter: Filter, top: i64) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if overflow == Overflow::Notify {
            client.overflow = overflow;
        }
        // A notice that is due stays due.
        let lag = client.subscriptions.get(&channel).and_then(|earlier| earlier.lag);
        let subscription = Subscription {
            filter,
            after: top,
            lag,
        };
        client.subscriptions.insert(channel, subscription);
        let members = self.channels.entry(channel).or_insert_with(|| Members {
            top,
            clients: HashSet::new(),
        });
        members.clients.insert(id);
    }

    /// Ends subscriptions. Those that are not there are passed over. The client stays attached.
    pub(super) fn unsubscribe(&mut self, id: ClientId, channels: &[Channel]) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        for channel in channels {
            client.subscriptions.remove(channel);
            leave(&mut self.channels, *channel, id);
        }
    }

    /// Forgets a client.
    pub(super) fn detach(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else { return };
        for channel in client.subscriptions.into_keys() {
            leave(&mut self.channels, channel, id);
        }
    }

    /// Hands an event to all who read the channel. The frame is only made if somebody does.
    ///
    /// An event that is not the next one means that others have passed this bus by. Its readers are let go, so that they
    /// look in the store for what they missed and subscribe again.
    pub(super) fn publish(
        &mut self,
        now: Instant,
        channel: Channel,
        offset: i64,
        data: &Value,
        make_frame: impl FnOnce() -> Arc<Frame>,
    ) {
        let Some(members) = self.channels.get_mut(&channel) else {
            return;
        };
        if offset <= members.top {
            return;
        }
        let mut removed = Vec::new();
        if offset > members.top + 1 {
            removed.extend(members.clients.drain());
        }
        members.top = offset;
        let frame = make_frame();
        for id in &members.clients {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            if client.offer(now, &frame, data) == Verdict::Remove {
                removed.push(*id);
            }
        }
        for id in removed {
            self.detach(id);
        }
    }

    /// Tells readers that have room again what they missed, gives up those that were too slow for too long and
    /// forgets those that have gone.
    pub(super) fn maintain(&mut self, now: Instant) {
        let removed: Vec<ClientId> = self
            .clients
            .iter_mut()
            .filter_map(|(id, client)| (client.maintain(now) == Verdict::Remove).then_some(*id))
            .collect();
        for id in removed {
            self.detach(id);
        }
    }
}

fn leave(channels: &mut HashMap<Channel, Members>, channel: Channel, id: ClientId) {
    let Some(members) = channels.get_mut(&channel) else {
        return;
    };
    members.clients.remove(&id);
    if members.clients.is_empty() {
        channels.remove(&channel);
    }
}

impl Client {
    fn offer(&mut self, now: Instant, frame: &Arc<Frame>, data: &Value) -> Verdict {
        if self.lagging_since.is_some() {
            self.notify_lag();
        }
        let Some(subscription) = self.subscriptions.get_mut(&frame.channel) else {
            return Verdict::Keep;
        };
        if frame.offset <= subscription.after || !subscription.filter.passes(data) {
            return Verdict::Keep;
        }
        if subscription.lag.is_some() {
            subscription.miss(frame);
            return Verdict::Keep;
        }
        match self.queue.try_push(Delivery::Event(frame.clone())) {
            Ok(()) => {
                subscription.after = frame.offset;
                Verdict::Keep
            }
            Err(Refused::Closed) => Verdict::Remove,
            Err(Refused::Full) if self.overflow == Overflow::Close => {
                self.queue.mark_slow();
                Verdict::Remove
            }
            Err(Refused::Full) => {
                subscription.miss(frame);
                self.lagging_since.get_or_insert(now);
                Verdict::Keep
            }
        }
    }

    fn maintain(&mut self, now: Instant) -> Verdict {
        if self.queue.is_closed() {
            return Verdict::Remove;
        }
        let Some(since) = self.lagging_since else {
            return Verdict::Keep;
        };
        self.notify_lag();
        if self.lagging_since.is_some() && now.duration_since(since) >= PATIENCE {
            self.queue.mark_slow();
            return Verdict::Remove;
        }
        Verdict::Keep
    }

    /// Puts one notice per lagging channel into the queue if the reader has made room.
    fn notify_lag(&mut self) {
        if !self.queue.has_room() {
            return;
        }
        for subscription in self.subscriptions.values_mut() {
            let Some(lag) = subscription.lag else { continue };
            if self.queue.try_push(Delivery::Lagged(Box::new(lag))).is_err() {
                return;
            }
            subscription.after = lag.to;
            subscription.lag = None;
        }
        self.lagging_since = None;
    }
}

impl Subscription {
    fn miss(&mut self, frame: &Frame) {
        let (channel, offset) = (frame.channel, frame.offset);
        let lag = self.lag.get_or_insert(Lag {
            channel,
            from: offset,
            to: offset,
            num_dropped: 0,
        });
        lag.to = offset;
        lag.num_dropped += 1;
    }
}

#[cfg(test)]
mod tests;
