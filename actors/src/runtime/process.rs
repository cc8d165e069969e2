//! Runs releases as processes of this machine, for machines without a container engine.
//!
//! Each app has a keeper, a small process that outlives BorgOS (see `keeper`), and a record, a directory that says what
//! runs and how it went (see `record`). BorgOS itself holds nothing: it reads records and signals process groups.

mod follow;
mod group;
mod identity;
mod keeper;
mod launch;
mod limits;
mod log;
mod observe;
mod record;
mod stop;
mod usage;
mod watch;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};

pub(crate) use self::follow::{Follower, From};
pub use self::keeper::keep;
use self::record::{Phase, Record};
pub(crate) use self::record::{read_json, replace_json};
use super::{
    Artifact, BuildLog, Built, Change, EnforcedLimits, Error, InstanceRef, InstanceSpec, Kind, Line, Observation,
    Runtime, Source, Usage, Wanted,
};
use crate::{
    id::DeploymentId,
    plan::{self, Plan},
    value::Secrets,
};

/// How long the file system may take for one step.
const FILE_DEADLINE: Duration = Duration::from_secs(10);

/// The process runtime.
#[derive(Debug, Clone)]
pub struct Processes {
    root: Arc<PathBuf>,
    launcher: Arc<launch::Launcher>,
}

impl Processes {
    /// Makes a runtime that keeps its records below `data_dir`. `keeper_program` with `keeper_args` and the path of a
    /// record after them must end up in [`keep`].
    ///
    /// # Errors
    /// Fails when `data_dir` is relative and there is no current directory.
    pub fn new(data_dir: &Path, keeper_program: PathBuf, keeper_args: Vec<OsString>) -> io::Result<Self> {
        let root = std::path::absolute(data_dir)?.join("processes");
        Ok(Self {
            root: Arc::new(root),
            launcher: Arc::new(launch::Launcher::new(keeper_program, keeper_args)),
        })
    }

