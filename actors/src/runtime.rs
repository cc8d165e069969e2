//! How a release runs. One trait, implemented for Docker containers and for plain processes; one conformance suite
//! (`tests/conformance/runtime.rs`) says what it promises.
//!
//! A runtime keeps no state that matters: whatever it started it finds again by label or record after a crash. It never
//! touches what it did not start, and it never decides; the deployment actor does.

pub mod docker;
pub(crate) mod lines;
pub mod port;
pub mod process;

pub use docker::Docker;
pub use process::Processes;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{DeploymentId, Generation},
    plan::Plan,
    value::{Command, CpuLimit, Environment, ImageRef, MemoryLimit, Port, Secrets, Volumes},
};

/// Which runtime a deployment runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Runtime")]
pub enum Kind {
    /// Containers of a Docker engine.
    Docker,
    /// Processes of this machine.
    Process,
}

/// What a request wants to run, before the runtime has looked at the project.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The project's directory.
    pub directory: PathBuf,
    /// A ready image instead of a build.
    pub image: Option<ImageRef>,
    /// What to run instead of the image's or the project's own command.
    pub command: Option<Command>,
}

/// Where a release comes from: what a [`Plan`] found to be deployable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A ready image.
    Image(ImageRef),
    /// A directory with a Dockerfile.
    Dockerfile {
        /// The build context.
        context: PathBuf,
    },
    /// A directory for which a Dockerfile was written.
    Written {
        /// The build context, which stays as it is.
        context: PathBuf,
        /// The Dockerfile's text.
        dockerfile: String,
        /// What is not sent when the directory has no `.dockerignore`.
        ignored: &'static [&'static str],
    },
    /// A program that runs in the project's directory.
    Command {
        /// Program and arguments.
        command: Command,
        /// The working directory.
        directory: PathBuf,
    },
}

/// What a release runs: kept in its row, enough to start it again without a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Artifact {
    /// An image by the engine's id, so that a moved tag changes nothing.
    Image {
        /// The image id, `sha256:…`.
        id: String,
        /// The port that the image says it listens on, if it says one.
        exposed_port: Option<u16>,
    },
    /// A program.
    Command {
        /// Program and arguments.
        command: Command,
        /// The working directory.
        directory: PathBuf,
    },
}

/// Everything that is needed to start one instance.
#[derive(Debug, Clone)]
pub struct InstanceSpec {
    /// Whose instance this is.
    pub deployment: DeploymentId,
    /// The release's number within the deployment.
    pub release: i64,
    /// Labels the instance; see [`Generation`].
    pub generation: Generation,
    /// What to run.
    pub artifact: Artifact,
    /// Replaces the artifact's own command.
    pub command: Option<Command>,
    /// The port inside a container: as requested, else what the image exposes, else 8080. A process is given a free one.
    pub container_port: Option<Port>,
    /// Given to the program, with `PORT` set beside it.
    pub environment: Environment,
    /// What outlives it.
    pub volumes: Volumes,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
}

/// The runtime's own name of an instance: a container id, or the id of a process record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceRef(pub String);

/// What was seen of one instance just now.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The instance.
    pub instance: InstanceRef,
    /// Whose it is.
    pub deployment: DeploymentId,
    /// The release's number.
    pub release: i64,
    /// Which start this was.
    pub generation: Generation,
    /// What it is doing.
    pub state: InstanceState,
    /// Where the program itself listens, when that can be reached without the published port: a connect to a
    /// Docker-published port succeeds before the program listens, so probes prefer this.
    pub address: Option<SocketAddr>,
    /// Where connections to the program are led to, while it runs.
    pub endpoint: Option<SocketAddr>,
}

/// What an instance is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceState {
    /// It exists and was never started: what a crash between create and start leaves behind.
    Created,
    /// It runs.
    Running {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It has ended.
    Exited(Exit),
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, 128 + n for a death by signal n, [`Exit::UNSEEN`] when nobody was there to see it.
    pub code: i64,
    /// Whether the kernel killed it for its memory.
    pub is_oom: bool,
    /// When.
    pub at: DateTime<Utc>,
}

impl Exit {
    /// The code of a process whose keeper was killed before it.
    pub const UNSEEN: i64 = -1;
    /// The code of a death by SIGKILL, whoever sent it.
    pub const KILLED: i64 = 128 + 9;
}

/// Which limits of an [`InstanceSpec`] the runtime enforces; the others are kept and shown, no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EnforcedLimits {
    /// Whether `cpu_limit` holds.
    pub cpu: bool,
    /// Whether `memory_limit` holds.
    pub memory: bool,
}

/// What was built for a release and takes room until it is discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Built {
    /// Whose release it is.
    pub deployment: DeploymentId,
    /// The release's number.
    pub release: i64,
}

