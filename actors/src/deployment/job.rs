//! The work of a deployment that takes longer than an actor may: everything that asks the runtime, the edge or the program.
//!
//! A job runs beside the actor and reports back with one [`Outcome`]. It changes nothing but what it is named for, and
//! may be dropped at any await: whatever it leaves behind is seen by the next observation.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use ractor::ActorRef;
use tokio::time::Instant;

use super::{
    Message,
    build::{Account, Order, build},
    traffic::{Led, Traffic},
};
use crate::{
    Error as CrateError, edge, health,
    id::{DeploymentId, Generation, ReleaseId},
    logs::Drained,
    runtime::{Artifact, Error, Exit, InstanceRef, InstanceSpec, Observation, Runtime},
    store::releases::{Origin, Part, Phase},
    value::Secrets,
};

/// How long a program has to end on its own.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// How many lines of output are kept with an exit or a failed start.
const KEPT_LINES: usize = 50;
/// The pause between two probes of a starting program: short, since a deploy waits for it.
const PROBE_PAUSE: Duration = Duration::from_millis(250);

/// Why an instance that runs is not probed.
pub(super) const UNREACHABLE: &str = "its instance cannot be reached from this machine";

/// What is to be done.
#[derive(Debug)]
pub(super) enum Job {
    /// Look at what runs.
    Observe,
    /// Build a release.
    Build { release: ReleaseId, order: Order },
    /// Start an instance.
    Start(Box<InstanceSpec>),
    /// Probe until it is healthy or the time is up. Without a target it is up: there is nothing to probe.
    AwaitHealth {
        instance: InstanceRef,
        /// When it was started.
        since: DateTime<Utc>,
        target: Option<health::Target>,
        deadline: Instant,
        secrets: Secrets,
    },
    /// Probe a running instance once.
    Probe {
        instance: InstanceRef,
        target: health::Target,
        secrets: Secrets,
    },
    /// Lead connections there.
    Route(Led),
    /// Read the last lines of an instance that has ended.
    ReadExit {
        instance: InstanceRef,
        generation: Generation,
        exit: Exit,
        secrets: Secrets,
    },
    /// Stop an instance.
    Stop(InstanceRef),
    /// Remove an instance.
    Remove(InstanceRef),
    /// Let the connections to an instance end, then stop and remove it.
    Retire {
        instance: InstanceRef,
        endpoint: Option<SocketAddr>,
    },
}

/// Tells the actor what is known before a job has ended.
pub(super) struct Reporter(pub(super) ActorRef<Message>);

impl Reporter {
    /// Tells how an instance answered, and passes it on.
    fn probed(&self, instance: &InstanceRef, outcome: Result<(), String>) -> Result<(), String> {
        let (instance, told) = (instance.clone(), outcome.clone());
        // An actor that is gone needs no news.
        let _ = self.0.cast(Message::NoteProbe {
            instance,
            outcome: told,
        });
        outcome
    }
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
        /// How long it took.
        phase: Phase,
        /// What it was built from, as far as that was found out.
        origin: Box<Origin>,
        /// What was said last.
        log: Vec<String>,
        /// What it runs.
        result: Result<Artifact, Error>,
    },
    /// The instance was started, or not.
    Started {
        /// Which one.
        generation: Generation,
        /// How long it took.
        phase: Phase,
        /// Its name.
        result: Result<InstanceRef, Error>,
    },
    /// The candidate is healthy, or what the last probe said, with its last lines.
    Probed {
        /// The instance.
        instance: InstanceRef,
        /// How long it took.
        phase: Phase,
        /// Where it is reached, or what stood in the way.
        result: Result<SocketAddr, (String, Vec<String>)>,
    },
    /// A running instance was asked.
    Watched {
        /// It answered, or why it did not, with its last lines.
        result: Result<(), (String, Vec<String>)>,
        /// Why its port is not listened on, if it is not.
        unserved: Option<String>,
    },
    /// Connections are led there, or not.
    Routed {
        /// Where.
        to: Led,
        /// How long it took.
        phase: Phase,
        /// What stood in the way.
        result: Result<(), CrateError>,
    },
    /// How the instance ended.
    ExitRead {
        /// The instance.
        instance: InstanceRef,
        /// The generation of the row when the end was seen.
        generation: Generation,
        /// How it ended.
        exit: Exit,
        /// Its last lines.
        lines: Vec<String>,
    },
    /// The instance was stopped or removed, or not.
    Cleared(Result<(), Error>),
    /// Connections are still led to the instance that was to be retired.
    StillLedTo,
    /// The job itself is defective.
    Panicked,
}

impl Job {
    /// Returns the instance that is to be removed, if that is the job.
    pub(super) fn removed(&self) -> Option<&InstanceRef> {
        match self {
            Self::Remove(instance) | Self::Retire { instance, .. } => Some(instance),
            _ => None,
        }
    }

