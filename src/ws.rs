//! The live stream at `/ws`.
//!
//! [`upgrade`] takes a request that has passed the guard out of HTTP and gives it to a session of [`Sessions`], which
//! lives until either end closes or the service stops. A session is one task over one socket: it reads what the client
//! wants, and passes on what the event bus puts into its queue. Nothing that it holds is a fact: after a restart of the
//! bus it finds what it missed in the store, after a lost connection the client does (`since`).
//!
//! The upgrade is made by hand because warp's own reserves 128 KiB for each connection.

mod clients;
mod ending;
mod feed;
mod heartbeat;
mod inbound;
mod protocol;
mod session;
mod sessions;
mod socket;
mod upgrade;
mod viewer;

#[cfg(test)]
mod tests;

pub use clients::ClientView;
pub use sessions::Sessions;
pub use upgrade::{Refusal, upgrade};
pub use viewer::Viewer;
