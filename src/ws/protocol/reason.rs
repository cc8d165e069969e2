//! What can be wrong with a client's message. It is answered with an error frame, and the connection stays open.

use borgos_actors::event_bus::{Channel, InvalidFilter};

use super::{MAX_CHANNELS, request::TYPES};

/// Why a message was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::ws) enum Reason {
    #[error("the message is not valid JSON: {0}")]
    InvalidJson(String),
    #[error("the message must be a JSON object with a `type`")]
    NoType,
    #[error("there is no message type `{0}`; known are {known}", known = TYPES.join(", "))]
    UnknownType(String),
    #[error("`{0}` is not supported yet")]
    NotSupported(&'static str),
    #[error("the fields of `{kind}` are not right: {message}")]
    InvalidFields { kind: &'static str, message: String },
    #[error(transparent)]
    InvalidFilter(#[from] InvalidFilter),
    #[error("unknown channels: {names}; known are {known}", names = .0.join(", "), known = Channel::known())]
    UnknownChannels(Vec<String>),
    #[error("the credential may not read these channels: {}", .0.join(", "))]
    Forbidden(Vec<String>),
    #[error("a connection reads at most {MAX_CHANNELS} channels")]
    TooManyChannels,
    #[error("at most 10 messages per second are accepted; this one was not read")]
    RateLimited,
    #[error("events cannot be read right now, try again: {0}")]
    Unavailable(String),
}

impl Reason {
    /// Returns the stable code that programs can act on.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "INVALID_JSON",
            Self::NoType | Self::InvalidFields { .. } => "INVALID_MESSAGE",
            Self::UnknownType(_) => "UNKNOWN_TYPE",
            Self::NotSupported(_) => "NOT_SUPPORTED",
            Self::InvalidFilter(_) => "INVALID_FILTER",
            Self::UnknownChannels(_) => "UNKNOWN_CHANNEL",
            Self::Forbidden(_) => "INSUFFICIENT_SCOPE",
            Self::TooManyChannels => "TOO_MANY_CHANNELS",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable(_) => "UNAVAILABLE",
        }
    }
}
