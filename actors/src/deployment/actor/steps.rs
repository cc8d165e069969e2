//! How the actor takes the machine's steps.

use std::{net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{State, failures::ran_for, outcomes};
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
        watch::Watch,
    },
    event_bus, health,
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
        self.keep_logs(instances).await?;
        for _ in 0..MAX_WRITES {
            let row = self.row().await?;
            self.crash_loop.get_or_insert_with(|| CrashLoop::of(row.status));
            let target = releases::release(&self.args.store, row.target_id).await?;
            self.keep_lanes(&row, &target, instances).await?;
            let step = machine::next(&self.facts(&row, &target, instances));
            let job = match step {
                Step::Rest | Step::AwaitRetry if is_outdated => Job::Observe,
                Step::Rest => return self.rest(&row, instances).await,
                Step::AwaitRetry => {
                    self.await_retry(&row);
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
                step => match self.write(&row, step).await? {
                    None => continue,
                    Some(step) => match self.job(&row, target, step, instances).await? {
                        Some(job) => job,
                        None => return self.await_endpoint(&row).await,
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
    async fn keep_logs(&mut self, instances: &[Observation]) -> Result<(), Error> {
        for seen in self.logs.unfollowed(instances) {
            let release = match releases::by_number(&self.args.store, self.args.deployment, seen.release).await {
                // One that another database knew; it is about to be retired.
                Err(Error::NotFound { .. }) => continue,
                release => release?,
            };
            self.logs.follow(seen, Secrets::of([&release.environment]));
        }
        Ok(())
    }

    /// Begins the build that is due, and gives up what is no longer wanted beside the steps.
    async fn keep_lanes(
        &mut self,
        row: &Deployment,
        target: &Release,
        instances: &[Observation],
    ) -> Result<(), ActorProcessingErr> {
        if row.desired == Desired::Stopped {
            self.retirement.abort();
            self.retiring = None;
        }
        let facts = self.facts(row, target, instances);
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
        row: &Deployment,
        target: Release,
        step: Step,
        instances: &[Observation],
    ) -> Result<Option<Job>, ActorProcessingErr> {
        Ok(Some(match step {
            Step::Start => self.start(row, target).await?,
            Step::StartEarlier => {
                let earlier = row.earlier_release().ok_or("there is no earlier release")?;
                let earlier = releases::release(&self.args.store, earlier).await?;
                self.start(row, earlier).await?
            }
            Step::AwaitHealth { instance, since } => return Ok(await_health(row, instance, since, instances)),
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
            },
            Step::Stop(instance) => Job::Stop(instance),
            Step::Remove(instance) => Job::Remove(instance),
            other => return Err(format!("{other:?} is no job").into()),
        }))
    }

    fn facts<'a>(&'a self, row: &'a Deployment, target: &Release, instances: &'a [Observation]) -> Facts<'a> {
        Facts {
            desired: row.desired,
            status: row.status,
            target: match target.status {
                releases::Status::Building => ReleaseState::Unbuilt,
                releases::Status::Ready => ReleaseState::Ready,
                // One that has expired is never aimed at.
                releases::Status::Failed | releases::Status::Expired => ReleaseState::Failed,
            },
            has_earlier: row.earlier_release().is_some(),
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

    /// Nothing is left to do: the deployment was just seen to be as its row says. A reason that was a doubt is gone.
    async fn rest(&mut self, row: &Deployment, instances: &[Observation]) -> Result<(), ActorProcessingErr> {
        match (row.status, &row.reason) {
            (Status::Running, Some(reason)) if outcomes::is_doubt(reason) => {
                self.record(row, &Change::to(Status::Running)).await?;
            }
            _ => deployments::confirm(&self.args.store, row.id).await?,
        }
        self.waiting.answer(row, live_generation(row, instances));
        self.plan_probe(row, instances);
        Ok(())
    }

    /// Probes the instance that serves, now or when it is due.
    fn plan_probe(&mut self, row: &Deployment, instances: &[Observation]) {
        let live = row.instance.as_ref();
        let Some((instance, endpoint)) = live.and_then(|live| Some((live.clone(), endpoint(live, instances)?))) else {
            self.watch = None;
            return;
        };
        let watch = match self.watch.take().filter(|watch| watch.is_of(&instance)) {
            Some(watch) => watch,
            None => Watch::new(instance.clone(), &row.health_check),
        };
        let pause = watch.pause();
        self.watch = Some(watch);
        if pause.is_zero() {
            let target = target(row, &instance, endpoint, instances);
            self.begin(Job::Probe { instance, target });
        } else {
            self.remind(pause);
        }
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
    async fn start(&mut self, row: &Deployment, release: Release) -> Result<Job, ActorProcessingErr> {
        let Some(artifact) = release.artifact else {
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
            environment: release.environment,
            cpu_limit: release.cpu_limit,
            memory_limit: release.memory_limit,
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

/// A deployment that stops has neither a live instance nor a candidate: whatever is still there is to go.
fn status_change(status: Status) -> Change {
    let is_going = matches!(status, Status::Stopping | Status::Stopped);
    Change {
        instance: is_going.then_some(None),
        candidate: is_going.then_some(None),
        is_replacing: is_going.then_some(false),
        ..Change::to(status)
    }
}

fn await_health(
    row: &Deployment,
    instance: InstanceRef,
    since: DateTime<Utc>,
    instances: &[Observation],
) -> Option<Job> {
    let age = (Utc::now() - since).to_std().unwrap_or_default();
    let left = row.health_check.timeout_s.duration().saturating_sub(age);
    let target = endpoint(&instance, instances).map(|endpoint| target(row, &instance, endpoint, instances));
    (target.is_some() || left.is_zero()).then(|| Job::AwaitHealth {
        since,
        target,
        instance,
        deadline: Instant::now() + left,
    })
}

fn target(row: &Deployment, instance: &InstanceRef, endpoint: SocketAddr, instances: &[Observation]) -> health::Target {
    health::Target {
        own: find(instance, instances).and_then(|seen| seen.address),
        endpoint,
        port: row.port,
        check: match &row.health_check.path {
            Some(path) => health::Check::Path(path.clone()),
            None => health::Check::Default,
        },
    }
}

fn find<'a>(instance: &InstanceRef, instances: &'a [Observation]) -> Option<&'a Observation> {
    instances.iter().find(|seen| seen.instance == *instance)
}

/// Finds where an instance that runs can be reached.
fn endpoint(instance: &InstanceRef, instances: &[Observation]) -> Option<SocketAddr> {
    find(instance, instances)?.endpoint
}

/// Whether an instance that connections are led to is where it was. One that has ended is nowhere else.
fn is_still_at(instance: &InstanceRef, led_to: SocketAddr, instances: &[Observation]) -> bool {
    endpoint(instance, instances).is_none_or(|endpoint| endpoint == led_to)
}

fn live_generation(row: &Deployment, instances: &[Observation]) -> Option<Generation> {
    Some(find(row.instance.as_ref()?, instances)?.generation)
}
