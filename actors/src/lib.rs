//! Everything of BorgOS that decides.
//!
//! - [`supervision`]: the tree, its restart rules, stable handles and what operators see of them.
//! - [`store`]: all SQL. Rows are the facts; a message to an actor is a hint to look at them.
//! - [`event_bus`]: publishes the outbox rows with dense offsets, live and replayed.
//! - [`runtime`]: how a release runs: Docker containers or plain processes.
//! - [`deployment`]: one actor per deployment that makes what runs agree with what is wanted.
//! - [`value`]: what strangers send, parsed once at the edge.
//!
//! Nothing here speaks HTTP to clients; that is the `borgos` package.

pub mod deployment;
pub mod error;
pub mod event_bus;
pub mod id;
pub mod runtime;
pub mod store;
pub mod supervision;
pub mod value;

pub use error::Error;
