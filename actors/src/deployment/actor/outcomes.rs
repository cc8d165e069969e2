//! What the actor makes of a job's outcome. By then something else may be wanted: what no longer fits the row is left to
//! the next observation.

use std::time::Duration;

use chrono::Utc;
use ractor::ActorProcessingErr;

use super::{State, failures::ran_for};
use crate::{
    Error,
    deployment::{
        Status,
        failure::Failure,
        job::{Job, Outcome},
        traffic::Led,
    },
    id::{Generation, ReleaseId},
    runtime::{self, Artifact, Exit, InstanceRef},
    store::{
        deployments::{self, Change},
        releases::{self, Phase},
    },
};

/// The pause before the runtime or the edge is asked again after it did not answer.
pub(super) const RUNTIME_PAUSE: Duration = Duration::from_secs(5);

/// The pause before an instance is retired again that connections were still led to.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Whether an error of the runtime says nothing about the deployment.
fn is_passing(error: &runtime::Error) -> bool {
    matches!(error, runtime::Error::Unreachable(_))
}

/// What a reason begins with that only says that nothing is known.
pub(super) const DOUBT: &str = "not observed: ";

/// What a reason begins with that says that no connection comes to the app.
pub(super) const UNSERVED: &str = "its port is not served: ";

/// What a reason begins with that says that lines are lost.
pub(super) const UNKEPT: &str = "its output cannot be written: ";

/// Whether a reason is about a passing state, not about what happened.
pub(super) fn is_remark(reason: &str) -> bool {
    [DOUBT, UNSERVED, UNKEPT]
        .iter()
        .any(|remark| reason.starts_with(remark))
}

impl State {
    pub(super) async fn step_finished(
        &mut self,
        outcome: Outcome,
        is_outdated: bool,
    ) -> Result<(), ActorProcessingErr> {
        match outcome {
            Outcome::Observed(Ok(instances)) => return self.advance(&instances, is_outdated).await,
            Outcome::Observed(Err(error)) | Outcome::Cleared(Err(error)) => return self.runtime_failed(error).await,
            Outcome::Started { result: Err(error), .. } if is_passing(&error) => {
                return self.runtime_failed(error).await;
            }
            Outcome::Started {
                generation,
                phase,
                result,
            } => self.started(generation, &phase, result).await?,
            Outcome::Routed {
                to,
                phase,
                result: Ok(()),
            } => self.led(to, &phase).await?,
            Outcome::Routed {
                to, result: Err(error), ..
            } => return self.not_led(&to, &error).await,
            Outcome::ExitRead {
                instance,
                generation,
                exit,
                lines,
            } => self.exited(&instance, generation, &exit, lines).await?,
            Outcome::Cleared(Ok(())) => {}
            Outcome::Built { .. } | Outcome::Probed { .. } | Outcome::Watched { .. } | Outcome::StillLedTo => {
                return Err("what has a lane of its own reported as a step".into());
            }
            Outcome::Panicked => return Err("a step of the deployment panicked".into()),
        }
        self.begin(Job::Observe);
        Ok(())
    }

    pub(super) async fn build_finished(&mut self, outcome: Outcome) -> Result<(), ActorProcessingErr> {
        self.building = None;
        let Outcome::Built {
            release,
            phase,
            origin,
            log,
            result,
        } = outcome
        else {
            return Err("the build of the deployment panicked".into());
        };
        releases::note_origin(&self.args.store, release, &origin).await?;
        match result {
            Err(error) if is_passing(&error) => return self.runtime_failed(error).await,
            result => self.built(release, &phase, log, result).await?,
        }
        self.reconcile();
        Ok(())
    }

    /// An instance that could not be retired is met again by the next observation.
    pub(super) fn retired(&mut self, outcome: Outcome) -> Result<(), ActorProcessingErr> {
        self.retiring = None;
        match outcome {
            Outcome::Cleared(Ok(())) => self.reconcile(),
            Outcome::Cleared(Err(error)) => {
                tracing::warn!(deployment.id = %self.args.deployment, %error, "an old instance could not be removed");
                self.remind(RUNTIME_PAUSE);
            }
            Outcome::StillLedTo => {
                // Another look leads them to where they belong first.
                tracing::warn!(deployment.id = %self.args.deployment, "connections are led to an instance that is to go");
                self.led = Led::Unknown;
                self.remind(RETRY_PAUSE);
            }
            _ => return Err("the retirement of an instance panicked".into()),
        }
        Ok(())
    }