    /// Does the work for one deployment. What an instance that is to be removed printed is `drained` first.
    pub(super) async fn run(
        self,
        deployment: DeploymentId,
        runtime: Arc<dyn Runtime>,
        traffic: Traffic,
        drained: Option<Drained>,
        reporter: Reporter,
    ) -> Outcome {
        let begun = Utc::now();
        match self {
            Self::Observe => Outcome::Observed(runtime.instances(deployment).await),
            Self::Build { release, order } => {
                let mut account = Account::default();
                Outcome::Built {
                    release,
                    result: build(&*runtime, deployment, order, &mut account).await,
                    phase: Phase::since(begun, Part::Build),
                    origin: Box::new(account.origin),
                    log: account.log.into(),
                }
            }
            Self::Start(spec) => Outcome::Started {
                generation: spec.generation,
                result: runtime.start(&spec).await,
                phase: Phase::since(begun, Part::Start),
            },
            Self::AwaitHealth {
                instance,
                since,
                target,
                deadline,
                secrets,
            } => Outcome::Probed {
                result: match await_health(target.as_ref(), deadline, |outcome| reporter.probed(&instance, outcome))
                    .await
                {
                    Ok(endpoint) => Ok(endpoint),
                    Err(reason) => Err((reason, last_lines(&*runtime, &instance, &secrets).await)),
                },
                phase: Phase::since(since, Part::Health),
                instance,
            },
            Self::Probe {
                instance,
                target,
                secrets,
            } => Outcome::Watched {
                result: match reporter.probed(&instance, health::probe(&target).await) {
                    Ok(()) => Ok(()),
                    Err(reason) => Err((reason, last_lines(&*runtime, &instance, &secrets).await)),
                },
                unserved: traffic.problem().await,
            },
            Self::Route(to) => Outcome::Routed {
                result: traffic.lead(&to).await,
                phase: Phase::since(begun, Part::Switch),
                to,
            },
            Self::ReadExit {
                instance,
                generation,
                exit,
                secrets,
            } => Outcome::ExitRead {
                lines: last_lines(&*runtime, &instance, &secrets).await,
                instance,
                generation,
                exit,
            },
            Self::Stop(instance) => Outcome::Cleared(runtime.stop(&instance, STOP_GRACE).await),
            Self::Remove(instance) => Outcome::Cleared(remove(&*runtime, &instance, drained).await),
            Self::Retire { instance, endpoint } => match drain(&traffic, &instance, endpoint).await {
                Drain::Over => Outcome::Cleared(retire(&*runtime, &instance, drained).await),
                Drain::Refused => Outcome::StillLedTo,
            },
        }
    }
}

async fn await_health(
    target: Option<&health::Target>,
    deadline: Instant,
    report: impl Fn(Result<(), String>) -> Result<(), String>,
) -> Result<SocketAddr, String> {
    let target = target.ok_or(UNREACHABLE)?;
    loop {
        match report(health::probe(target).await) {
            Ok(()) => return Ok(target.endpoint),
            Err(reason) if Instant::now() >= deadline => return Err(reason),
            Err(_) => tokio::time::sleep(PROBE_PAUSE).await,
        }
    }
}

/// How the drain of an instance's connections ended.
enum Drain {
    /// There are none any more, or nobody knows.
    Over,
    /// More of them come: the edge leads connections to it.
    Refused,
}

/// Lets the connections to an instance end.
async fn drain(traffic: &Traffic, instance: &InstanceRef, endpoint: Option<SocketAddr>) -> Drain {
    let Some(endpoint) = endpoint else {
        return Drain::Over;
    };
    match traffic.drain(endpoint).await {
        Ok(()) => Drain::Over,
        Err(CrateError::Conflict {
            code: edge::TARGET_IN_USE,
            ..
        }) => Drain::Refused,
        Err(error) => {
            // An edge that does not answer must not keep an instance alive for ever.
            tracing::warn!(%error, ?instance, "connections to an instance were not drained");
            Drain::Over
        }
    }
}

async fn retire(runtime: &dyn Runtime, instance: &InstanceRef, drained: Option<Drained>) -> Result<(), Error> {
    runtime.stop(instance, STOP_GRACE).await?;
    remove(runtime, instance, drained).await
}

/// Removes an instance that has ended, once all that it printed is kept.
async fn remove(runtime: &dyn Runtime, instance: &InstanceRef, drained: Option<Drained>) -> Result<(), Error> {
    if let Some(drained) = drained {
        drained.wait().await;
    }
    runtime.remove(instance).await
}

/// Reads what the program said last. Having nothing to show must not keep its exit from being recorded.
async fn last_lines(runtime: &dyn Runtime, instance: &InstanceRef, secrets: &Secrets) -> Vec<String> {
    match runtime.tail(instance, KEPT_LINES, secrets).await {
        Ok(lines) => lines,
        Err(error) => vec![format!("(the output could not be read: {error})")],
    }
}
