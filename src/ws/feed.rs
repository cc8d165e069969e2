//! What one connection reads: its channels, how far it is on each, and its queue at the bus.

use std::{collections::HashMap, time::Duration};

use borgos_actors::{
    Error,
    event_bus::{
        Channel, ClientId, EventBus, Filter, Overflow,
        queue::{self, Next, Receiver},
    },
};
use tokio::time::Instant;
use uuid::Uuid;

/// The pause before the first try to come back to a bus that has gone; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What one connection reads.
pub(super) struct Feed {
    bus: EventBus,
    overflow: Overflow,
    positions: HashMap<Channel, Position>,
    source: Source,
}

/// How far the client is on one channel.
#[derive(Debug, Clone)]
pub(super) struct Position {
    /// The last offset that it was sent or that it does not want to see.
    pub(super) last: i64,
    pub(super) filter: Filter,
}

enum Source {
    /// Nothing has been subscribed to.
    None,
    /// The bus fills the queue.
    Attached { client: ClientId, queue: Receiver },
    /// The bus has gone and is looked for again.
    Lost { retry_at: Instant, pause: Duration },
}

impl Feed {
    pub(super) fn new(bus: EventBus) -> Self {
        Self {
            bus,
            overflow: Overflow::Close,
            positions: HashMap::new(),
            source: Source::None,
        }
    }

    pub(super) fn bus(&self) -> &EventBus {
        &self.bus
    }

    /// Notes that the client understands notices.
    pub(super) fn accept_notices(&mut self) {
        self.overflow = Overflow::Notify;
    }

    pub(super) fn accepts_notices(&self) -> bool {
        self.overflow == Overflow::Notify
    }

    /// Says whether the bus has gone and is looked for again.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.source, Source::Lost { .. })
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = Channel> {
        self.positions.keys().copied()
    }

    pub(super) fn position(&self, channel: Channel) -> Option<&Position> {
        self.positions.get(&channel)
    }

    pub(super) fn set_position(&mut self, channel: Channel, position: Position) {
        self.positions.insert(channel, position);
    }

    /// Moves a channel's position to `offset`. Says no if the client is past it already or does not read the channel.
    pub(super) fn advance(&mut self, channel: Channel, offset: i64) -> bool {
        match self.positions.get_mut(&channel) {
            Some(position) if position.last < offset => {
                position.last = offset;
                true
            }
            _ => false,
        }
    }

    /// Waits for what the bus says: [`Next::Gone`] when it is time to come back to it. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Next {
        match &mut self.source {
            Source::None => std::future::pending().await,
            Source::Attached { queue, .. } => queue.next().await,
            Source::Lost { retry_at, .. } => {
                tokio::time::sleep_until(*retry_at).await;
                Next::Gone
            }
        }
    }

    /// Waits until the bus has given the client up as too slow.
    pub(super) async fn slow(&self) {
        match &self.source {
            Source::Attached { queue, .. } => queue.slow().await,
            Source::None | Source::Lost { .. } => std::future::pending().await,
        }
    }

    /// Subscribes to channels beside those that are read already and returns the last offset of each. Their positions
    /// are the caller's to set.
    pub(super) async fn add(&mut self, wanted: Vec<(Channel, Filter)>) -> Result<Vec<(Channel, i64)>, Error> {
        match &self.source {
            Source::Attached { client, .. } => self.bus.subscribe(*client, None, self.overflow, wanted).await,
            Source::None | Source::Lost { .. } => self.attach(wanted).await,
        }
    }

    /// Subscribes to everything that is read, with a new queue, and returns the last offset of each channel.
    pub(super) async fn attach_again(&mut self) -> Result<Vec<(Channel, i64)>, Error> {
        let wanted = self
            .positions
            .iter()
            .map(|(channel, position)| (*channel, position.filter.clone()));
        self.attach(wanted.collect()).await
    }

    async fn attach(&mut self, wanted: Vec<(Channel, Filter)>) -> Result<Vec<(Channel, i64)>, Error> {
        let client = ClientId(Uuid::now_v7());
        let (sender, queue) = queue::bounded();
        let tops = self.bus.subscribe(client, Some(sender), self.overflow, wanted).await?;
        self.detach();
        self.source = Source::Attached { client, queue };
        Ok(tops)
    }

    /// Ends subscriptions. Events that are queued are not passed on any more.
    pub(super) fn remove(&mut self, channels: &[Channel]) {
        for channel in channels {
            self.positions.remove(channel);
        }
        if let Source::Attached { client, .. } = &self.source
            && let Err(error) = self.bus.unsubscribe(*client, channels.to_vec())
        {
            tracing::debug!(%error, "the bus goes on sending events that are dropped here");
        }
    }

    /// Gives the queue up and comes back to the bus after a pause, longer with each time in a row.
    pub(super) fn lose(&mut self) {
        self.detach();
        let pause = match &self.source {
            Source::Lost { pause, .. } => (*pause * 2).min(LONGEST_PAUSE),
            Source::None | Source::Attached { .. } => FIRST_PAUSE,
        };
        // Thousands of clients lose the bus at once and should not all come back at once.
        let jitter = rand::random_range(0.5..1.0);
        self.source = Source::Lost {
            retry_at: Instant::now() + pause.mul_f64(jitter),
            pause,
        };
    }

    /// Tells the bus that the client has gone.
    pub(super) fn detach(&self) {
        if let Source::Attached { client, .. } = &self.source {
            self.bus.detach(*client);
        }
    }
}
