//! One page of the stream.

use borgos_actors::{
    Error,
    event_bus::{Channel, EventBus},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Cursor, Wanted};

/// At most so many pages of the bus are read of a channel, for a filter that lets hardly anything through.
const MAX_READS: usize = 64;

/// A piece of the stream.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventPage")]
pub struct Page {
    /// As `/ws` sends them, oldest first.
    #[schemars(with = "Vec<Map<String, Value>>")]
    events: Vec<Value>,
    /// Where the next page begins.
    last_event_id: String,
    /// Whether there is more behind it.
    has_more: bool,
    /// Whether nothing is missing between `since` and this page.
    recovered: bool,
}

/// What was read of one channel.
struct Part {
    channel: Channel,
    events: Vec<Found>,
    /// Where the reading began and ended, and the end of the channel.
    start: i64,
    last: i64,
    top: i64,
    is_gapless: bool,
}

struct Found {
    at: DateTime<Utc>,
    channel: Channel,
    offset: i64,
    event: Value,
}

/// Reads the events that follow `since`, at most `limit`; without it the newest ones.
///
/// # Errors
/// Fails when the database does.
pub async fn page(bus: &EventBus, wanted: &Wanted, limit: usize) -> Result<Page, Error> {
    let mut parts = Vec::new();
    for (channel, top) in bus.tops(&wanted.channels).await? {
        parts.push(read(bus, wanted, channel, top, limit).await?);
    }
    let mut events: Vec<Found> = parts.iter_mut().flat_map(|part| part.events.drain(..)).collect();
    events.sort_by_key(|found| (found.at, found.channel, found.offset));
    let rest = match wanted.since {
        Some(_) => events.split_off(events.len().min(limit)),
        None => {
            events.drain(..events.len().saturating_sub(limit));
            Vec::new()
        }
    };
    let cursor = Cursor::new(bus.epoch(), parts.iter().map(|part| (part.channel, part.end(&rest))));
    let is_behind = |part: &Part| cursor.offset(part.channel).is_some_and(|offset| offset < part.top);
    Ok(Page {
        has_more: parts.iter().any(is_behind),
        recovered: wanted.since.is_none() || parts.iter().all(|part| part.is_gapless),
        last_event_id: cursor.to_string(),
        events: events.into_iter().map(|found| found.event).collect(),
    })
}

async fn read(bus: &EventBus, wanted: &Wanted, channel: Channel, top: i64, limit: usize) -> Result<Part, Error> {
    let newest = top.saturating_sub(i64::try_from(limit).unwrap_or(i64::MAX)).max(0);
    let (start, is_known) = match &wanted.since {
        None => (newest, true),
        Some(since) => match since
            .offset(channel)
            .filter(|offset| since.is_of(bus.epoch()) && *offset <= top)
        {
            Some(offset) => (offset, true),
            None => (0, false),
        },
    };
    let mut part = Part {
        channel,
        events: Vec::new(),
        start,
        last: start,
        top,
        is_gapless: is_known,
    };
    for _ in 0..MAX_READS {
        if part.last >= top || part.events.len() >= limit {
            break;
        }
        let page = bus.replay(channel, &wanted.filter, part.last, top).await?;
        part.is_gapless &= !page.has_gap;
        part.last = if page.is_full { page.last } else { top };
        for frame in &page.frames {
            part.events.push(found(channel, frame.offset, &frame.text)?);
        }
    }
    Ok(part)
}

fn found(channel: Channel, offset: i64, text: &[u8]) -> Result<Found, Error> {
    let broken = |cause: &dyn std::fmt::Display| Error::Internal(format!("an event of `{channel}` is broken: {cause}"));
    let event: Value = serde_json::from_slice(text).map_err(|cause| broken(&cause))?;
    let at = event["at"].as_str().unwrap_or_default();
    let at = DateTime::parse_from_rfc3339(at).map_err(|cause| broken(&cause))?;
    Ok(Found {
        at: at.to_utc(),
        channel,
        offset,
        event,
    })
}

impl Part {
    /// Returns how far the channel was read, when these of its events are left for the next page.
    fn end(&self, rest: &[Found]) -> i64 {
        let left = rest.iter().filter(|found| found.channel == self.channel);
        let first = left.map(|found| found.offset).min();
        first.map_or(self.last, |first| (first - 1).max(self.start))
    }
}
