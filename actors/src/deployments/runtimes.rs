//! What can run deployments here.

use std::sync::Arc;

use crate::runtime::{Kind, Runtime};

/// The runtimes of this machine. A deployment stays on the one that it was created for.
#[derive(Clone)]
pub struct Runtimes {
    docker: Arc<dyn Runtime>,
    process: Arc<dyn Runtime>,
    default: Kind,
    watches_docker: bool,
}

impl Runtimes {
    /// Brings the runtimes together; new deployments run on the `default` one. An engine that no deployment ever used
    /// is left alone.
    pub fn new(docker: Arc<dyn Runtime>, process: Arc<dyn Runtime>, default: Kind, is_docker_used: bool) -> Self {
        let watches_docker = is_docker_used || default == Kind::Docker;
        Self {
            docker,
            process,
            default,
            watches_docker,
        }
    }

    /// Returns the runtime of that kind.
    pub fn get(&self, kind: Kind) -> Arc<dyn Runtime> {
        match kind {
            Kind::Docker => self.docker.clone(),
            Kind::Process => self.process.clone(),
        }
    }

    /// Returns the runtime for new deployments.
    pub fn default_runtime(&self) -> Arc<dyn Runtime> {
        self.get(self.default)
    }

    /// Returns the runtimes that are watched as a whole.
    pub fn in_use(&self) -> Vec<Arc<dyn Runtime>> {
        let docker = self.watches_docker.then(|| self.docker.clone());
        docker.into_iter().chain([self.process.clone()]).collect()
    }
}

impl std::fmt::Debug for Runtimes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtimes")
            .field("default", &self.default)
            .finish_non_exhaustive()
    }
}