    /// Returns what a program is given of BorgOS's own environment.
    pub(crate) fn inherited(&self) -> &[(&'static str, String)] {
        self.launcher.inherited()
    }

    /// Returns the process that an instance was started as, which is also the id of its group, while its record says
    /// that it runs.
    pub(crate) async fn leader(&self, instance: &InstanceRef) -> Result<Option<i32>, Error> {
        let Some(record) = Record::of(&self.root, instance) else {
            return Ok(None);
        };
        blocking(move || {
            Ok(match record.state()?.map(|state| state.phase) {
                Some(Phase::Running { app, .. }) => Some(app.pid),
                _ => None,
            })
        })
        .await
    }

    /// Returns a reader of what an instance prints from now on, or from its start.
    pub(crate) fn follow(&self, instance: &InstanceRef, from: From) -> Option<Follower> {
        let record = Record::of(&self.root, instance)?;
        Some(Follower::new(record.directory(), from))
    }

    /// Removes what a new start must not run beside; see [`Runtime::start`].
    async fn clear_the_way(&self, spec: &InstanceSpec) -> Result<(), Error> {
        let seen = self.instances(spec.deployment).await?;
        if let Some(newer) = seen.iter().find(|seen| seen.generation > spec.generation) {
            let generation = newer.generation.0;
            return Err(refused(format!(
                "generation {generation} of this deployment exists already"
            )));
        }
        let (root, deployment, generation) = (Arc::clone(&self.root), spec.deployment, spec.generation);
        // Records that a crash left without a spec are removed as well, though nobody can see them.
        for record in blocking(move || Record::list(&root, Some(deployment))).await? {
            let left = record.clone();
            let spec = blocking(move || left.spec()).await?;
            if spec.is_none_or(|spec| spec.generation == generation) {
                stop::remove(&record).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Runtime for Processes {
    fn kind(&self) -> Kind {
        Kind::Process
    }

    /// CPU time can be limited by control groups only.
    fn enforced_limits(&self) -> EnforcedLimits {
        EnforcedLimits {
            cpu: false,
            memory: true,
        }
    }

    async fn ping(&self) -> Result<String, Error> {
        let release = blocking(|| procfs::sys::kernel::Version::current().map_err(group::into_io)).await?;
        Ok(format!(
            "processes on Linux {}.{}.{}",
            release.major, release.minor, release.patch
        ))
    }

    async fn plan(&self, wanted: &Wanted) -> Result<Plan, Error> {
        let wanted = wanted.clone();
        blocking(move || Ok(plan::for_process(&wanted))).await?
    }

    async fn prepare(
        &self,
        _deployment: DeploymentId,
        _release: i64,
        source: &Source,
        _secrets: &Secrets,
        log: BuildLog<'_>,
    ) -> Result<Artifact, Error> {
        let Source::Command { command, directory } = source else {
            return Err(refused("an image or a Dockerfile needs Docker"));
        };
        let checked = (command.clone(), directory.clone());
        blocking(move || Ok(launch::check(&checked.0, &checked.1))).await??;
        log("nothing to build: the program runs in the project's directory");
        Ok(Artifact::Command {
            command: command.clone(),
            directory: directory.clone(),
        })
    }

    async fn start(&self, spec: &InstanceSpec) -> Result<InstanceRef, Error> {
        self.clear_the_way(spec).await?;
        let port = blocking(super::port::free).await?;
        let keeper_spec = launch::keeper_spec(spec, port)?;
        let root = Arc::clone(&self.root);
        let record = blocking(move || Ok(Record::create(&root, &keeper_spec)))
            .await?
            .map_err(not_created)?;
        match self.launcher.launch(&record, spec, port).await {
            Ok(()) => Ok(record.instance()),
            Err(cause) => {
                stop::remove(&record).await?;
                Err(cause)
            }
        }
    }

    async fn instances(&self, deployment: DeploymentId) -> Result<Vec<Observation>, Error> {
        let root = Arc::clone(&self.root);
        blocking(move || observe::observe_deployment(&root, deployment)).await
    }

    async fn list(&self) -> Result<Vec<Observation>, Error> {
        let root = Arc::clone(&self.root);
        blocking(move || observe::observe_all(&root)).await
    }

    async fn stop(&self, instance: &InstanceRef, grace: Duration) -> Result<(), Error> {
        match Record::of(&self.root, instance) {
            Some(record) => stop::stop(&record, grace).await,
            None => Ok(()),
        }
    }

    async fn remove(&self, instance: &InstanceRef) -> Result<(), Error> {
        match Record::of(&self.root, instance) {
            Some(record) => stop::remove(&record).await,
            None => Ok(()),
        }
    }

    /// A program runs where its project is, so nothing is ever built.
    async fn built(&self) -> Result<Vec<Built>, Error> {
        Ok(Vec::new())
    }

    async fn discard(&self, _built: Built) -> Result<(), Error> {
        Ok(())
    }

    async fn tail(&self, instance: &InstanceRef, num_lines: usize, secrets: &Secrets) -> Result<Vec<String>, Error> {
        match Record::of(&self.root, instance) {
            Some(record) => {
                let secrets = secrets.clone();
                blocking(move || log::tail(record.directory(), num_lines, &secrets)).await
            }
            None => Ok(Vec::new()),
        }
    }

    fn output(
        &self,
        instance: &InstanceRef,
        after: Option<DateTime<Utc>>,
        secrets: Secrets,
    ) -> BoxStream<'static, Result<Vec<Line>, Error>> {
        match Record::of(&self.root, instance) {
            Some(record) => follow::output(record, after, secrets),
            None => stream::empty().boxed(),
        }
    }

    async fn usage(&self, instance: &InstanceRef) -> Result<Option<Usage>, Error> {
        match Record::of(&self.root, instance) {
            Some(record) => usage::usage(record).await,
            None => Ok(None),
        }
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        watch::changes(Arc::clone(&self.root))
    }
}

/// Does file work off the async threads, within the deadline.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(FILE_DEADLINE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(cause))) => Err(refused(cause.to_string())),
        Ok(Err(panic)) => Err(refused(format!("a file task ended early: {panic}"))),
        Err(_) => Err(refused(format!(
            "the file system did not answer within {} s",
            FILE_DEADLINE.as_secs()
        ))),
    }
}

fn not_created(cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::AlreadyExists => refused("another start of this generation is under way"),
        _ => refused(format!("the record cannot be written: {cause}")),
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::Refused(reason.into())
}
