//! The table `[build]`: what releases are built from.

use borgos_actors::{checkouts::Protocol, plan::Images};
use serde::Deserialize;

/// What releases are built from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Build {
    /// What the Dockerfiles stand on that BorgOS writes.
    pub images: Images,
    /// By which protocols commits are fetched from a project's remote.
    pub git_protocols: Vec<Protocol>,
}

impl Default for Build {
    /// A directory of this machine may belong to anyone, so nothing is fetched from there unless that is wanted.
    fn default() -> Self {
        Self {
            images: Images::default(),
            git_protocols: vec![Protocol::Https, Protocol::Ssh],
        }
    }
}
