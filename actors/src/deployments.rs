//! What people can do with deployments. The row is written first, then the actor is told; the answer is what was seen.

use std::time::Duration;

use readers::Readers;
use tokio::time::{Instant, sleep};

use crate::{
    Error,
    checkouts::Checkouts,
    deployment::{self, Desired, Goal},
    event_bus,
    id::{DeploymentId, ProjectId},
    logs::Logs,
    runtime::{self, port},
    store::{
        Store,
        deployments::{self, Deployment, NewDeployment, Patch},
        projects::{self, Project},
        releases::Release,
    },
    supervision::Handle,
    value::{
        Command, CpuLimit, DeploymentName, Environment, GitRef, HealthCheck, ImageRef, MemoryLimit, Port, Volumes,
    },
};

mod directory;
mod grace;
mod logs;
mod readers;
pub mod reconciler;
mod runtimes;
mod sources;
mod stats;

pub use directory::Directory;
pub use logs::Log;
pub use runtimes::Runtimes;
pub use sources::Planned;
pub use stats::Stats;

/// How long a caller waits for a stop: the program's ten seconds of grace, and some for the engine.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// How long a caller waits for a restart: a stop and a usual start. The deployment may have more time than the caller.
const RESTART_PATIENCE: Duration = Duration::from_secs(30);
/// The pause before an actor that is being replaced is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// The part of a default name that comes from the project; the port follows.
const MAX_SLUG_CHARS: usize = 50;

/// What somebody wants to deploy.
#[derive(Debug, Clone)]
pub struct DeployRequest {
    /// The project.
    pub project_id: ProjectId,
    /// The deployment's name; by default made of the project's name and the port.
    pub name: Option<DeploymentName>,
    /// The public port.
    pub port: Port,
    /// Given to the program.
    pub environment: Environment,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
    /// A ready image instead of a build.
    pub image: Option<ImageRef>,
    /// What to run instead of the image's or the project's own command.
    pub command: Option<Command>,
    /// The port inside the container.
    pub container_port: Option<Port>,
    /// The commit, or the branch, to build from instead of the project's directory.
    pub source_ref: Option<GitRef>,
    /// What outlives its instances.
    pub volumes: Volumes,
    /// How it is asked whether it is well.
    pub health_check: HealthCheck,
}

/// How far a request got before the caller had waited long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// What was asked for has been observed.
    Done,
    /// It is under way.
    UnderWay,
}

/// The deployments as a whole.
#[derive(Debug, Clone)]
pub struct Deployments {
    store: Store,
    runtimes: Runtimes,
    directory: Directory,
    reconciler: Handle<reconciler::Message>,
    events: Handle<event_bus::Message>,
    logs: Logs,
    checkouts: Checkouts,
    log_readers: Readers,
}

impl Deployments {
    /// Ties the parts together.
    pub fn new(
        store: Store,
        runtimes: Runtimes,
        directory: Directory,
        reconciler: Handle<reconciler::Message>,
        events: Handle<event_bus::Message>,
        logs: Logs,
        checkouts: Checkouts,
    ) -> Self {
        Self {
            store,
            runtimes,
            directory,
            reconciler,
            events,
            logs,
            checkouts,
            log_readers: Readers::default(),
        }
    }

    /// Accepts a deployment: once this returns it is on disk, has its port and will be built and started.
    ///
    /// # Errors
    /// `NOT_FOUND`, `PROJECT_INACTIVE`, `NOTHING_TO_DEPLOY`, those of a `source_ref` that cannot be built, `PORT_IN_USE`,
    /// `NAME_IN_USE`, and those of the database and the engine.
    pub async fn deploy(&self, request: DeployRequest) -> Result<Deployment, Error> {
        let project = projects::project(&self.store, request.project_id).await?;
        if !project.is_active {
            let reason = format!("project {} is not active", project.id);
            return Err(Error::Conflict {
                code: "PROJECT_INACTIVE",
                reason,
            });
        }
        let runtime = self.runtimes.default_runtime();
        self.check_deployable(&*runtime, &project, &request).await?;
        deployments::check_unmasked(request.environment.iter())?;
        self.check_port(request.port).await?;
        let row = deployments::create(&self.store, &new_row(&project, runtime.kind(), request)?).await?;
        self.announce(row.id);
        Ok(row)
    }

    /// Stops a deployment and returns when nothing runs any more, or after 20 seconds.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database and the engine.
    pub async fn stop(&self, id: DeploymentId) -> Result<Progress, Error> {
        deployments::set_desired(&self.store, id, Desired::Stopped).await?;
        self.announce(id);
        self.settle(id, Goal::Stopped, STOP_PATIENCE).await
    }

