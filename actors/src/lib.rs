//! Everything of BorgOS that decides.
//!
//! - [`supervision`]: the tree, its restart rules, stable handles and what operators see of them.
//! - [`store`]: all SQL. Rows are the facts; a message to an actor is a hint to look at them.
//! - [`event_bus`]: publishes the outbox rows with dense offsets, live and replayed.
//! - [`runtime`]: how a release runs: Docker containers or plain processes.
//! - [`health`]: asks an app once whether it is well.
//! - [`checkouts`]: work directories of commits that releases are built from.
//! - [`deployment`]: one actor per deployment that makes what runs agree with what is wanted.
//! - [`deployments`]: what people can do with them, and the reconciler that keeps an actor for each.
//! - [`edge`]: the process that holds the public ports, and the actor that keeps it.
//! - [`agent_zero`]: starts, watches and ends Agent Zero, and gives it work.
//! - [`credentials`]: who calls, by token, password or access token.
//! - [`logs`]: what deployments print, kept beyond their instances.
//! - [`lock_file`]: one process per directory.
//! - [`manifests`]: what a project's manifests, lock files and reports say about it.
//! - [`plan`]: how a project is built and started, found out from its files.
//! - [`push`]: builds what is pushed to a project's repository.
//! - [`scan`]: what is in a project, what is broken in it, and how well it is.
//! - [`scanner`]: the actor that decides what is scanned, and keeps what was found.
//! - [`search`]: finds code and projects, blocking and by itself.
//! - [`search_index`]: the actor that answers searches.
//! - [`tasks`]: the queue of tasks, and the agents that carry them out.
//! - [`system`]: all of it, wired together.
//! - [`value`]: what strangers send, parsed once at the edge.
//! - [`webhooks`]: what happens, told to other systems.
//!
//! Nothing here speaks HTTP to clients; that is the `borgos` package.

pub mod agent_zero;
mod cancel;
pub mod checkouts;
pub mod credentials;
pub mod deployment;
pub mod deployments;
pub mod edge;
pub mod error;
pub mod event_bus;
mod git;
pub mod health;
mod hex;
pub mod id;
pub mod journal;
pub mod lock_file;
pub mod logs;
pub mod manifests;
pub mod metrics;
pub mod plan;
mod program;
pub mod push;
mod redact;
mod rotation;
pub mod runtime;
pub mod scan;
pub mod scanner;
pub mod seal;
pub mod search;
pub mod search_index;
pub mod store;
pub mod store_watch;
pub mod supervision;
pub mod system;
pub mod tasks;
pub mod value;
pub mod webhooks;

pub use error::Error;
