//! What is said over the edge's control socket: one JSON value a line, an answer for each request, in order.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::route::Route;
use crate::id::DeploymentId;

/// A longer request is refused. A route with all its targets needs less than a tenth of this.
pub(super) const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// A longer answer is none. The list of all routes with all their targets is shorter.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What the edge can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Who are you?
    Identify,
    /// Make a route, or change it. Asking twice is as good as once.
    Set(Route),
    /// Stop listening for the deployment, and drain what is open. One that has no route is fine.
    Remove { deployment: DeploymentId, deadline_ms: u64 },
    /// Let the connections to a target end that the route has left; answers when none is left.
    Drain {
        deployment: DeploymentId,
        target: SocketAddr,
        deadline_ms: u64,
    },
    /// Tell all routes and what goes through them.
    List,
    /// Hand everything over to the process that asks.
    TakeOver {
        /// What of it the process understands.
        format: u32,
        /// How long connections that cannot be handed over may go on.
        grace_ms: u64,
    },
    /// The process that asked waits for what is handed over.
    Ready,
    /// The process that asked has all it was given, and listens.
    TakenOver,
    /// Stop listening, drain what is open, and end. Routes are kept on disk.
    Stop { deadline_ms: u64 },
}

/// What it answers.
pub(super) type Reply = Result<Answer, Refusal>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Identity(Identity),
    /// The route is on disk, and the edge listens.
    Set,
    Removed {
        /// How many routes are left.
        num_routes: usize,
    },
    Drained(Drained),
    Routes(Vec<RouteStats>),
    /// What will be handed over as soon as the other process says that it is ready.
    Handover {
        routes: Vec<Route>,
        num_listeners: usize,
    },
    Stopping,
}

/// Which program the edge is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: u32,
    pub(super) version: String,
    /// Tells one build of a version from another.
    pub(super) build: String,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// As many connections were still open at the deadline, and were cut.
    pub num_cut: usize,
}

/// A route, and what goes through it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteStats {
    /// The route.
    pub route: Route,
    /// Why it is not listened on, if it is not.
    pub problem: Option<String>,
    /// Its targets, and those it has left that still have connections.
    pub targets: Vec<TargetStats>,
}

/// What goes to one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetStats {
    /// Where it is.
    pub address: SocketAddr,
    /// Whether the route still leads to it.
    pub is_current: bool,
    /// Connections that are open.
    pub num_open: usize,
    /// Connections that were made.
    pub num_connections: u64,
    /// Connections that could not be made.
    pub num_failures: u64,
    /// Bytes from clients.
    pub num_bytes_in: u64,
    /// Bytes to clients.
    pub num_bytes_out: u64,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    #[error("the request is not understood: {0}")]
    Malformed(String),
    #[error("the route is not possible: {0}")]
    Impossible(String),
    #[error("revision {known} of the route is known already")]
    Outdated { known: u64 },
    #[error("{listen} is already in use{}", holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    PortInUse { listen: SocketAddr, holder: Option<String> },
    #[error("cannot listen on {listen}: {reason} ({kind})")]
    NotListening {
        listen: SocketAddr,
        /// The sort of error, as the standard library names it.
        kind: String,
        reason: String,
    },
    #[error("the route still leads to {target}")]
    StillRouted { target: SocketAddr },
    #[error("the routes cannot be written: {0}")]
    NotKept(String),
    #[error("another process takes over or the edge ends")]
    Leaving,
}
