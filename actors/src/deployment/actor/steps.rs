//! How the actor takes the machine's steps.

use std::{net::SocketAddr, time::Duration};

use chrono::Utc;
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{State, checks::Health, failures::ran_for, known::Known, outcomes};
use crate::{
    Error,
    deployment::{
        Desired, Status,
        build::Order,
        crash_loop::CrashLoop,
        failure::Failure,
        job::{Job, UNREACHABLE},
        machine::{self, Facts, ReleaseState, Routed, Step},
        traffic::Led,
    },
    event_bus,
    id::Generation,
    runtime::{InstanceRef, InstanceSpec, Observation, Wanted},
    store::{
        deployments::{self, Change, Deployment},
        projects,
        releases::{self, Release},
    },
    value::Secrets,
};

/// One observation leads to at most so many writes before the next job; more would be a defect of the machine.
const MAX_WRITES: usize = 8;

impl State {
    pub(super) async fn row(&self) -> Result<Deployment, Error> {
        deployments::deployment(&self.args.store, self.args.deployment).await
    }

    /// Takes steps until one needs a job or nothing is left to do.
    ///
    /// An observation that is outdated, since something was heard meanwhile, is good enough for a step, which leads to
    /// another one; only to rest on it would be wrong.
    pub(super) async fn advance(
        &mut self,
        instances: &[Observation],
        is_outdated: bool,
    ) -> Result<(), ActorProcessingErr> {
        let mut has_kept_logs = false;
        for _ in 0..MAX_WRITES {
            let known = self.known().await?;
            let row = &known.row;
            if !std::mem::replace(&mut has_kept_logs, true) {
                self.keep_logs(&known, instances).await?;
            }
            self.crash_loop.get_or_insert_with(|| CrashLoop::of(row.status));
            self.keep_lanes(&known, instances).await?;
            let step = machine::next(&self.facts(&known, instances));
            let job = match step {
                Step::Rest | Step::AwaitRetry | Step::AwaitRoom if is_outdated => Job::Observe,
                // Who makes room says so.
                Step::AwaitRoom => return Ok(()),
                Step::Rest => return self.rest(&known, instances).await,
                Step::AwaitRetry => {
                    self.await_retry(row);
                    return Ok(());
                }
                Step::AwaitEdge => {
                    self.has_unroute_failed = false;
                    self.remind(outcomes::RUNTIME_PAUSE);
                    return Ok(());
                }
                Step::Retire(instance) => {
                    self.retire(instance, instances);
                    continue;
                }
                Step::AwaitHealth { instance, since } => {
                    match self.check_candidate(&known, &instance, since, instances)? {
                        Health::Proven(endpoint) => Job::Route(Led::To { instance, endpoint }),
                        Health::Asked if is_outdated => Job::Observe,
                        Health::Asked => return Ok(()),
                        Health::OutOfReach => return self.await_endpoint(row).await,
                    }
                }
                step => match self.write(row, step).await? {
                    None => continue,
                    Some(step) => match self.job(&known, step, instances).await? {
                        Some(job) => job,
                        None => return self.await_endpoint(row).await,
                    },
                },
            };
            self.begin(job);
            return Ok(());
        }
        Err(format!(
            "deployment {} did not settle after {MAX_WRITES} writes",
            self.args.deployment
        )
        .into())
    }

    /// Has what the instances print copied into the logs of their releases.
    async fn keep_logs(&mut self, known: &Known, instances: &[Observation]) -> Result<(), Error> {
        let seen = instances.iter().map(|seen| seen.release);
        self.logs.keep(seen.chain([known.serving().number]).collect());
        for seen in self.logs.unfollowed(instances) {
            let release = match releases::by_number(&self.args.store, self.args.deployment, seen.release).await {
                // One that another database knew; it is about to be retired.
                Err(Error::NotFound { .. }) => continue,
                release => release?,
            };
            let environment = self.args.store.unseal(&release.environment)?;
            self.logs.follow(seen, Secrets::of([&environment]));
        }
        Ok(())
    }

