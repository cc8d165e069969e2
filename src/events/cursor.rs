//! How far a client has read: the id of an event of the stream.
//!
//! The stream may be of several channels, each with offsets of its own, so the id says where the reader stands on all of them:
//! the epoch, and then the channels with their offsets, as in `7d1e…;deployments=12;errors=3`.

use std::{collections::BTreeMap, fmt};

use borgos_actors::event_bus::Channel;

/// How far a client has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    offsets: BTreeMap<Channel, i64>,
}

/// The text is of no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an event of this stream, or an offset")]
pub struct NoCursor;

impl Cursor {
    /// Stands at the given offsets.
    pub fn new(epoch: &str, offsets: impl IntoIterator<Item = (Channel, i64)>) -> Self {
        Self {
            epoch: epoch.to_owned(),
            offsets: offsets.into_iter().collect(),
        }
    }

    /// Reads a cursor of a stream of these channels: an id as it was sent, that of a single event, or an offset of every
    /// channel in the event log of `epoch`.
    ///
    /// # Errors
    /// Fails when it is none of these.
    pub fn parse(text: &str, epoch: &str, channels: &[Channel]) -> Result<Self, NoCursor> {
        if let Some(offset) = parse_offset(text) {
            return Ok(Self::new(epoch, channels.iter().map(|channel| (*channel, offset))));
        }
        if !text.contains(';') {
            return Self::of_event(text, channels);
        }
        let mut parts = text.split(';');
        let epoch = parts.next().ok_or(NoCursor)?;
        let offsets: Option<BTreeMap<Channel, i64>> = parts.map(parse_position).collect();
        Ok(Self {
            epoch: epoch.to_owned(),
            offsets: offsets.ok_or(NoCursor)?,
        })
    }

    /// Reads the `id` of an event, which says where its own channel stands.
    fn of_event(text: &str, channels: &[Channel]) -> Result<Self, NoCursor> {
        let (epoch, offset) = text.rsplit_once('-').ok_or(NoCursor)?;
        match (channels, parse_offset(offset)) {
            ([channel], Some(offset)) if !epoch.is_empty() => Ok(Self::new(epoch, [(*channel, offset)])),
            _ => Err(NoCursor),
        }
    }

    /// Says whether the offsets are of that event log.
    pub fn is_of(&self, epoch: &str) -> bool {
        self.epoch == epoch
    }

    /// Returns where the reader stands on a channel.
    pub fn offset(&self, channel: Channel) -> Option<i64> {
        self.offsets.get(&channel).copied()
    }

    /// Moves on to `offset`. Says no if the reader is past it already.
    pub fn advance(&mut self, channel: Channel, offset: i64) -> bool {
        let last = self.offsets.entry(channel).or_insert(0);
        let is_new = *last < offset;
        *last = (*last).max(offset);
        is_new
    }
}

fn parse_position(text: &str) -> Option<(Channel, i64)> {
    let (channel, offset) = text.split_once('=')?;
    Some((channel.parse().ok()?, parse_offset(offset)?))
}

/// Reads an offset: digits only, so that there is one way to write it.
fn parse_offset(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.epoch)?;
        self.offsets
            .iter()
            .try_for_each(|(channel, offset)| write!(f, ";{channel}={offset}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: &str = "0198-ab";

    fn channels(names: &[&str]) -> Vec<Channel> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let all = channels(&["errors", "deployments:7"]);
        let cursor = Cursor::new(EPOCH, [(all[0], 3), (all[1], 9)]);
        assert_eq!(cursor.to_string(), "0198-ab;deployments:7=9;errors=3");
        assert_eq!(Cursor::parse(&cursor.to_string(), "other", &all), Ok(cursor));
    }

    #[test]
    fn an_event_is_a_cursor_of_its_own_channel_and_an_offset_of_all() {
        let one = channels(&["errors"]);
        let of_event = Cursor::parse("0198-ab-12", "other", &one).unwrap();
        assert!(of_event.is_of(EPOCH));
        assert_eq!(of_event.offset(one[0]), Some(12));
        let both = channels(&["errors", "tasks"]);
        let offset = Cursor::parse("4", EPOCH, &both).unwrap();
        assert_eq!(
            both.iter().map(|channel| offset.offset(*channel)).collect::<Vec<_>>(),
            [Some(4), Some(4)]
        );
        assert_eq!(Cursor::parse("0198-ab-12", EPOCH, &both), Err(NoCursor));
    }

    #[test]
    fn anything_else_is_refused() {
        let one = channels(&["errors"]);
        for text in [
            "",
            "x",
            "-1",
            "+1",
            "1.0",
            "e;errors",
            "e;errors=-1",
            "e;nothing=1",
            "e;errors=99999999999999999999",
        ] {
            assert_eq!(Cursor::parse(text, EPOCH, &one), Err(NoCursor), "{text}");
        }
    }

    #[test]
    fn a_cursor_only_moves_on() {
        let errors = channels(&["errors"])[0];
        let mut cursor = Cursor::new(EPOCH, []);
        assert!(cursor.advance(errors, 2));
        assert!(!cursor.advance(errors, 2) && !cursor.advance(errors, 1));
        assert_eq!(cursor.offset(errors), Some(2));
    }
}
