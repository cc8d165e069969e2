//! What the actor records when something went wrong: with the app, with the release that is to serve, or with what was
//! begun last.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::State;
use crate::{
    Error,
    deployment::{
        Status,
        crash_loop::CrashLoop,
        failure::{Consequence, Failure},
    },
    id::ReleaseId,
    runtime::InstanceRef,
    store::{
        deployments::{self, Change, Deployment},
        releases::{self, Phase},
    },
};

impl State {
    /// Records what happened to an instance, and what follows.
    pub(super) async fn fail(
        &mut self,
        row: &Deployment,
        instance: &InstanceRef,
        failure: Failure,
        ran_for: Duration,
    ) -> Result<(), ActorProcessingErr> {
        if row.instance.as_ref() == Some(instance) {
            self.fail_app(row, failure, ran_for).await
        } else {
            self.fail_candidate(row, failure, ran_for).await
        }
    }

    /// What was begun last cannot serve. Where that is the release that served before, nothing is said about the target.
    pub(super) async fn fail_candidate(
        &mut self,
        row: &Deployment,
        failure: Failure,
        ran_for: Duration,
    ) -> Result<(), ActorProcessingErr> {
        if row.is_starting_earlier() {
            self.fail_app(row, failure, ran_for).await
        } else {
            self.fail_target(row, failure, ran_for).await
        }
    }

    /// What was to serve cannot: the release that served before goes on, or is started again. Where there is none, the
    /// app itself has failed.
    pub(super) async fn fail_target(
        &mut self,
        row: &Deployment,
        failure: Failure,
        ran_for: Duration,
    ) -> Result<(), ActorProcessingErr> {
        let failure = failure.masked(&self.known().await?.secrets(&self.args.store)?);
        let earlier = row.earlier_release();
        if earlier.is_none() && row.instance.is_none() {
            return self.fail_app(row, failure, ran_for).await;
        }
        let goes_on = Change {
            reason: Some(format!("a new instance {}; the one before goes on", failure.reason)),
            target_id: earlier,
            ..Change::to(row.status)
        };
        let change = match row.is_starting_earlier() {
            true => goes_on,
            false => Change {
                status: row.instance.as_ref().map_or(Status::Restarting, |_| row.status),
                generation: Some(row.generation.next()),
                candidate: Some(None),
                is_replacing: Some(false),
                ..goes_on
            },
        };
        self.record_failure(row, &failure, change, earlier.map(|_| row.target_id))
            .await?;
        self.waiting.fail(row, &failure.reason);
        Ok(())
    }

    /// The app does not run: it is started again after a pause, or given up.
    async fn fail_app(
        &mut self,
        row: &Deployment,
        failure: Failure,
        ran_for: Duration,
    ) -> Result<(), ActorProcessingErr> {
        let failure = failure.masked(&self.known().await?.secrets(&self.args.store)?);
        let is_over = match failure.consequence {
            Consequence::GiveUp => true,
            Consequence::GiveUpUnlessItHasRun => row.started_at.is_none(),
            Consequence::TryAgain => false,
        };
        if is_over {
            let change = failure.change(row, Status::Failed, None);
            return self.record_failure(row, &failure, change, Some(row.target_id)).await;
        }
        let mut crash_loop = self.crash_loop.clone().unwrap_or_else(|| CrashLoop::of(row.status));
        let verdict = crash_loop.note_exit(ran_for, rand::random());
        let status = if verdict.is_looping {
            Status::CrashLooping
        } else {
            Status::Restarting
        };
        let change = failure.change(row, status, Some(verdict.pause));
        self.record_failure(row, &failure, change, None).await?;
        // Only what was recorded counts: a failure whose write was outdated is observed again.
        self.crash_loop = Some(crash_loop);
        self.retry_at = Some(Instant::now() + verdict.pause);
        Ok(())
    }

    /// Records a failure, and with it the end of the release that it is the end of.
    async fn record_failure(
        &self,
        row: &Deployment,
        failure: &Failure,
        change: Change,
        release: Option<ReleaseId>,
    ) -> Result<(), ActorProcessingErr> {
        let ending = failure.ending();
        let failed = release.map(|release| (release, &ending));
        deployments::record_failure(&self.args.store, row, &change, &failure.entry(row), failed).await?;
        self.announce();
        Ok(())
    }

    /// Notes how long a part of bringing up a release took: of its first time, which is the one that was waited for.
    pub(super) async fn note_phase(&self, row: &Deployment, phase: &Phase) -> Result<(), Error> {
        let release = row.candidate_release_id.unwrap_or(row.target_id);
        if row.release_id == Some(release) {
            return Ok(());
        }
        releases::note_phase(&self.args.store, release, phase).await
    }
}

/// How long an instance served when it ended; a candidate did not.
pub(super) fn ran_for(row: &Deployment, instance: &InstanceRef, ended_at: DateTime<Utc>) -> Duration {
    let is_live = row.instance.as_ref() == Some(instance);
    let started_at = row.started_at.filter(|_| is_live);
    started_at.map_or(Duration::ZERO, |started_at| {
        (ended_at - started_at).to_std().unwrap_or_default()
    })
}
