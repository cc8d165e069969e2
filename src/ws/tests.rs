//! `/ws` over real sockets, with a real event bus and a real SQLite store.

mod bounds;
mod client;
mod handshake;
mod recovery;
mod subscriptions;
mod world;
