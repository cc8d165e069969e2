//! What clients send. Parsed in two steps, so that the answer to a frame with a mistake still names its `ref`.

use std::collections::BTreeMap;

use borgos_actors::event_bus::{Channel, Filter};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{MAX_CHANNELS, Reason};

/// The kinds of message that a client may send.
pub(super) const TYPES: [&str; 4] = ["hello", "subscribe", "unsubscribe", "ping"];
/// A `ref` is not longer than that.
const MAX_REFERENCE_BYTES: usize = 128;
/// So much of a wrong name is repeated in the answer.
const MAX_ECHO_CHARS: usize = 64;

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(in crate::ws) enum Request {
    Subscribe(Subscribe),
    Unsubscribe {
        channels: Vec<Name>,
        reference: Option<Reference>,
    },
    Hello {
        reference: Option<Reference>,
    },
    Ping {
        reference: Option<Reference>,
    },
}

/// `{type: "subscribe"}`.
#[derive(Debug, PartialEq)]
pub(in crate::ws) struct Subscribe {
    pub(in crate::ws) channels: Vec<Name>,
    pub(in crate::ws) reference: Option<Reference>,
    pub(in crate::ws) since: Option<Since>,
    pub(in crate::ws) epoch: Option<String>,
    pub(in crate::ws) filter: Option<Filter>,
}

/// A channel's name as the client wrote it, cut to a length that can be repeated, and the channel if there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ws) struct Name {
    pub(in crate::ws) text: String,
    pub(in crate::ws) channel: Option<Channel>,
}

/// A client's own name for a request: a text or a number, given back as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(in crate::ws) struct Reference(Value);

/// The last offset that a client has seen: one for all channels, or one for each.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "`since` must be an offset or an object of channels and their offsets"
)]
pub(in crate::ws) enum Since {
    All(u64),
    Each(BTreeMap<String, u64>),
}

#[derive(Deserialize)]
struct RawSubscribe {
    channels: Vec<String>,
    since: Option<Since>,
    epoch: Option<String>,
    filter: Option<Map<String, Value>>,
    snapshot: Option<Value>,
}

#[derive(Deserialize)]
struct RawUnsubscribe {
    channels: Vec<String>,
}

impl Request {
    /// Parses a message. With a reason comes the message's `ref`, as far as it could be read.
    pub(in crate::ws) fn parse(text: &str) -> Result<Self, (Option<Reference>, Reason)> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| (None, Reason::InvalidJson(error.to_string())))?;
        let reference = Reference::of(&value).map_err(|reason| (None, reason))?;
        Self::from_value(value, reference.clone()).map_err(|reason| (reference, reason))
    }

    fn from_value(value: Value, reference: Option<Reference>) -> Result<Self, Reason> {
        match value.get("type").and_then(Value::as_str) {
            None => Err(Reason::NoType),
            Some("subscribe") => Ok(Self::Subscribe(Subscribe::from_value(value, reference)?)),
            Some("unsubscribe") => {
                let raw: RawUnsubscribe = fields("unsubscribe", value)?;
                Ok(Self::Unsubscribe {
                    channels: names(raw.channels)?,
                    reference,
                })
            }
            Some("hello") => Ok(Self::Hello { reference }),
            Some("ping") => Ok(Self::Ping { reference }),
            Some(unknown) => Err(Reason::UnknownType(shortened(unknown))),
        }
    }
}

impl Subscribe {
    fn from_value(value: Value, reference: Option<Reference>) -> Result<Self, Reason> {
        let raw: RawSubscribe = fields("subscribe", value)?;
        if raw.snapshot.is_some_and(|snapshot| snapshot != Value::Bool(false)) {
            return Err(Reason::NotSupported("snapshot"));
        }
        Ok(Self {
            channels: names(raw.channels)?,
            reference,
            since: raw.since,
            epoch: raw.epoch,
            filter: raw.filter.map(Filter::try_from).transpose()?,
        })
    }

    /// Says whether the client knows more than the documented frame, so that it can be sent notices.
    pub(in crate::ws) fn is_extended(&self) -> bool {
        self.reference.is_some() || self.since.is_some() || self.filter.is_some()
    }
}

impl Reference {
    fn of(message: &Value) -> Result<Option<Self>, Reason> {
        match message.get("ref") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() > MAX_REFERENCE_BYTES => Err(Reason::InvalidFields {
                kind: "ref",
                message: format!("at most {MAX_REFERENCE_BYTES} bytes are accepted"),
            }),
            Some(value @ (Value::String(_) | Value::Number(_))) => Ok(Some(Self(value.clone()))),
            Some(_) => Err(Reason::InvalidFields {
                kind: "ref",
                message: "expected a text or a number".to_owned(),
            }),
        }
    }
}

