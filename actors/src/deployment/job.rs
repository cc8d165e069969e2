//! The work of a deployment that takes longer than an actor may: everything that asks the runtime or the program.
//!
//! A job runs beside the actor and reports back with one [`Outcome`]. It changes nothing but what it is named for, and
//! may be dropped at any await: whatever it leaves behind is seen by the next observation.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    health,
    id::{DeploymentId, ReleaseId},
    runtime::{Artifact, Error, Exit, InstanceRef, InstanceSpec, Observation, Runtime, Wanted},
};

/// How long a program has to end on its own.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// How many lines of output are kept with an exit or a failed start.
const KEPT_LINES: usize = 50;
/// The pause between two probes of a starting program: short, since a deploy waits for it.
const PROBE_PAUSE: Duration = Duration::from_millis(250);

/// What is to be done.
#[derive(Debug)]
pub(super) enum Job {
    /// Look at what runs.
    Observe,
    /// Build a release.
    Build {
        release: ReleaseId,
        number: i64,
        wanted: Wanted,
    },
    /// Start an instance.
    Start(Box<InstanceSpec>),
    /// Probe until it is healthy or the time is up.
    AwaitHealth {
        instance: InstanceRef,
        target: health::Target,
        deadline: Instant,
    },
    /// Probe a running instance once.
    Probe {
        instance: InstanceRef,
        target: health::Target,
    },
    /// Read the last lines of an instance that has ended.
    ReadExit { instance: InstanceRef, exit: Exit },
    /// Stop an instance.
    Stop(InstanceRef),
    /// Remove an instance.
    Remove(InstanceRef),
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// What runs.
    Observed(Result<Vec<Observation>, Error>),
    /// The release was built, or not.
    Built {
        /// Which release.
        release: ReleaseId,
        /// What it runs.
        result: Result<Artifact, Error>,
    },
    /// The instance was started, or not.
    Started(Result<InstanceRef, Error>),
    /// The instance is healthy, or why it is not, with its last lines.
    Probed(Result<(), (String, Vec<String>)>),
    /// The running instance answered the probe, or why it did not, with its last lines.
    Watched(Result<(), (String, Vec<String>)>),
    /// How the instance ended.
    ExitRead {
        /// How it ended.
        exit: Exit,
        /// Its last lines.
        lines: Vec<String>,
    },
    /// The instance was stopped or removed, or not.
    Cleared(Result<(), Error>),
    /// The job itself is defective.
    Panicked,
}

impl Job {
    /// Does the work for one deployment.
    pub(super) async fn run(self, deployment: DeploymentId, runtime: Arc<dyn Runtime>) -> Outcome {
        match self {
            Self::Observe => Outcome::Observed(runtime.instances(deployment).await),
            Self::Build {
                release,
                number,
                wanted,
            } => Outcome::Built {
                release,
                result: build(&*runtime, deployment, number, &wanted).await,
            },
            Self::Start(spec) => Outcome::Started(runtime.start(&spec).await),
            Self::AwaitHealth {
                instance,
                target,
                deadline,
            } => Outcome::Probed(await_health(&*runtime, &instance, &target, deadline).await),
            Self::Probe { instance, target } => Outcome::Watched(match health::probe(&target).await {
                Ok(()) => Ok(()),
                Err(reason) => Err((reason, last_lines(&*runtime, &instance).await)),
            }),
            Self::ReadExit { instance, exit } => Outcome::ExitRead {
                exit,
                lines: last_lines(&*runtime, &instance).await,
            },
            Self::Stop(instance) => Outcome::Cleared(runtime.stop(&instance, STOP_GRACE).await),
            Self::Remove(instance) => Outcome::Cleared(runtime.remove(&instance).await),
        }
    }
}

async fn build(
    runtime: &dyn Runtime,
    deployment: DeploymentId,
    number: i64,
    wanted: &Wanted,
) -> Result<Artifact, Error> {
    let source = runtime.plan(wanted).await?;
    let mut log = |line: &str| {
        tracing::debug!(deployment.id = %deployment, release.number = number, "{line}");
    };
    runtime.prepare(deployment, number, &source, &mut log).await
}

async fn await_health(
    runtime: &dyn Runtime,
    instance: &InstanceRef,
    target: &health::Target,
    deadline: Instant,
) -> Result<(), (String, Vec<String>)> {
    loop {
        match health::probe(target).await {
            Ok(()) => return Ok(()),
            Err(reason) if Instant::now() >= deadline => return Err((reason, last_lines(runtime, instance).await)),
            Err(_) => tokio::time::sleep(PROBE_PAUSE).await,
        }
    }
}

/// Reads what the program said last. Having nothing to show must not keep its exit from being recorded.
async fn last_lines(runtime: &dyn Runtime, instance: &InstanceRef) -> Vec<String> {
    match runtime.tail(instance, KEPT_LINES).await {
        Ok(lines) => lines,
        Err(error) => vec![format!("(the output could not be read: {error})")],
    }
}