    /// Replaces what runs by a new instance of the same release, which takes over once it is healthy, or starts a stopped
    /// deployment, and returns when that is done, or after 30 seconds. A deployment that is still being built or started is left to that.
    ///
    /// # Errors
    /// `NOT_FOUND`, `DEPLOYMENT_FAILED` when it did not come up, and those of the database and the engine.
    pub async fn restart(&self, id: DeploymentId) -> Result<Progress, Error> {
        let replaced = deployments::request_restart(&self.store, id).await?;
        self.hurry(id);
        self.settle(id, Goal::RunningAfter(replaced), RESTART_PATIENCE).await
    }

    /// Starts a deployment that does not run, and returns when it is healthy, or after 30 seconds.
    ///
    /// # Errors
    /// Those of [`Deployments::restart`].
    pub async fn start(&self, id: DeploymentId) -> Result<Progress, Error> {
        let row = deployments::deployment(&self.store, id).await?;
        match (row.desired, row.instance) {
            (Desired::Running, Some(_)) => Ok(Progress::Done),
            _ => self.restart(id).await,
        }
    }

    /// Builds a new release and has it serve; what serves now goes on until then. Returns at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn redeploy(&self, id: DeploymentId) -> Result<Release, Error> {
        let release = deployments::request_release(&self.store, id, "redeploy").await?;
        self.hurry(id);
        Ok(release)
    }

    /// Has an earlier release serve again, without a build, and returns when it does, or after 30 seconds.
    ///
    /// # Errors
    /// `NOT_FOUND`, `RELEASE_NOT_READY`, `DEPLOYMENT_FAILED` when it did not come up, and those of the database and the
    /// engine.
    pub async fn rollback(&self, id: DeploymentId, number: i64) -> Result<(Release, Progress), Error> {
        let release = deployments::request_rollback(&self.store, id, number).await?;
        self.hurry(id);
        let progress = self.settle(id, Goal::Serving(release.id), RESTART_PATIENCE).await?;
        Ok((release, progress))
    }

    /// Changes what is wanted of a deployment, and returns the release that this makes, if it takes one. Returns at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NAME_IN_USE`, `INVALID_FIELD`, and those of the database.
    pub async fn change(&self, id: DeploymentId, patch: &Patch) -> Result<(Deployment, Option<Release>), Error> {
        let (row, release) = deployments::patch(&self.store, id, patch).await?;
        if release.is_some() {
            self.hurry(id);
        } else {
            self.announce(id);
        }
        Ok((row, release))
    }

    /// Calls off the build or the rollout that is under way, and returns when what served before does, or nothing runs
    /// where nothing did, or after 20 seconds.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOTHING_TO_CANCEL`, and those of the database and the engine.
    pub async fn cancel(&self, id: DeploymentId) -> Result<Progress, Error> {
        let row = deployments::request_cancel(&self.store, id).await?;
        self.hurry(id);
        let goal = match row.desired {
            Desired::Running => Goal::Serving(row.target_id),
            Desired::Stopped => Goal::Stopped,
        };
        self.settle(id, goal, STOP_PATIENCE).await
    }

    /// Stops a deployment and deletes it; its name and port are free after that.
    ///
    /// # Errors
    /// `NOT_FOUND`, `TIMEOUT` when it would not stop, and those of the database and the engine.
    pub async fn delete(&self, id: DeploymentId) -> Result<Progress, Error> {
        match self.stop(id).await? {
            Progress::UnderWay => Ok(Progress::UnderWay),
            Progress::Done => {
                deployments::mark_deleted(&self.store, id).await?;
                self.announce(id);
                Ok(Progress::Done)
            }
        }
    }

    /// Waits for a goal. An actor that is replaced meanwhile is asked again: the row is written, and its successor goes on.
    /// One that has gone for good has gone with its deployment, which somebody else has deleted.
    async fn settle(&self, id: DeploymentId, goal: Goal, patience: Duration) -> Result<Progress, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.duration_since(Instant::now());
            let handle = self.directory.handle(id);
            let ask = |reply| deployment::Message::Settle { goal, reply };
            let unanswered = match handle.call(left, ask).await {
                Ok(settled) => return settled.map(|_| Progress::Done),
                Err(error) => error,
            };
            deployments::deployment(&self.store, id).await?;
            match unanswered {
                Error::Timeout { .. } => return Ok(Progress::UnderWay),
                Error::Restarting { .. } | Error::Busy { .. } | Error::NotFound { .. } if left > RETRY_PAUSE => {
                    sleep(RETRY_PAUSE).await;
                }
                Error::Restarting { .. } | Error::Busy { .. } | Error::NotFound { .. } => {
                    return Ok(Progress::UnderWay);
                }
                error => return Err(error),
            }
        }
    }

    /// Refuses a port that something holds, before anything is built.
    async fn check_port(&self, port: Port) -> Result<(), Error> {
        if let Some(owner) = deployments::owner_of_port(&self.store, port).await? {
            return Err(Error::PortInUse {
                port,
                holder: Some(format!("deployment `{}`", owner.name)),
            });
        }
        port::check(port).await
    }

    /// Tells the actors that a row has changed, and that somebody wants it now: a pause before the next start is over.
    fn hurry(&self, id: DeploymentId) {
        self.announce(id);
        if let Err(error) = self.directory.handle(id).cast(deployment::Message::SkipPause) {
            tracing::debug!(deployment.id = %id, %error, "a hint was not taken");
        }
    }

    /// Tells the actors that a row has changed. They would find it by themselves, only later.
    fn announce(&self, id: DeploymentId) {
        event_bus::nudge(&self.events);
        if let Err(error) = self.reconciler.cast(reconciler::Message::Look(id)) {
            tracing::debug!(deployment.id = %id, %error, "the reconciler took no hint");
        }
    }
}