    async fn built(
        &mut self,
        release: ReleaseId,
        phase: &Phase,
        log: Vec<String>,
        result: Result<Artifact, runtime::Error>,
    ) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if row.target_id != release {
            // It was superseded meanwhile and has ended already.
            return Ok(());
        }
        releases::note_build(&self.args.store, release, phase, &log).await?;
        match result {
            Ok(artifact) => {
                releases::finish(&self.args.store, release, &artifact).await?;
                // They were those of what this release takes the place of.
                self.forget_crashes();
                Ok(())
            }
            Err(error) => self.fail_target(&row, Failure::build(error), Duration::ZERO).await,
        }
    }

    async fn started(
        &mut self,
        generation: Generation,
        phase: &Phase,
        result: Result<InstanceRef, runtime::Error>,
    ) -> Result<(), ActorProcessingErr> {
        let row = self.row().await?;
        if row.generation != generation {
            return Ok(());
        }
        self.note_phase(&row, phase).await?;
        match result {
            Ok(instance) => {
                let change = Change {
                    candidate: Some(Some(instance)),
                    ..Change::none(&row)
                };
                Ok(self.record(&row, &change).await?)
            }
            Err(error) => self.fail_candidate(&row, Failure::start(&error), Duration::ZERO).await,
        }
    }

    /// The edge does as it was told: a candidate that connections are led to has taken over.
    async fn led(&mut self, to: Led, phase: &Phase) -> Result<(), ActorProcessingErr> {
        self.has_unroute_failed = false;
        self.led = to;
        let row = self.row().await?;
        let Led::To { instance, .. } = &self.led else {
            return Ok(());
        };
        if row.candidate.as_ref() != Some(instance) {
            return Ok(());
        }
        let release = row.candidate_release_id.unwrap_or(row.target_id);
        let change = Change {
            instance: Some(Some(instance.clone())),
            candidate: Some(None),
            release_id: Some(release),
            is_replacing: Some(false),
            started_at: Some(Utc::now()),
            ..Change::to(Status::Running)
        };
        self.note_phase(&row, phase).await?;
        self.record(&row, &change).await?;
        Ok(releases::note_served(&self.args.store, row.id, release).await?)
    }

    /// The edge does not do as it was told. Only a port that cannot be had is the deployment's own failure.
    async fn not_led(&mut self, to: &Led, error: &Error) -> Result<(), ActorProcessingErr> {
        if *to == Led::Nowhere {
            self.has_unroute_failed = true;
            self.edge_failed(error);
            self.begin(Job::Observe);
            return Ok(());
        }
        let row = self.row().await?;
        if row.instance.is_some() || !matches!(error, Error::PortInUse { .. } | Error::Impossible { .. }) {
            self.edge_failed(error);
            return Ok(());
        }
        self.led = Led::Nowhere;
        self.fail_candidate(&row, Failure::unrouted(error), Duration::ZERO)
            .await?;
        self.begin(Job::Observe);
        Ok(())
    }

    async fn exited(
        &mut self,
        instance: &InstanceRef,
        generation: Generation,
        exit: &Exit,
        lines: Vec<String>,
    ) -> Result<(), ActorProcessingErr> {
        let known = self.known().await?;
        let row = &known.row;
        let is_candidate_still = row.status.has_instance() && row.generation == generation;
        if row.instance.as_ref() != Some(instance) && !is_candidate_still {
            return Ok(());
        }
        let release = match row.instance.as_ref() == Some(instance) {
            true => known.serving(),
            false => known.begun(),
        };
        let failure = Failure::exit(exit, release.memory_limit.as_ref(), lines);
        let ran_for = ran_for(row, instance, exit.at);
        self.fail(row, instance, failure, ran_for).await
    }

    /// The edge could not be asked. It keeps the routes that it has, so nothing is worse than before.
    fn edge_failed(&mut self, error: &Error) {
        tracing::warn!(deployment.id = %self.args.deployment, %error, "a deployment waits for the edge");
        self.remind(RUNTIME_PAUSE);
    }

    /// The runtime could not be asked. Nothing is known, so a status that claims something stays and says that it is in
    /// doubt; whoever waits is told.
    pub(super) async fn runtime_failed(&mut self, error: runtime::Error) -> Result<(), ActorProcessingErr> {
        self.remind(RUNTIME_PAUSE);
        self.waiting.refuse(&error);
        let row = self.row().await?;
        let doubt = format!("{DOUBT}{error}");
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