    /// Begins the build that is due, and gives up what is no longer wanted beside the steps.
    async fn keep_lanes(&mut self, known: &Known, instances: &[Observation]) -> Result<(), ActorProcessingErr> {
        let (row, target) = (&known.row, &known.target);
        self.keep_checks(row);
        if row.desired == Desired::Stopped {
            self.retirement.abort();
            self.retiring = None;
        }
        let facts = self.facts(known, instances);
        let (is_due, is_wanted) = (machine::is_build_due(&facts), machine::is_build_wanted(&facts));
        if is_due && self.building != Some(target.id) {
            let project = projects::project(&self.args.store, row.project_id).await?;
            self.building = Some(target.id);
            self.begin(Job::Build {
                release: target.id,
                order: Order {
                    number: target.number,
                    wanted: Wanted {
                        directory: project.path,
                        image: row.image.clone(),
                        command: row.command.clone(),
                    },
                    source_ref: target.source_ref.clone(),
                    checkouts: self.args.checkouts.clone(),
                    secrets: known.secrets(&self.args.store)?,
                },
            });
        } else if !is_wanted {
            self.build.abort();
            self.building = None;
        }
        Ok(())
    }

    /// Takes a step that only writes; gives back any other.
    async fn write(&mut self, row: &Deployment, step: Step) -> Result<Option<Step>, ActorProcessingErr> {
        match step {
            Step::Record(status) => self.record(row, &status_change(status)).await?,
            Step::MakeWay(_) => self.record(row, &make_way(row)).await?,
            Step::Adopt(instance) => {
                let change = Change {
                    candidate: Some(Some(instance)),
                    ..Change::none(row)
                };
                self.record(row, &change).await?;
            }
            Step::RecordVanished(instance) => {
                let ran_for = ran_for(row, &instance, Utc::now());
                self.fail(row, &instance, Failure::vanished(), ran_for).await?;
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    /// An instance runs and cannot be reached from here, such as one that has just ended or lost its network.
    async fn await_endpoint(&mut self, row: &Deployment) -> Result<(), ActorProcessingErr> {
        let doubt = format!("{}{UNREACHABLE}", outcomes::DOUBT);
        deployments::doubt(&self.args.store, row, &doubt).await?;
        self.announce();
        self.remind(outcomes::RUNTIME_PAUSE);
        Ok(())
    }

    /// Makes the job of a step that takes time; none when the instance cannot be reached, and may become reachable.
    async fn job(
        &mut self,
        known: &Known,
        step: Step,
        instances: &[Observation],
    ) -> Result<Option<Job>, ActorProcessingErr> {
        let row = &known.row;
        Ok(Some(match step {
            Step::Start => self.start(row, &known.target).await?,
            Step::StartEarlier => {
                let earlier = known.earlier.as_ref().ok_or("there is no earlier release")?;
                self.start(row, earlier).await?
            }
            Step::Route(instance) => {
                let endpoint = endpoint(&instance, instances);
                return Ok(endpoint.map(|endpoint| Job::Route(Led::To { instance, endpoint })));
            }
            Step::Hold => Job::Route(Led::ToNobody),
            Step::Unroute => Job::Route(Led::Nowhere),
            Step::RecordExit { instance, exit } => Job::ReadExit {
                instance,
                generation: row.generation,
                exit,
                secrets: known.secrets(&self.args.store)?,
            },
            Step::Stop(instance) => Job::Stop(instance),
            Step::Remove(instance) => Job::Remove(instance),
            other => return Err(format!("{other:?} is no job").into()),
        }))
    }

    fn facts<'a>(&'a self, known: &'a Known, instances: &'a [Observation]) -> Facts<'a> {
        let row = &known.row;
        Facts {
            desired: row.desired,
            status: row.status,
            target: match known.target.status {
                releases::Status::Building => ReleaseState::Unbuilt,
                releases::Status::Ready => ReleaseState::Ready,
                // One that has expired is never aimed at.
                releases::Status::Failed | releases::Status::Cancelled | releases::Status::Expired => {
                    ReleaseState::Failed
                }
            },
            rests_as: match (known.target.status, row.release_id) {
                (releases::Status::Cancelled, None) => Status::Cancelled,
                _ => Status::Stopped,
            },
            has_earlier: known.earlier.is_some(),
            is_exclusive: row.volumes.are_written(),
            is_rolling_out: row.is_rolling_out(),
            generation: row.generation,
            live: row.instance.as_ref(),
            candidate: row.candidate.as_ref(),
            instances,
            retiring: self.retiring.as_ref(),
            routed: match &self.led {
                Led::Nowhere => Routed::Nowhere,
                Led::ToNobody => Routed::Held,
                Led::To { instance, endpoint } if is_still_at(instance, *endpoint, instances) => Routed::To(instance),
                Led::To { .. } | Led::Unknown => Routed::Unknown,
            },
            has_unroute_failed: self.has_unroute_failed,
            is_retry_due: self.retry_at.is_none_or(|at| at <= Instant::now()),
        }
    }

    /// Nothing is left to do: the deployment was just seen to be as its row says. A reason that was a doubt is gone, and one
    /// that says that its output is lost comes and goes with that.
    async fn rest(&mut self, known: &Known, instances: &[Observation]) -> Result<(), ActorProcessingErr> {
        let row = &known.row;
        let remark = self.remark();
        let is_replaceable = row.reason.as_deref().is_none_or(outcomes::is_remark);
        if row.status == Status::Running && is_replaceable && row.reason != remark {
            let change = Change {
                reason: remark,
                ..Change::to(Status::Running)
            };
            self.record(row, &change).await?;
        } else {
            deployments::confirm(&self.args.store, row.id).await?;
        }
        self.waiting.answer(row, live_generation(row, instances));
        Ok(self.plan_probe(known, instances)?)
    }

    /// What is to be said of an app that runs.
    fn remark(&self) -> Option<String> {
        let unserved = self.unserved.as_ref();
        let unserved = unserved.map(|problem| format!("{}{problem}", outcomes::UNSERVED));
        let unkept = self.logs.problem();
        unserved.or_else(|| unkept.map(|problem| format!("{}{problem}", outcomes::UNKEPT)))
    }

    fn await_retry(&mut self, row: &Deployment) {
        self.waiting.answer(row, None);
        let pause = self
            .retry_at
            .map_or(Duration::ZERO, |at| at.duration_since(Instant::now()));
        self.remind(pause);
    }

    fn retire(&mut self, instance: InstanceRef, instances: &[Observation]) {
        let endpoint = endpoint(&instance, instances);
        self.retiring = Some(instance.clone());
        self.begin(Job::Retire { instance, endpoint });
    }

    /// Counts the generation, so that whatever crashes from here on the instance is known as the candidate.
    async fn start(&mut self, row: &Deployment, release: &Release) -> Result<Job, ActorProcessingErr> {
        let Some(artifact) = release.artifact.clone() else {
            return Err(format!("release {} has nothing to start", release.id).into());
        };
        self.retry_at = None;
        let begun = deployments::begin_generation(&self.args.store, row, release.id).await?;
        self.announce();
        Ok(Job::Start(Box::new(InstanceSpec {
            deployment: row.id,
            release: release.number,
            generation: begun.generation,
            artifact,
            command: row.command.clone(),
            container_port: row.container_port,
            environment: self.args.store.unseal(&release.environment)?,
            volumes: row.volumes.clone(),
            cpu_limit: release.cpu_limit.clone(),
            memory_limit: release.memory_limit.clone(),
        })))
    }

    pub(super) async fn record(&self, row: &Deployment, change: &Change) -> Result<(), Error> {
        deployments::record(&self.args.store, row, change).await?;
        self.announce();
        Ok(())
    }

    pub(super) fn announce(&self) {
        event_bus::nudge(&self.args.events);
    }
}

/// What serves ends before its successor starts: both write to the same volumes. The generation is counted, so that it is not
/// taken for the successor.
fn make_way(row: &Deployment) -> Change {
    Change {
        generation: Some(row.generation.next()),
        reason: Some("was stopped before its successor starts, which writes to the same volumes".to_owned()),
        instance: Some(None),
        candidate: Some(None),
        is_replacing: Some(false),
        ..Change::to(Status::Restarting)
    }
}

/// A deployment that stops has neither a live instance nor a candidate: whatever is still there is to go.
fn status_change(status: Status) -> Change {
    let is_going = status == Status::Stopping || status.is_at_rest();
    Change {
        instance: is_going.then_some(None),
        candidate: is_going.then_some(None),
        is_replacing: is_going.then_some(false),
        ..Change::to(status)
    }
}

pub(super) fn find<'a>(instance: &InstanceRef, instances: &'a [Observation]) -> Option<&'a Observation> {
    instances.iter().find(|seen| seen.instance == *instance)
}

/// Finds where an instance that runs can be reached.
pub(super) fn endpoint(instance: &InstanceRef, instances: &[Observation]) -> Option<SocketAddr> {
    find(instance, instances)?.endpoint
}

/// Whether an instance that connections are led to is where it was. One that has ended is nowhere else.
fn is_still_at(instance: &InstanceRef, led_to: SocketAddr, instances: &[Observation]) -> bool {
    endpoint(instance, instances).is_none_or(|endpoint| endpoint == led_to)
}

fn live_generation(row: &Deployment, instances: &[Observation]) -> Option<Generation> {
    Some(find(row.instance.as_ref()?, instances)?.generation)
}
