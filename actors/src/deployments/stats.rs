//! What a deployment uses, and how it answers.

use std::time::Duration;

use super::Deployments;
use crate::{
    Error,
    deployment::{Message, Probe},
    id::DeploymentId,
    runtime::Usage,
    store::deployments::{self, Deployment},
};

/// How long the deployment's actor may take to say what it remembers.
const PATIENCE: Duration = Duration::from_secs(2);

/// A measurement of a deployment.
#[derive(Debug)]
pub struct Stats {
    /// The deployment.
    pub deployment: Deployment,
    /// What the instance that serves uses; nothing if none does.
    pub usage: Option<Usage>,
    /// The last probes, newest first. The actor remembers them for as long as it lives.
    pub probes: Vec<Probe>,
}

impl Deployments {
    /// Measures a deployment.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database and the engine.
    pub async fn stats(&self, id: DeploymentId) -> Result<Stats, Error> {
        let deployment = deployments::deployment(&self.store, id).await?;
        let runtime = self.runtimes.get(deployment.runtime);
        let usage = match &deployment.instance {
            Some(instance) => runtime.usage(instance).await?,
            None => None,
        };
        let handle = self.directory.handle(id);
        let asked = handle.call(PATIENCE, |reply| Message::ListProbes { reply });
        let probes = match asked.await {
            Ok(probes) => probes,
            Err(Error::Timeout { .. } | Error::Busy { .. } | Error::Restarting { .. } | Error::NotFound { .. }) => {
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        Ok(Stats {
            deployment,
            usage,
            probes,
        })
    }
}
