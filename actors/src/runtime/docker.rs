//! Runs releases as containers of a Docker engine, 20.10 (API 1.41) or newer.
//!
//! What is ours is known by its labels alone. Docker's own restart policy is `no`: measured, it leaves containers down
//! after the engine was killed, so it is no supervision.

mod build;
mod connect;
mod container;
mod context;
mod dockerignore;
mod events;
mod image;
mod labels;
mod logs;
mod observe;
mod oom;
mod usage;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bollard::Docker as Client;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::{
    build::Build,
    connect::{Connection, QUICK, failed, within},
    context::Context,
    labels::Labels,
};
use super::{
    Artifact, BuildLog, Built, Change, EnforcedLimits, Error, InstanceRef, InstanceSpec, Kind, Line, Observation,
    Runtime, Source, Usage, Wanted, process::blocking,
};
use crate::{
    id::DeploymentId,
    plan::{self, Images, Plan},
    value::Secrets,
};

/// The oldest API that has what is used here.
const OLDEST_API: (u32, u32) = (1, 41);
/// Builds compete with what runs for the machine.
const MAX_BUILDS_AT_ONCE: usize = 1;

/// The Docker runtime.
#[derive(Debug, Clone)]
pub struct Docker {
    instance: Uuid,
    connection: Arc<Connection>,
    builds: Arc<Semaphore>,
    images: Arc<Images>,
}

impl Docker {
    /// Makes a runtime for the engine that `DOCKER_HOST` names, else the one at the usual socket. `instance` says which
    /// containers are ours. The engine need not run yet.
    ///
    /// # Errors
    /// Fails when the address is neither a Unix socket nor plain TCP.
    pub fn connect(instance: Uuid) -> Result<Self, Error> {
        Connection::from_environment().map(|connection| Self::new(instance, connection))
    }

    /// Makes a runtime for the engine at an address like those of `DOCKER_HOST`.
    ///
    /// # Errors
    /// As for [`Docker::connect`].
    pub fn connect_to(host: &str, instance: Uuid) -> Result<Self, Error> {
        Connection::new(host.to_owned()).map(|connection| Self::new(instance, connection))
    }

    fn new(instance: Uuid, connection: Connection) -> Self {
        Self {
            instance,
            connection: Arc::new(connection),
            builds: Arc::new(Semaphore::new(MAX_BUILDS_AT_ONCE)),
            images: Arc::default(),
        }
    }

    /// Has written Dockerfiles stand on these images.
    pub fn with_images(self, images: Images) -> Self {
        Self {
            images: Arc::new(images),
            ..self
        }
    }

    fn client(&self) -> Result<Client, Error> {
        self.connection.client()
    }

    async fn observe(&self, of: Option<DeploymentId>) -> Result<Vec<Observation>, Error> {
        observe::observe_all(&self.client()?, self.instance, self.connection.is_local(), of).await
    }

    /// Removes what a new start must not run beside; see [`Runtime::start`].
    async fn clear_the_way(&self, spec: &InstanceSpec) -> Result<(), Error> {
        let seen = self.observe(Some(spec.deployment)).await?;
        if let Some(newer) = seen.iter().find(|seen| seen.generation > spec.generation) {
            let generation = newer.generation.0;
            return Err(Error::Refused(format!(
                "generation {generation} of this deployment exists already"
            )));
        }
        for same in seen.into_iter().filter(|seen| seen.generation == spec.generation) {
            self.remove(&same.instance).await?;
        }
        Ok(())
    }

    async fn build(
        &self,
        deployment: DeploymentId,
        release: i64,
        context: Context,
        secrets: &Secrets,
        log: BuildLog<'_>,
    ) -> Result<Artifact, Error> {
        let turn = self.builds.acquire().await;
        let _turn = turn.map_err(|closed| Error::Refused(closed.to_string()))?;
        let tag = labels::image_tag(self.instance, Built { deployment, release });
        let labels = Labels {
            deployment,
            release,
            generation: crate::id::Generation::default(),
        };
        let mut labels = labels.write(self.instance);
        // An image has no generation, and no container may inherit one.
        labels.remove(labels::GENERATION);
        let build = Build {
            context,
            tag,
            labels,
            secrets,
        };
        build::build(&self.client()?, build, log).await
    }
}

