//! How the actor takes the machine's steps.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{State, outcomes};
use crate::{
    Error,
    deployment::{
        Status,
        crash_loop::CrashLoop,
        failure::Failure,
        job::Job,
        machine::{self, Facts, ReleaseState, Step},
        watch::Watch,
    },
    event_bus, health,
    runtime::{InstanceRef, InstanceSpec, Observation, Wanted},
    store::{
        deployments::{self, Change, Deployment},
        projects,
        releases::{self, NewRelease, Release},
    },
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
        for _ in 0..MAX_WRITES {
            let row = self.row().await?;
            self.crash_loop.get_or_insert_with(|| CrashLoop::of(row.status));
            let release = releases::newest(&self.args.store, row.id).await?;
            let job = match machine::next(&self.facts(&row, release.as_ref(), instances)) {
                Step::Rest | Step::AwaitRetry if is_outdated => Job::Observe,
                Step::Rest => return self.rest(&row, instances).await,
                Step::AwaitRetry => {
                    self.await_retry(&row);
                    return Ok(());
                }
                Step::Record(status) => {
                    self.record(&row, &Change::to(status)).await?;
                    continue;
                }
                Step::Adopt { instance } => {
                    let change = Change {
                        instance: Some(Some(instance)),
                        ..Change::to(Status::Starting)
                    };
                    self.record(&row, &change).await?;
                    continue;
                }
                Step::RecordVanished => {
                    self.fail(&row, Failure::vanished(), outcomes::ran_for(&row, Utc::now()))
                        .await?;
                    continue;
                }
                Step::Build => self.build(&row, release).await?,
                Step::Start => self.start(&row, release).await?,
                Step::AwaitHealth { instance, since } => await_health(&row, instance, since, instances),
                Step::RecordExit { instance, exit } => Job::ReadExit { instance, exit },
                Step::Stop(instance) => Job::Stop(instance),
                Step::Remove(instance) => Job::Remove(instance),
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

    fn facts<'a>(&self, row: &'a Deployment, release: Option<&Release>, instances: &'a [Observation]) -> Facts<'a> {
        Facts {
            desired: row.desired,
            status: row.status,
            release: match release.map(|release| release.status) {
                None | Some(releases::Status::Building) => ReleaseState::Unbuilt,
                Some(releases::Status::Ready) => ReleaseState::Ready,
                Some(releases::Status::Failed) => ReleaseState::Failed,
            },
            generation: row.generation,
            recorded: row.instance.as_ref(),
            instances,
            is_retry_due: self.retry_at.is_none_or(|at| at <= Instant::now()),
        }
    }

    /// Nothing is left to do: the deployment was just seen to be as its row says. A reason that was a doubt is gone.
    async fn rest(&mut self, row: &Deployment, instances: &[Observation]) -> Result<(), ActorProcessingErr> {
        match (row.status, &row.reason) {
            (Status::Running, Some(_)) => {
                self.record(row, &Change::to(Status::Running)).await?;
            }
            _ => deployments::confirm(&self.args.store, row.id).await?,
        }
        self.waiting.answer(row);
        self.plan_probe(row, instances);
        Ok(())
    }

    /// Probes the instance that runs, now or when it is due.
    fn plan_probe(&mut self, row: &Deployment, instances: &[Observation]) {
        let Some(instance) = row.instance.clone().filter(|_| row.status.has_instance()) else {
            self.watch = None;
            return;
        };
        let watch = match self.watch.take().filter(|watch| watch.is_of(row.generation)) {
            Some(watch) => watch,
            None => Watch::new(row.generation, &row.health_check),
        };
        let pause = watch.pause();
        self.watch = Some(watch);
        if pause.is_zero() {
            let target = target(row, &instance, instances);
            self.begin(Job::Probe { instance, target });
        } else {
            self.remind(pause);
        }
    }

    fn await_retry(&mut self, row: &Deployment) {
        self.waiting.answer(row);
        let pause = self
            .retry_at
            .map_or(Duration::ZERO, |at| at.duration_since(Instant::now()));
        self.remind(pause);
    }

    /// Begins the next release, or goes on with one whose build was interrupted.
    async fn build(&mut self, row: &Deployment, release: Option<Release>) -> Result<Job, ActorProcessingErr> {
        let project = projects::project(&self.args.store, row.project_id).await?;
        let release = match release {
            Some(release) if release.status == releases::Status::Building => release,
            _ => releases::begin(&self.args.store, row.id, &new_release(row)).await?,
        };
        // After the release: a restart of a failed deployment that is torn here still finds a release to build.
        self.record(row, &Change::to(Status::Building)).await?;
        let wanted = Wanted {
            directory: project.path,
            image: row.image.clone(),
            command: row.command.clone(),
        };
        Ok(Job::Build {
            release: release.id,
            number: release.number,
            wanted,
        })
    }

    /// Counts the generation, so that whatever crashes from here on the instance is known as the current one.
    async fn start(&mut self, row: &Deployment, release: Option<Release>) -> Result<Job, ActorProcessingErr> {
        let Some((release, artifact)) = release.and_then(|release| Some((release.clone(), release.artifact?))) else {
            return Err(format!("deployment {} has nothing to start", row.id).into());
        };
        self.retry_at = None;
        let begun = deployments::begin_generation(&self.args.store, row.id, release.id).await?;
        self.announce();
        Ok(Job::Start(Box::new(InstanceSpec {
            deployment: row.id,
            release: release.number,
            generation: begun.generation,
            artifact,
            command: row.command.clone(),
            port: row.port,
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

    /// The bus polls as well, so a hint that it does not take is no loss.
    pub(super) fn announce(&self) {
        event_bus::nudge(&self.args.events);
    }
}

fn new_release(row: &Deployment) -> NewRelease {
    NewRelease {
        environment: row.environment.clone(),
        cpu_limit: row.cpu_limit.clone(),
        memory_limit: row.memory_limit.clone(),
        source_commit: None,
        created_by: "deploy".to_owned(),
    }
}

fn await_health(row: &Deployment, instance: InstanceRef, since: DateTime<Utc>, instances: &[Observation]) -> Job {
    let target = target(row, &instance, instances);
    let age = (Utc::now() - since).to_std().unwrap_or_default();
    Job::AwaitHealth {
        instance,
        target,
        deadline: Instant::now() + row.health_check.timeout_s.duration().saturating_sub(age),
    }
}

fn target(row: &Deployment, instance: &InstanceRef, instances: &[Observation]) -> health::Target {
    let seen = instances.iter().find(|seen| seen.instance == *instance);
    health::Target {
        own: seen.and_then(|seen| seen.address),
        port: row.port,
        check: match &row.health_check.path {
            Some(path) => health::Check::Path(path.clone()),
            None => health::Check::Default,
        },
    }
}
