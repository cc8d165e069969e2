//! How the actor takes the machine's steps, and what it makes of the outcomes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{Goal, State};
use crate::{
    Error,
    deployment::{
        Desired, Status,
        crash_loop::CrashLoop,
        failure::{Consequence, Failure},
        job::Job,
        machine::{self, Facts, ReleaseState, Step},
    },
    event_bus, health,
    id::ReleaseId,
    runtime::{self, Artifact, Exit, InstanceRef, InstanceSpec, Observation, Wanted, port},
    store::{
        deployments::{self, Change, Deployment},
        projects,
        releases::{self, NewRelease, Release},
    },
};

/// The pause before the runtime is asked again after it did not answer.
const RUNTIME_PAUSE: Duration = Duration::from_secs(5);
/// One observation leads to at most so many writes before the next job; more would be a defect of the machine.
const MAX_WRITES: usize = 8;

/// Whether an error of the runtime says nothing about the deployment.
pub(super) fn is_passing(error: &runtime::Error) -> bool {
    matches!(error, runtime::Error::Unreachable(_))
}

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
                Step::Rest => return self.rest(&row).await,
                Step::AwaitRetry => {
                    self.await_retry(&row);
                    return Ok(());
                }
                Step::Record(status) => {
                    self.record(&row, &Change::to(status)).await?;
                    continue;
                }
                Step::Adopt { instance } => {
                    self.record(
                        &row,
                        &Change {
                            instance: Some(Some(instance)),
                            ..Change::to(Status::Starting)
                        },
                    )
                    .await?;
                    continue;
                }
                Step::RecordVanished => {
                    self.fail(&row, Failure::vanished(), ran_for(&row, Utc::now())).await?;
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
    async fn rest(&mut self, row: &Deployment) -> Result<(), ActorProcessingErr> {
        match (row.status, &row.reason) {
            (Status::Running, Some(_)) => {
                self.record(row, &Change::to(Status::Running)).await?;
            }
            _ => deployments::confirm(&self.args.store, row.id).await?,
        }
        self.answer(row);
        Ok(())
    }

    fn await_retry(&mut self, row: &Deployment) {
        self.answer(row);
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

    pub(super) async fn built(
        &mut self,
        release: ReleaseId,
        result: Result<Artifact, runtime::Error>,
    ) -> Result<(), ActorProcessingErr> {
        match result {
            Ok(artifact) => {
                releases::finish(&self.args.store, release, Ok(&artifact)).await?;
            }
            Err(error) => {
                let row = self.row().await?;
                self.fail(&row, Failure::build(release, error), Duration::ZERO).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn started(
        &mut self,
        result: Result<InstanceRef, runtime::Error>,
    ) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if row.status != Status::Starting {
            // Something else is wanted by now, and the next observation sees what there is.
            return Ok(());
        }
        let failure = match result {
            Ok(instance) => {
                let change = Change {
                    instance: Some(Some(instance)),
                    ..Change::to(Status::Starting)
                };
                return Ok(self.record(&row, &change).await?);
            }
            Err(runtime::Error::PortInUse(port)) => Failure::port_in_use(port, port::find_holder(port).await),
            Err(error) => Failure::start(&error),
        };
        self.fail(&row, failure, Duration::ZERO).await
    }

    pub(super) async fn probed(&mut self, result: Result<(), (String, Vec<String>)>) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if row.status != Status::Starting {
            return Ok(());
        }
        match result {
            Ok(()) => {
                let change = Change {
                    started_at: Some(Some(Utc::now())),
                    ..Change::to(Status::Running)
                };
                Ok(self.record(&row, &change).await?)
            }
            Err((reason, lines)) => {
                self.fail(
                    &row,
                    Failure::unhealthy(&reason, row.health_timeout_s, lines),
                    Duration::ZERO,
                )
                .await
            }
        }
    }

    pub(super) async fn exited(&mut self, exit: &Exit, lines: Vec<String>) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if !row.status.has_instance() {
            return Ok(());
        }
        self.fail(&row, Failure::exit(exit, lines), ran_for(&row, exit.at))
            .await
    }

    /// Records a failure with its entry in the error log, and plans the next start where there is to be one.
    async fn fail(&mut self, row: &Deployment, failure: Failure, ran_for: Duration) -> Result<(), ActorProcessingErr> {
        let is_over = match failure.consequence {
            Consequence::GiveUp => true,
            Consequence::GiveUpUnlessItHasRun => row.started_at.is_none(),
            Consequence::TryAgain => false,
        };
        let change = if is_over {
            failure.change(row, Status::Failed, None)
        } else {
            let crash_loop = self.crash_loop.get_or_insert_with(|| CrashLoop::of(row.status));
            let verdict = crash_loop.note_exit(ran_for, rand::random());
            self.retry_at = Some(Instant::now() + verdict.pause);
            let status = if verdict.is_looping {
                Status::CrashLooping
            } else {
                Status::Restarting
            };
            failure.change(row, status, Some(verdict.pause))
        };
        let entry = failure.entry(row);
        deployments::record_failure(&self.args.store, row, &change, &entry, failure.release).await?;
        self.announce();
        Ok(())
    }

    async fn record(&self, row: &Deployment, change: &Change) -> Result<(), Error> {
        deployments::record(&self.args.store, row, change).await?;
        self.announce();
        Ok(())
    }

    /// The bus polls as well, so a hint that it does not take is no loss.
    fn announce(&self) {
        if let Err(error) = self.args.events.cast(event_bus::Message::Nudge) {
            tracing::debug!(deployment.id = %self.args.deployment, %error, "the event bus took no hint");
        }
    }

    /// The runtime could not be asked. Nothing is known, so a status that claims something stays and says that it is in
    /// doubt; whoever waits is told.
    pub(super) async fn runtime_failed(&mut self, error: runtime::Error) -> Result<(), ActorProcessingErr> {
        self.remind(RUNTIME_PAUSE);
        let cause = error.to_string();
        for (_, reply) in self.waiting.drain(..) {
            // A caller that gave up no longer listens.
            let _ = reply.send(Err(Error::Engine(cause.clone().into())));
        }
        let row = self.row().await?;
        let doubt = format!("not observed: {error}");
        if row.status.has_instance() && row.reason.as_ref() != Some(&doubt) {
            tracing::warn!(
                deployment.id = %row.id,
                error = &error as &dyn std::error::Error,
                "deployment {} could not be observed",
                row.id
            );
            deployments::doubt(&self.args.store, &row, &doubt).await?;
            self.announce();
        }
        Ok(())
    }

    /// Answers those whose goal is reached or out of reach.
    fn answer(&mut self, row: &Deployment) {
        let (answered, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|(goal, reply)| (goal.verdict(row), goal, reply))
            .partition::<Vec<_>, _>(|(verdict, _, _)| verdict.is_some());
        self.waiting = waiting.into_iter().map(|(_, goal, reply)| (goal, reply)).collect();
        for (verdict, _, reply) in answered {
            if let Some(verdict) = verdict {
                // A caller that gave up no longer listens.
                let _ = reply.send(verdict);
            }
        }
    }
}

impl Goal {
    /// Returns what to tell whoever waits for this, if it is time to.
    fn verdict(self, row: &Deployment) -> Option<Result<Deployment, Error>> {
        match (self, row.desired, row.status) {
            (Self::Stopped, Desired::Stopped, Status::Stopped) => Some(Ok(row.clone())),
            (Self::Stopped, Desired::Stopped, _) => None,
            (Self::Stopped, Desired::Running, _) => Some(Err(out_of_reach(row, "was told to run again"))),
            (Self::RunningAfter(_), Desired::Stopped, _) => Some(Err(out_of_reach(row, "was told to stop"))),
            (Self::RunningAfter(before), Desired::Running, Status::Running) if row.generation > before => {
                Some(Ok(row.clone()))
            }
            (Self::RunningAfter(_), Desired::Running, Status::Failed | Status::CrashLooping) => {
                Some(Err(out_of_reach(row, row.reason.as_deref().unwrap_or("failed"))))
            }
            (Self::RunningAfter(_), Desired::Running, _) => None,
        }
    }
}

fn out_of_reach(row: &Deployment, why: &str) -> Error {
    Error::Conflict {
        code: "DEPLOYMENT_FAILED",
        reason: format!("deployment {} {why}", row.id),
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
    let own = instances
        .iter()
        .find(|seen| seen.instance == instance)
        .and_then(|seen| seen.address);
    let check = match &row.health_check_path {
        Some(path) => health::Check::Path(path.clone()),
        None => health::Check::Default,
    };
    let timeout = Duration::from_secs(row.health_timeout_s.into());
    let age = (Utc::now() - since).to_std().unwrap_or_default();
    Job::AwaitHealth {
        instance,
        target: health::Target {
            own,
            port: row.port,
            check,
        },
        deadline: Instant::now() + timeout.saturating_sub(age),
    }
}

/// How long the deployment was up when it ended; one that was still starting was not.
fn ran_for(row: &Deployment, ended_at: DateTime<Utc>) -> Duration {
    match (row.status, row.started_at) {
        (Status::Running | Status::Unhealthy, Some(started_at)) => (ended_at - started_at).to_std().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