fn new_row(project: &Project, runtime: runtime::Kind, request: DeployRequest) -> Result<NewDeployment, Error> {
    let name = match request.name {
        Some(name) => name,
        None => default_name(&String::from(project.name.clone()), request.port)?,
    };
    Ok(NewDeployment {
        project_id: project.id,
        name,
        port: request.port,
        runtime,
        image: request.image,
        command: request.command,
        container_port: request.container_port,
        source_ref: request.source_ref,
        environment: request.environment,
        cpu_limit: request.cpu_limit,
        memory_limit: request.memory_limit,
        volumes: request.volumes,
        health_check: request.health_check,
    })
}

/// Makes a name such as `my-project-8090`.
fn default_name(project: &str, port: Port) -> Result<DeploymentName, Error> {
    let words = project
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let slug = if slug.is_empty() { "deployment" } else { &slug };
    let name = format!("{}-{port}", slug.get(..MAX_SLUG_CHARS).unwrap_or(slug));
    DeploymentName::try_from(name).map_err(|invalid| Error::InvalidField {
        field: "name".to_owned(),
        reason: invalid.to_string(),
    })
}

impl From<runtime::Error> for Error {
    fn from(error: runtime::Error) -> Self {
        match error {
            runtime::Error::Unreachable(cause) => Self::Engine(cause),
            runtime::Error::NothingToDeploy(reason) => Self::Impossible {
                code: "NOTHING_TO_DEPLOY",
                reason,
            },
            other => Self::Conflict {
                code: "RUNTIME_REFUSED",
                reason: other.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        runtime::{Kind, Processes},
        store::Settings,
    };

    async fn deployments(directory: &std::path::Path) -> Deployments {
        let store = Store::open(&Settings::sqlite(directory.to_owned()).unwrap())
            .await
            .unwrap();
        let processes = Arc::new(Processes::new(directory, "/nonexistent/keeper".into(), Vec::new()).unwrap());
        let runtimes = Runtimes::new(processes.clone(), processes, Kind::Process, false);
        let (reconciler, events) = (Handle::new("reconciler", 1), Handle::new("event-bus", 1));
        let logs = Logs::new(directory);
        let checkouts = Checkouts::below(directory, Vec::new()).unwrap();
        Deployments::new(
            store,
            runtimes,
            Directory::default(),
            reconciler,
            events,
            logs,
            checkouts,
        )
    }

    #[tokio::test]
    async fn who_waits_for_a_deployment_that_is_deleted_is_told_that_it_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let deployments = deployments(directory.path()).await;
        let patience = Duration::from_millis(10);
        let settled = deployments.settle(DeploymentId(7), Goal::Stopped, patience).await;
        assert_eq!(settled.unwrap_err().to_string(), "Deployment with id 7 not found");
        deployments.store.close().await.unwrap();
    }

    #[test]
    fn a_default_name_is_always_a_name() {
        let port = Port::try_from(8090).unwrap();
        for (project, name) in [("My Project!", "my-project-8090"), ("项目", "deployment-8090")] {
            assert_eq!(String::from(default_name(project, port).unwrap()), name);
        }
        assert!(default_name(&"x".repeat(200), port).is_ok());
    }
}