/// What an instance uses at one moment. What the runtime cannot tell is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// CPU time within the last moment; 100 is one CPU.
    pub cpu_percent: Option<f64>,
    /// Memory of all its processes.
    pub memory_bytes: u64,
    /// What came to it over the network since it was started.
    pub network_rx_bytes: Option<u64>,
    /// What it sent.
    pub network_tx_bytes: Option<u64>,
    /// How many processes it is.
    pub num_processes: Option<u64>,
}

/// A line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was printed; what one instance prints is in the order of these times.
    pub at: DateTime<Utc>,
    /// Where to, if the runtime can tell.
    pub stream: Option<Stream>,
    /// The line, without its end.
    pub text: String,
}

/// One of the two streams that a program prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A hint that something may have changed. Look, do not trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something happened to an instance of this deployment.
    Deployment(DeploymentId),
    /// Changes may have been missed (the engine was away): look at everything.
    Everything,
}

/// Why a runtime could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine cannot be reached, or did not answer in time. Worth another try.
    #[error("the container engine does not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The project holds nothing that this runtime can run.
    #[error("{0}")]
    NothingToDeploy(String),
    /// The build failed: a matter of the project, not of the engine.
    #[error("build failed: {message}")]
    BuildFailed {
        /// What the builder said.
        message: String,
        /// The last lines of its output.
        log: Vec<String>,
    },
    /// The image is not there and could not be pulled.
    #[error("image `{image}` is not available: {message}")]
    ImageUnavailable {
        /// The image that was asked for.
        image: String,
        /// What the engine said.
        message: String,
    },
    /// The program could not be started, such as one that does not exist.
    #[error("could not be started: {0}")]
    StartFailed(String),
    /// Anything else that the engine refused.
    #[error("the runtime refused: {0}")]
    Refused(String),
}

/// Receives the lines of a build as they come.
pub type BuildLog<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A way to run releases.
///
/// Every method has a deadline of its own, may be cancelled at any await, and may be called again after that.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Returns which runtime this is.
    fn kind(&self) -> Kind;

    /// Returns which limits hold here.
    fn enforced_limits(&self) -> EnforcedLimits;

    /// Checks that the engine answers and returns its version as people write it.
    async fn ping(&self) -> Result<String, Error>;

    /// Finds out how to run a project, without changing anything.
    async fn plan(&self, wanted: &Wanted) -> Result<Plan, Error>;

    /// Makes the source runnable: builds or finds the image. Dropping the future cancels the build. What it says goes to
    /// `log`, without the secrets.
    async fn prepare(
        &self,
        deployment: DeploymentId,
        release: i64,
        source: &Source,
        secrets: &Secrets,
        log: BuildLog<'_>,
    ) -> Result<Artifact, Error>;

    /// Starts an instance beside those of older generations. What is left of this generation is removed first; a newer
    /// one is a refusal, since the caller is then out of date. On failure nothing is left.
    ///
    /// A program that does not exist is [`Error::StartFailed`] where that can be known; a container's init process finds
    /// out too late for that, and the instance then exits with 127 at once.
    async fn start(&self, spec: &InstanceSpec) -> Result<InstanceRef, Error>;

    /// Looks at all instances of one deployment.
    async fn instances(&self, deployment: DeploymentId) -> Result<Vec<Observation>, Error>;

    /// Looks at all instances that this BorgOS ever started and that still exist.
    async fn list(&self) -> Result<Vec<Observation>, Error>;

    /// Stops an instance: asks it to end, kills it after `grace`. Stopping what has ended or is gone is a success.
    async fn stop(&self, instance: &InstanceRef, grace: Duration) -> Result<(), Error>;

    /// Removes an instance and kills it if it runs. Removing what is gone is a success.
    async fn remove(&self, instance: &InstanceRef) -> Result<(), Error>;

    /// Lists what was built here for releases and still takes room.
    async fn built(&self) -> Result<Vec<Built>, Error>;

    /// Discards what was built for a release; refused while an instance needs it. Discarding what is gone is a success.
    async fn discard(&self, built: Built) -> Result<(), Error>;

    /// Returns the last lines of the instance's output, standard output and error together, oldest first and without the
    /// secrets. Long lines are cut, and of an instance that is gone there are none.
    async fn tail(&self, instance: &InstanceRef, num_lines: usize, secrets: &Secrets) -> Result<Vec<String>, Error>;

    /// Streams the instance's output in batches, without the secrets, beginning `after` a time, until the instance has ended and all was
    /// read. A reader that is slow loses lines and never holds up the program. Ends with the first error.
    fn output(
        &self,
        instance: &InstanceRef,
        after: Option<DateTime<Utc>>,
        secrets: Secrets,
    ) -> BoxStream<'static, Result<Vec<Line>, Error>>;

    /// Measures what an instance uses, which takes a moment; nothing of one that does not run.
    async fn usage(&self, instance: &InstanceRef) -> Result<Option<Usage>, Error>;

    /// Streams hints about changes until dropped. Says [`Change::Everything`] whenever it has begun to watch: first of
    /// all, and again after it was cut off and came back by itself.
    fn changes(&self) -> BoxStream<'static, Change>;
}
