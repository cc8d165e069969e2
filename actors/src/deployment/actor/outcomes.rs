//! What the actor makes of a job's outcome. By then something else may be wanted: what no longer fits the row is left to
//! the next observation.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::State;
use crate::{
    deployment::{
        Status,
        crash_loop::CrashLoop,
        failure::{Consequence, Failure},
        watch::Verdict,
    },
    id::ReleaseId,
    runtime::{self, Artifact, Exit, InstanceRef, port},
    store::{
        deployments::{self, Change, Deployment},
        releases,
    },
};

/// The pause before the runtime is asked again after it did not answer.
const RUNTIME_PAUSE: Duration = Duration::from_secs(5);

/// Whether an error of the runtime says nothing about the deployment.
pub(super) fn is_passing(error: &runtime::Error) -> bool {
    matches!(error, runtime::Error::Unreachable(_))
}

impl State {
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
                    Failure::unhealthy(&reason, row.health_check.timeout_s, lines),
                    Duration::ZERO,
                )
                .await
            }
        }
    }

    /// Takes the answer of a running instance and says whether all is as it was, so that there is nothing to observe.
    pub(super) async fn watched(
        &mut self,
        result: Result<(), (String, Vec<String>)>,
    ) -> Result<bool, ActorProcessingErr> {
        let row = self.row().await?;
        let is_up = matches!(row.status, Status::Running | Status::Unhealthy);
        let Some(watch) = self.watch.as_mut().filter(|watch| is_up && watch.is_of(row.generation)) else {
            return Ok(false);
        };
        let verdict = watch.note(result.is_ok(), &row.health_check);
        let pause = watch.pause();
        match (verdict, result) {
            (Verdict::Well, _) if row.status == Status::Running => {
                self.remind(pause);
                return Ok(true);
            }
            (Verdict::Well, _) => self.record(&row, &Change::to(Status::Running)).await?,
            (Verdict::Unhealthy, Err((reason, _))) if row.reason.as_ref() != Some(&reason) => {
                let change = Change {
                    reason: Some(reason),
                    ..Change::to(Status::Unhealthy)
                };
                self.record(&row, &change).await?;
            }
            (Verdict::Hopeless, Err((reason, lines))) => {
                let failure = Failure::stays_unhealthy(&reason, lines);
                self.fail(&row, failure, ran_for(&row, Utc::now())).await?;
            }
            (Verdict::Suspect | Verdict::Unhealthy | Verdict::Hopeless, _) => {}
        }
        Ok(false)
    }

    pub(super) async fn exited(&mut self, exit: &Exit, lines: Vec<String>) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if !row.status.has_instance() {
            return Ok(());
        }
        let failure = Failure::exit(exit, row.memory_limit.as_ref(), lines);
        self.fail(&row, failure, ran_for(&row, exit.at)).await
    }

    /// Records a failure with its entry in the error log, and plans the next start where there is to be one.
    pub(super) async fn fail(
        &mut self,
        row: &Deployment,
        failure: Failure,
        ran_for: Duration,
    ) -> Result<(), ActorProcessingErr> {
        let is_over = match failure.consequence {
            Consequence::GiveUp => true,
            Consequence::GiveUpUnlessItHasRun => row.started_at.is_none(),
            Consequence::TryAgain => false,
        };
        if is_over {
            return self
                .record_failure(row, &failure, failure.change(row, Status::Failed, None))
                .await;
        }
        let mut crash_loop = self.crash_loop.clone().unwrap_or_else(|| CrashLoop::of(row.status));
        let verdict = crash_loop.note_exit(ran_for, rand::random());
        let status = if verdict.is_looping {
            Status::CrashLooping
        } else {
            Status::Restarting
        };
        self.record_failure(row, &failure, failure.change(row, status, Some(verdict.pause)))
            .await?;
        // Only what was recorded counts: a failure whose write was outdated is observed again.
        self.crash_loop = Some(crash_loop);
        self.retry_at = Some(Instant::now() + verdict.pause);
        Ok(())
    }

    async fn record_failure(
        &self,
        row: &Deployment,
        failure: &Failure,
        change: Change,
    ) -> Result<(), ActorProcessingErr> {
        deployments::record_failure(&self.args.store, row, &change, &failure.entry(row), failure.release).await?;
        self.announce();
        Ok(())
    }

    /// The runtime could not be asked. Nothing is known, so a status that claims something stays and says that it is in
    /// doubt; whoever waits is told.
    pub(super) async fn runtime_failed(&mut self, error: runtime::Error) -> Result<(), ActorProcessingErr> {
        self.remind(RUNTIME_PAUSE);
        self.waiting.refuse(&error);
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
}

/// How long the deployment was up when it ended; one that was still starting was not.
pub(super) fn ran_for(row: &Deployment, ended_at: DateTime<Utc>) -> Duration {
    match (row.status, row.started_at) {
        (Status::Running | Status::Unhealthy, Some(started_at)) => (ended_at - started_at).to_std().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
