//! Publishes the outbox.

mod channel;
mod fanout;
mod filter;
mod frame;
pub mod queue;

pub use channel::{Channel, UnknownChannel};
pub use fanout::{ClientId, Overflow};
pub use filter::{Filter, InvalidFilter};
pub use frame::Frame;
