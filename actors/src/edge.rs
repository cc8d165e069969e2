//! The edge: a small process of its own that holds every public port and passes connections on to the current instances.
//!
//! It outlives BorgOS, whose stop, crash or upgrade no connection notices, and works alone: its routes are on disk, so
//! that one that was killed listens again as soon as it is started. Who starts it again is the actor; who tells the
//! routes are the deployments, through the actor.
//!
//! ```text
//! clients ──▶ public port ──▶ edge ──▶ instance          listener, connection, forward, flow
//!                               ▲                        pool, target: which instance
//!               control socket  │  routes.json           control, protocol, line; directory
//!                               │
//!                        actor `edge` ◀── deployments    actor, link, spawn
//! ```
//!
//! A new build of the program takes over from a running one without a refused connection, see `handover`. How connections
//! leave an instance that is to end is described in `forward`.

mod actor;
mod body;
mod build;
mod client;
mod connection;
mod control;
mod directory;
mod drain;
mod flow;
mod forward;
mod handover;
mod http;
mod line;
mod link;
mod listener;
mod pool;
mod process;
mod protocol;
mod route;
mod server;
mod spawn;
mod table;
mod target;

pub use actor::{Args, EdgeActor, Message, PATH};
pub use protocol::{Drained, RouteStats, TargetStats};
pub use route::{MAX_TARGETS, Route};
pub use server::{Error, Start, run};

/// The code of a drain that was asked for too early.
pub(crate) const TARGET_IN_USE: &str = "TARGET_IN_USE";
