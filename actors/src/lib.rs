//! Everything of BorgOS that decides.
//!
//! - [`supervision`]: the tree, its restart rules, stable handles and what operators see of them.
//! - [`store`]: all SQL. Rows are the facts; a message to an actor is a hint to look at them.
//! - [`event_bus`]: publishes the outbox rows with dense offsets, live and replayed.
//! - [`runtime`]: how a release runs: Docker containers or plain processes.
//! - [`health`]: asks an app once whether it is well.
//! - [`deployment`]: one actor per deployment that makes what runs agree with what is wanted.
//! - [`deployments`]: what people can do with them, and the reconciler that keeps an actor for each.
//! - [`edge`]: the process that holds the public ports, and the actor that keeps it.
//! - [`logs`]: what deployments print, kept beyond their instances.
//! - [`lock_file`]: one process per directory.
//! - [`system`]: all of it, wired together.
//! - [`value`]: what strangers send, parsed once at the edge.
//!
//! Nothing here speaks HTTP to clients; that is the `borgos` package.

pub mod deployment;
pub mod deployments;
pub mod edge;
pub mod error;
pub mod event_bus;
pub mod health;
pub mod id;
pub mod journal;
pub mod lock_file;
pub mod logs;
pub mod metrics;
mod rotation;
pub mod runtime;
pub mod store;
pub mod store_watch;
pub mod supervision;
pub mod system;
pub mod value;

pub use error::Error;
