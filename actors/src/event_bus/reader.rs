//! What a reader of events holds: the way to the bus for what comes, and to the store for what was.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{
    Channel, ClientId, Filter, Frame, Message, Overflow,
    flights::{Flights, Past},
    frame::Body,
    queue,
};
use crate::{
    Error,
    store::{self, Store},
    supervision::Handle,
};

/// The bus answers within that time, or a reader tries again later.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// So many events are read from the store at once.
const PAGE: u64 = 256;
/// So many pages are read at the same time: when thousands of readers come back at once, other reads get their turn.
const MAX_READS: usize = 2;

/// The events, for one who reads them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EventBus {
    handle: Handle<Message>,
    store: Store,
    reads: Arc<Semaphore>,
    flights: Flights,
}

/// A piece of a channel's past.
#[derive(Debug)]
pub struct Page {
    /// The events that pass the filter.
    pub frames: Vec<Arc<Frame>>,
    /// The last offset that the page covers.
    pub last: i64,
    /// Whether there may be more.
    pub is_full: bool,
    /// Whether events before or within the page are not kept any more.
    pub has_gap: bool,
}

impl EventBus {
    /// Brings together the actor's address and the store.
    pub fn new(handle: Handle<Message>, store: Store) -> Self {
        Self {
            handle,
            store,
            reads: Arc::new(Semaphore::new(MAX_READS)),
            flights: Flights::default(),
        }
    }

    /// Names the event log. Offsets of another epoch mean nothing.
    pub fn epoch(&self) -> &str {
        self.store.epoch()
    }

    /// Adds channels to what a client reads and returns the last offset of each: its queue gets exactly the events with
    /// greater ones. The queue is given with a client's first subscription.
    ///
    /// # Errors
    /// Fails while the bus is down or busy, when it has let go of the client, and when the database does not answer.
    /// After [`Error::Timeout`] the subscription may still come about.
    pub async fn subscribe(
        &self,
        client: ClientId,
        queue: Option<queue::Sender>,
        overflow: Overflow,
        wanted: Vec<(Channel, Filter)>,
    ) -> Result<Vec<(Channel, i64)>, Error> {
        let build = |reply| Message::Subscribe {
            client,
            queue,
            overflow,
            wanted,
            reply,
        };
        self.handle.call(CALL_TIMEOUT, build).await?
    }

    /// Takes channels from what a client reads. Events that are queued still come.
    ///
    /// # Errors
    /// Fails while the bus is down or busy.
    pub fn unsubscribe(&self, client: ClientId, channels: Vec<Channel>) -> Result<(), Error> {
        self.handle.cast(Message::Unsubscribe { client, channels })
    }

    /// Says that a client has gone. If the bus cannot be told, it finds the queue closed within a second.
    pub fn detach(&self, client: ClientId) {
        if let Err(error) = self.handle.cast(Message::Detach { client }) {
            tracing::debug!(%error, "the bus will find out by itself that a client has gone");
        }
    }

    /// Returns the last offset of each channel, as far as offsets have been given.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn tops(&self, channels: &[Channel]) -> Result<Vec<(Channel, i64)>, Error> {
        let names: Vec<String> = channels.iter().map(Channel::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tops = store::events::tops(&self.store, &names).await?;
        let top = |channel: &Channel| tops.get(&channel.to_string()).copied().unwrap_or(0);
        Ok(channels.iter().map(|channel| (*channel, top(channel))).collect())
    }

    /// Reads a page of the events of a channel with offsets above `after` and up to `up_to`. Those who want the same at the same
    /// time share one read.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn replay(&self, channel: Channel, filter: &Filter, after: i64, up_to: i64) -> Result<Page, Error> {
        let read = async || self.read(channel, after, up_to).await;
        let past = self.flights.share((channel, after, up_to), read).await?;
        let passing = past.events.iter().filter(|(_, data)| filter.passes(data));
        Ok(Page {
            frames: passing.map(|(frame, _)| frame.clone()).collect(),
            last: past.last,
            is_full: past.is_full,
            has_gap: past.has_gap,
        })
    }

    async fn read(&self, channel: Channel, after: i64, up_to: i64) -> Result<Past, Error> {
        let closed = |_| Error::Internal("the limit of reads is closed".to_owned());
        let _permit = self.reads.acquire().await.map_err(closed)?;
        let events = store::events::replay(&self.store, &channel.to_string(), after, up_to, PAGE).await?;

        let mut past = Past {
            events: Vec::with_capacity(events.len()),
            last: after,
            is_full: events.len() as u64 == PAGE,
            has_gap: false,
        };
        for event in events {
            let offset = match channel.subject() {
                Some(_) => event.subject_offset.ok_or_else(|| lost_offset(channel))?,
                None => event.channel_offset,
            };
            past.has_gap |= offset != past.last + 1;
            past.last = offset;
            let body = Body::new(&event.kind, &event.data, event.at);
            past.events
                .push((body.frame(self.epoch(), channel, offset), event.data));
        }
        Ok(past)
    }
}

fn lost_offset(channel: Channel) -> Error {
    Error::Internal(format!("an event of `{channel}` has no offset there"))
}
