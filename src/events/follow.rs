//! The stream that goes on.

use std::{collections::VecDeque, time::Duration};

use borgos_actors::{
    Error,
    event_bus::{
        Channel, ClientId, EventBus, Overflow,
        queue::{self, Delivery, Lag, Next, Receiver},
    },
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Cursor, Wanted};

/// A sign of life is sent this often, for proxies that cut what is silent and to find out whether anybody still reads.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// A comment, which clients pass over.
const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");
/// A client comes back after that time.
const RETRY: &str = "retry: 1000\n";
/// A replay covers at most so many pages of the bus for each channel, which is more than one keeps.
const MAX_PAGES: usize = 1024;

/// One who follows.
struct Follower {
    bus: EventBus,
    wanted: Wanted,
    cursor: Cursor,
    client: ClientId,
    queue: Receiver,
    /// What is left to be replayed: each channel, up to where the queue begins.
    behind: VecDeque<Behind>,
    is_greeted: bool,
}

/// A channel that has not been caught up with.
struct Behind {
    channel: Channel,
    up_to: i64,
    num_pages: usize,
    /// Whether it cannot be known what the client has missed.
    is_lost: bool,
}

/// Subscribes, and returns the stream: first what was missed, then what comes. It ends when the client must come back.
///
/// # Errors
/// Fails while the bus is down, and when the database does not answer.
pub async fn follow(
    bus: EventBus,
    wanted: Wanted,
) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + 'static, Error> {
    let client = ClientId(Uuid::now_v7());
    let (sender, queue) = queue::bounded();
    let channels = wanted.channels.iter().map(|channel| (*channel, wanted.filter.clone()));
    let tops = bus
        .subscribe(client, Some(sender), Overflow::Notify, channels.collect())
        .await?;
    let mut follower = Follower {
        cursor: Cursor::new(bus.epoch(), tops.iter().copied()),
        bus,
        wanted,
        client,
        queue,
        behind: VecDeque::new(),
        is_greeted: false,
    };
    follower.look_back(&tops);
    Ok(stream::unfold(follower, async |mut follower| {
        let chunk = follower.next().await?;
        Some((chunk, follower))
    }))
}

impl Follower {
    /// Notes what was missed, as far as the client says where it stands.
    fn look_back(&mut self, tops: &[(Channel, i64)]) {
        let Some(since) = &self.wanted.since else { return };
        let is_same_log = since.is_of(self.bus.epoch());
        let mut offsets = Vec::new();
        for (channel, top) in tops {
            let Some(offset) = since.offset(*channel) else {
                offsets.push((*channel, *top));
                continue;
            };
            // Offsets of another event log, or such that no event has had, say nothing about what was missed.
            let is_lost = !is_same_log || offset > *top;
            offsets.push((*channel, if is_lost { 0 } else { offset }));
            self.behind.push_back(Behind {
                channel: *channel,
                up_to: *top,
                num_pages: 0,
                is_lost,
            });
        }
        self.cursor = Cursor::new(self.bus.epoch(), offsets);
    }

    /// Returns the next piece of the stream; none at its end.
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        if !self.is_greeted {
            self.is_greeted = true;
            return Some(Ok(self.greeting()));
        }
        while let Some(behind) = self.behind.front() {
            if self
                .cursor
                .offset(behind.channel)
                .is_none_or(|last| last >= behind.up_to)
            {
                self.behind.pop_front();
                continue;
            }
            return Some(self.catch_up().await);
        }
        loop {
            match timeout(KEEPALIVE, self.queue.next()).await {
                Err(_) => return Some(Ok(ALIVE)),
                Ok(Next::Delivery(delivery)) => {
                    if let Some(chunk) = self.pass_on(delivery) {
                        return Some(Ok(chunk));
                    }
                }
                Ok(Next::Slow | Next::Gone) => return None,
            }
        }
    }

    /// Tells the client where it stands before anything happens.
    fn greeting(&self) -> Bytes {
        Bytes::from(format!("{RETRY}id: {}\n: follows\n\n", self.cursor))
    }

    /// Reads one page of what was missed.
    async fn catch_up(&mut self) -> Result<Bytes, Error> {
        let Some(behind) = self.behind.front_mut() else {
            return Ok(Bytes::new());
        };
        behind.num_pages += 1;
        let (channel, up_to) = (behind.channel, behind.up_to);
        let is_given_up = behind.is_lost || behind.num_pages > MAX_PAGES;
        let last = self.cursor.offset(channel).unwrap_or(0);
        if is_given_up {
            return Ok(self.skip(channel, last, up_to).into());
        }
        let page = self.bus.replay(channel, &self.wanted.filter, last, up_to).await?;
        if page.has_gap {
            return Ok(self.skip(channel, last, up_to).into());
        }
        let mut text = String::new();
        for frame in &page.frames {
            self.cursor.advance(channel, frame.offset);
            text.push_str(&self.written(&String::from_utf8_lossy(&frame.text)));
        }
        // What the filter held back counts as read, and so does the end of what there is.
        self.cursor
            .advance(channel, if page.is_full { page.last } else { up_to });
        // No piece of a stream is empty.
        Ok(if text.is_empty() { ALIVE } else { text.into() })
    }

    /// Goes on where the queue begins, and tells the client which events it does not get.
    fn skip(&mut self, channel: Channel, last: i64, up_to: i64) -> String {
        self.cursor.advance(channel, up_to);
        let num_dropped = up_to.abs_diff(last);
        self.written(&lagged(&Lag {
            channel,
            from: last + 1,
            to: up_to,
            num_dropped,
        }))
    }

    /// Writes what came, unless the client has had it with what it missed.
    fn pass_on(&mut self, delivery: Delivery) -> Option<Bytes> {
        let text = match delivery {
            Delivery::Event(frame) => {
                let is_new = self.cursor.advance(frame.channel, frame.offset);
                is_new.then(|| self.written(&String::from_utf8_lossy(&frame.text)))
            }
            Delivery::Lagged(lag) => {
                let is_new = self.cursor.advance(lag.channel, lag.to);
                is_new.then(|| self.written(&lagged(&lag)))
            }
        };
        text.map(Bytes::from)
    }

    fn written(&self, data: &str) -> String {
        format!("id: {}\ndata: {data}\n\n", self.cursor)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.bus.detach(self.client);
    }
}

/// Says which events the client does not get, as `/ws` says it.
fn lagged(lag: &Lag) -> String {
    json!({"type": "lagged", "channel": lag.channel, "from": lag.from, "to": lag.to, "dropped": lag.num_dropped})
        .to_string()
}
