//! What a reader of events holds: the way to the bus for what comes, and to the store for what was.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{Channel, ClientId, Filter, Frame, Message, Overflow, frame::Body, queue};
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

    /// Reads a page of the events of a channel with offsets above `after` and up to `up_to`.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn replay(&self, channel: Channel, filter: &Filter, after: i64, up_to: i64) -> Result<Page, Error> {
        let closed = |_| Error::Internal("the limit of reads is closed".to_owned());
        let _permit = self.reads.acquire().await.map_err(closed)?;
        let events = store::events::replay(&self.store, &channel.to_string(), after, up_to, PAGE).await?;

        let mut page = Page {
            frames: Vec::new(),
            last: after,
            is_full: events.len() as u64 == PAGE,
            has_gap: false,
        };
        for event in events {
            let offset = match channel.subject() {
                Some(_) => event.subject_offset.ok_or_else(|| lost_offset(channel))?,
                None => event.channel_offset,
            };
            page.has_gap |= offset != page.last + 1;
            page.last = offset;
            if filter.passes(&event.data) {
                let body = Body::new(&event.kind, &event.data, event.at);
                page.frames.push(body.frame(self.epoch(), channel, offset));
            }
        }
        Ok(page)
    }
}

fn lost_offset(channel: Channel) -> Error {
    Error::Internal(format!("an event of `{channel}` has no offset there"))
}
