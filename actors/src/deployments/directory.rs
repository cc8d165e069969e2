//! The addresses of the deployment actors.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{deployment::Message, id::DeploymentId, supervision::Handle};

/// As many messages may wait for one deployment: hints and people, never bulk.
const CAPACITY: usize = 256;

/// Knows the handle of every deployment's actor, before, while and after it runs. It outlives the reconciler, which
/// starts and stops the actors, so that its crash changes no address. Locked for a look-up only, never over an await.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<DeploymentId, Handle<Message>>>>);

impl Directory {
    /// Returns the path of a deployment's actor.
    pub fn path(id: DeploymentId) -> String {
        format!("deployment/{id}")
    }

    /// Returns the handle of a deployment's actor and makes it if need be; messages wait in it for the actor.
    pub fn handle(&self, id: DeploymentId) -> Handle<Message> {
        let mut handles = self.0.write().unwrap_or_else(PoisonError::into_inner);
        handles
            .entry(id)
            .or_insert_with(|| Handle::new(Self::path(id), CAPACITY))
            .clone()
    }

    /// Finds the handle of a deployment's actor.
    pub(super) fn find(&self, id: DeploymentId) -> Option<Handle<Message>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Forgets a deployment that was deleted.
    pub(super) fn forget(&self, id: DeploymentId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Returns the ids of all known deployments.
    pub(super) fn ids(&self) -> Vec<DeploymentId> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .copied()
            .collect()
    }
}
