//! What the edge is told to do.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::id::DeploymentId;

/// As many instances may share the connections of one deployment.
pub const MAX_TARGETS: usize = 64;
/// As many deployments may have a route.
pub(super) const MAX_ROUTES: usize = 1000;

/// Where the connections of one deployment come in, and where they go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Whose route it is. There is one for each deployment.
    pub deployment: DeploymentId,
    /// The public address.
    pub listen: SocketAddr,
    /// The instances. Without any, connections are accepted, wait a moment for one, and are closed.
    pub targets: Vec<SocketAddr>,
    /// Grows with each change, so that a late one is told from a new one.
    pub revision: u64,
}

impl Route {
    /// Returns what is wrong with it, if anything is.
    pub(super) fn complaint(&self) -> Option<String> {
        let mut distinct = self.targets.clone();
        distinct.sort();
        distinct.dedup();
        if self.listen.port() == 0 {
            Some("port 0 is no port to listen on".to_owned())
        } else if self.targets.len() > MAX_TARGETS {
            Some(format!("more than {MAX_TARGETS} targets"))
        } else if distinct.len() < self.targets.len() {
            Some("a target is named twice".to_owned())
        } else if self.targets.iter().any(|target| target.port() == 0) {
            Some("port 0 is no port to connect to".to_owned())
        } else if self.targets.contains(&self.listen) {
            Some(format!("{} would be forwarded to itself", self.listen))
        } else {
            None
        }
    }
}