#[async_trait]
impl Runtime for Docker {
    fn kind(&self) -> Kind {
        Kind::Docker
    }

    fn enforced_limits(&self) -> EnforcedLimits {
        EnforcedLimits {
            cpu: true,
            memory: true,
        }
    }

    async fn ping(&self) -> Result<String, Error> {
        let client = within(QUICK, self.client()?.negotiate_version())
            .await
            .map_err(failed)?;
        let told = within(QUICK, client.version()).await.map_err(failed)?;
        let version = told.version.unwrap_or_else(|| "of unknown version".to_owned());
        let api = told.api_version.unwrap_or_default();
        if parse_api(&api) < Some(OLDEST_API) {
            let (major, minor) = OLDEST_API;
            return Err(Error::Refused(format!(
                "Docker {version} speaks API {api}, and {major}.{minor} (Docker 20.10) is the oldest that works"
            )));
        }
        Ok(format!("Docker {version} (API {api})"))
    }

    async fn plan(&self, wanted: &Wanted) -> Result<Plan, Error> {
        let (wanted, images) = (wanted.clone(), Arc::clone(&self.images));
        blocking(move || Ok(plan::for_container(&wanted, &images))).await?
    }

    async fn prepare(
        &self,
        deployment: DeploymentId,
        release: i64,
        source: &Source,
        secrets: &Secrets,
        log: BuildLog<'_>,
    ) -> Result<Artifact, Error> {
        match source {
            Source::Image(image) => image::find_or_pull(&self.client()?, image, log).await,
            Source::Dockerfile { context } => {
                let context = Context::own(context);
                self.build(deployment, release, context, secrets, log).await
            }
            Source::Written {
                context,
                dockerfile,
                ignored,
            } => {
                let context = Context::written(context, dockerfile, ignored);
                self.build(deployment, release, context, secrets, log).await
            }
            Source::Command { .. } => Err(Error::Refused("a plain command needs the process runtime".to_owned())),
        }
    }

    async fn start(&self, spec: &InstanceSpec) -> Result<InstanceRef, Error> {
        self.clear_the_way(spec).await?;
        container::start(&self.client()?, self.instance, spec).await
    }

    async fn instances(&self, deployment: DeploymentId) -> Result<Vec<Observation>, Error> {
        self.observe(Some(deployment)).await
    }

    async fn list(&self) -> Result<Vec<Observation>, Error> {
        self.observe(None).await
    }

    async fn stop(&self, instance: &InstanceRef, grace: Duration) -> Result<(), Error> {
        container::stop(&self.client()?, self.instance, &instance.0, grace).await
    }

    async fn remove(&self, instance: &InstanceRef) -> Result<(), Error> {
        container::remove(&self.client()?, self.instance, &instance.0).await
    }

    async fn built(&self) -> Result<Vec<Built>, Error> {
        image::list(&self.client()?, self.instance).await
    }

    async fn discard(&self, built: Built) -> Result<(), Error> {
        image::discard(&self.client()?, self.instance, built).await
    }

    async fn tail(&self, instance: &InstanceRef, num_lines: usize, secrets: &Secrets) -> Result<Vec<String>, Error> {
        logs::tail(&self.client()?, &instance.0, num_lines, secrets).await
    }

    fn output(
        &self,
        instance: &InstanceRef,
        after: Option<DateTime<Utc>>,
        secrets: Secrets,
    ) -> BoxStream<'static, Result<Vec<Line>, Error>> {
        match self.client() {
            Ok(client) => logs::output(&client, &instance.0, after, secrets),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn usage(&self, instance: &InstanceRef) -> Result<Option<Usage>, Error> {
        usage::usage(&self.client()?, &instance.0).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        events::changes(Arc::clone(&self.connection), self.instance)
    }
}

fn parse_api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