impl Since {
    /// Returns the last offset of a channel that the client has seen, if it says so. One that is too large for an offset
    /// is as unknown as any other that was never given.
    pub(in crate::ws) fn of(&self, channel: Channel) -> Option<i64> {
        let offset = match self {
            Self::All(offset) => Some(offset),
            Self::Each(offsets) => offsets.get(&channel.to_string()),
        };
        offset.map(|offset| i64::try_from(*offset).unwrap_or(i64::MAX))
    }
}

fn fields<T: DeserializeOwned>(kind: &'static str, value: Value) -> Result<T, Reason> {
    serde_json::from_value(value).map_err(|error| Reason::InvalidFields {
        kind,
        message: error.to_string(),
    })
}

/// Parses names. A name that is there twice is meant once.
fn names(texts: Vec<String>) -> Result<Vec<Name>, Reason> {
    let mut names: Vec<Name> = texts
        .iter()
        .map(|text| Name {
            text: shortened(text),
            channel: text.parse().ok(),
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MAX_CHANNELS {
        Err(Reason::TooManyChannels)
    } else {
        Ok(names)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_ECHO_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(message: Value) -> Result<Request, (Option<Reference>, Reason)> {
        Request::parse(&message.to_string())
    }

    fn subscribe(message: Value) -> Subscribe {
        match parse(message) {
            Ok(Request::Subscribe(subscribe)) => subscribe,
            other => panic!("not a subscription: {other:?}"),
        }
    }

    fn code(message: Value) -> &'static str {
        parse(message).unwrap_err().1.code()
    }

    #[test]
    fn the_documented_frame_is_a_plain_subscription() {
        let parsed = subscribe(json!({"type": "subscribe", "channels": ["projects", "errors", "projects"], "x": 1}));
        let names: Vec<&str> = parsed.channels.iter().map(|name| name.text.as_str()).collect();
        assert_eq!(names, ["errors", "projects"]);
        assert!(!parsed.is_extended());
    }

    #[test]
    fn everything_that_goes_beyond_it_is_an_extension() {
        for (key, value) in [
            ("ref", json!(1)),
            ("ref", json!("a")),
            ("since", json!(0)),
            ("filter", json!({})),
        ] {
            let mut message = json!({"type": "subscribe", "channels": []});
            message[key] = value;
            assert!(subscribe(message).is_extended(), "{key}");
        }
    }

    #[test]
    fn since_is_one_offset_or_one_for_each_channel() {
        let channel: Channel = "deployments:7".parse().unwrap();
        let since = |value: Value| {
            let message = json!({"type": "subscribe", "channels": ["deployments:7"], "since": value});
            subscribe(message).since.and_then(|since| since.of(channel))
        };
        assert_eq!(since(json!(4)), Some(4));
        assert_eq!(since(json!({"deployments:7": 5, "errors": 1})), Some(5));
        assert_eq!(since(json!({"errors": 1})), None);
        assert_eq!(since(json!(null)), None);
        assert_eq!(since(json!(u64::MAX)), Some(i64::MAX));
    }

    #[test]
    fn mistakes_are_told_with_the_reference() {
        assert_eq!(code(json!(7)), "INVALID_MESSAGE");
        assert_eq!(code(json!({"type": 1})), "INVALID_MESSAGE");
        assert_eq!(code(json!({"type": "subscribe"})), "INVALID_MESSAGE");
        assert_eq!(
            code(json!({"type": "subscribe", "channels": [], "since": -1})),
            "INVALID_MESSAGE"
        );
        assert_eq!(
            code(json!({"type": "subscribe", "channels": [], "ref": {}})),
            "INVALID_MESSAGE"
        );
        assert_eq!(
            code(json!({"type": "subscribe", "channels": [], "ref": "x".repeat(129)})),
            "INVALID_MESSAGE"
        );
        assert_eq!(
            code(json!({"type": "subscribe", "channels": [], "filter": {"a": []}})),
            "INVALID_FILTER"
        );
        assert_eq!(
            code(json!({"type": "subscribe", "channels": [], "snapshot": true})),
            "NOT_SUPPORTED"
        );
        let many: Vec<String> = (0..129).map(|id| format!("tasks:{id}")).collect();
        assert_eq!(
            code(json!({"type": "subscribe", "channels": many})),
            "TOO_MANY_CHANNELS"
        );
        assert_eq!(Request::parse("{").unwrap_err().1.code(), "INVALID_JSON");

        let (reference, reason) = parse(json!({"type": "subscrib", "ref": "r1"})).unwrap_err();
        assert_eq!(reference, Some(Reference(json!("r1"))));
        assert_eq!(
            reason.to_string(),
            "there is no message type `subscrib`; known are hello, subscribe, unsubscribe, ping"
        );
    }

    #[test]
    fn wrong_names_are_kept_short() {
        let parsed = subscribe(json!({"type": "subscribe", "channels": ["x".repeat(10_000)]}));
        assert_eq!(
            parsed.channels,
            [Name {
                text: "x".repeat(MAX_ECHO_CHARS),
                channel: None
            }]
        );
    }
}
