//! What clients are sent beside events.

use std::collections::BTreeMap;

use borgos_actors::event_bus::{
    Channel,
    queue::{self, Lag},
};
use serde::Serialize;
use serde_json::json;

use super::{MAX_CHANNELS, Reason, Reference};
use crate::ws::{heartbeat, inbound, socket::MAX_MESSAGE_BYTES};

/// A frame that is not an event.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::ws) enum Reply {
    /// The answer to a hello: what the client may do and what it may expect.
    Welcome {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        /// The connection's number.
        session: u64,
        epoch: String,
        /// A ping comes this often, in seconds.
        heartbeat: u64,
        limits: Limits,
    },
    /// A subscription holds. What was missed has been sent before it; what follows is live.
    Ack {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        channels: BTreeMap<Channel, Subscribed>,
    },
    /// Subscriptions have ended.
    #[serde(rename = "ack")]
    Unsubscribed {
        #[serde(rename = "ref")]
        reference: Reference,
        unsubscribed: Vec<Channel>,
    },
    /// The answer to a ping.
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// The client was too slow for these events. It can ask for them with `since`.
    Lagged {
        channel: Channel,
        from: i64,
        to: i64,
        dropped: u64,
    },
    /// A message was not carried out.
    Error {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        code: &'static str,
        message: String,
    },
}

/// The bounds of a connection.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::ws) struct Limits {
    messages_per_second: u32,
    message_bytes: usize,
    channels: usize,
    /// So much may wait for a client before it is told that it lags.
    queue_frames: usize,
    queue_bytes: usize,
}

/// Where a client stands on one channel.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::ws) struct Subscribed {
    /// The channel's last offset: live events have greater ones.
    offset: i64,
    /// Names the database's event log. Offsets of another epoch mean nothing.
    epoch: String,
    #[serde(flatten)]
    recovery: Option<Recovery>,
}

/// What became of `since`.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Recovery {
    recovered: bool,
    replayed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// How a subscription came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ws) enum Outcome {
    /// From now on, as nothing else was asked for.
    Live,
    /// All that was missed was sent.
    Replayed { num_events: u64 },
    /// Nothing was sent: the events are not kept any more.
    TooOld,
    /// Nothing was sent: the offsets are of another event log.
    OtherEpoch,
    /// Nothing was sent: no event has had that offset yet.
    UnknownOffset,
}

impl Subscribed {
    pub(in crate::ws) fn new(epoch: &str, offset: i64, outcome: Outcome) -> Self {
        let lost = |reason| {
            Some(Recovery {
                recovered: false,
                replayed: 0,
                reason: Some(reason),
            })
        };
        let recovery = match outcome {
            Outcome::Live => None,
            Outcome::Replayed { num_events } => Some(Recovery {
                recovered: true,
                replayed: num_events,
                reason: None,
            }),
            Outcome::TooOld => lost("too_old"),
            Outcome::OtherEpoch => lost("other_epoch"),
            Outcome::UnknownOffset => lost("unknown_offset"),
        };
        Self {
            offset,
            epoch: epoch.to_owned(),
            recovery,
        }
    }
}

impl Reply {
    pub(in crate::ws) fn error(reference: Option<Reference>, reason: &Reason) -> Self {
        Self::Error {
            reference,
            code: reason.code(),
            message: reason.to_string(),
        }
    }

    pub(in crate::ws) fn welcome(reference: Option<Reference>, session: u64, epoch: &str) -> Self {
        Self::Welcome {
            reference,
            session,
            epoch: epoch.to_owned(),
            heartbeat: heartbeat::INTERVAL.as_secs(),
            limits: Limits {
                messages_per_second: inbound::MESSAGES.get(),
                message_bytes: MAX_MESSAGE_BYTES,
                channels: MAX_CHANNELS,
                queue_frames: queue::MAX_FRAMES,
                queue_bytes: queue::MAX_BYTES,
            },
        }
    }

    pub(in crate::ws) fn lagged(lag: Lag) -> Self {
        Self::Lagged {
            channel: lag.channel,
            from: lag.from,
            to: lag.to,
            dropped: lag.num_dropped,
        }
    }

    /// Serialises the frame.
    pub(in crate::ws) fn to_text(&self) -> String {
        json!(self).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn value(reply: &Reply) -> Value {
        serde_json::from_str(&reply.to_text()).unwrap()
    }

    fn ack(outcome: Outcome) -> Value {
        let channels = BTreeMap::from([("errors".parse().unwrap(), Subscribed::new("e1", 9, outcome))]);
        value(&Reply::Ack {
            reference: None,
            channels,
        })["channels"]["errors"]
            .clone()
    }

    #[test]
    fn an_ack_says_where_the_client_stands() {
        assert_eq!(ack(Outcome::Live), json!({"offset": 9, "epoch": "e1"}));
        assert_eq!(
            ack(Outcome::Replayed { num_events: 4 }),
            json!({"offset": 9, "epoch": "e1", "recovered": true, "replayed": 4})
        );
        assert_eq!(
            ack(Outcome::TooOld),
            json!({"offset": 9, "epoch": "e1", "recovered": false, "replayed": 0, "reason": "too_old"})
        );
    }

    #[test]
    fn an_error_has_a_code_and_lists_what_is_known() {
        let error = value(&Reply::error(
            None,
            &Reason::UnknownChannels(vec!["project".to_owned()]),
        ));
        assert_eq!(error["type"], "error");
        assert_eq!(error["code"], "UNKNOWN_CHANNEL");
        assert_eq!(
            error["message"],
            "unknown channels: project; known are projects, deployments, errors, tasks, agent-zero, actors, system, access, \
             projects:ID, deployments:ID, tasks:ID"
        );
        assert!(error.get("ref").is_none());
    }

    #[test]
    fn a_notice_names_what_was_dropped() {
        let lag = Lag {
            channel: "tasks:1".parse().unwrap(),
            from: 3,
            to: 9,
            num_dropped: 5,
        };
        let wanted = json!({"type": "lagged", "channel": "tasks:1", "from": 3, "to": 9, "dropped": 5});
        assert_eq!(value(&Reply::lagged(lag)), wanted);
    }
}
