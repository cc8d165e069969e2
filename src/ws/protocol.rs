//! The frames of `/ws`: what clients may say, and what they are told.
//!
//! A client that sends only the documented `{type: "subscribe", channels}` gets events and, if it errs, error frames.
//! Every other kind of frame goes only to clients that asked for it.

mod reason;
mod reply;
mod request;

pub(super) use reason::Reason;
pub(super) use reply::{Outcome, Reply, Subscribed};
pub(super) use request::{Name, Reference, Request, Subscribe};

/// A client reads no more channels than that at once.
pub(super) const MAX_CHANNELS: usize = 128;
