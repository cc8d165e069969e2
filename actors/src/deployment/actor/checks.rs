//! Whether instances are well: the candidate before it takes over, and what serves for as long as it does. Each is asked as
//! its own release says.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use ractor::ActorProcessingErr;
use tokio::time::Instant;

use super::{
    State,
    failures::ran_for,
    known::Known,
    steps::{endpoint, find},
};
use crate::{
    Error,
    deployment::{
        Status,
        failure::Failure,
        job::{Job, Outcome},
        watch::{Verdict, Watch},
    },
    health,
    runtime::{InstanceRef, Observation},
    store::{
        deployments::{Change, Deployment},
        releases::{Phase, Release},
    },
};

/// Who is being asked.
pub(super) struct Checked {
    instance: InstanceRef,
    /// Where; nowhere when it cannot be reached.
    target: Option<health::Target>,
}

/// How far the candidate is.
pub(super) enum Health {
    /// It is well, and is reached there.
    Proven(SocketAddr),
    /// It is being asked.
    Asked,
    /// It cannot be reached, and may become reachable.
    OutOfReach,
}

impl State {
    /// Gives up asking an instance that is neither to serve nor does.
    pub(super) fn keep_checks(&mut self, row: &Deployment) {
        let is_wanted = |checked: &Checked| [&row.instance, &row.candidate].contains(&&Some(checked.instance.clone()));
        if self.checking.as_ref().is_some_and(|checked| !is_wanted(checked)) {
            self.checks.abort();
            self.checking = None;
        }
    }

    /// Has the candidate asked until it is well or its time is up, unless it was found to be well just now.
    pub(super) fn check_candidate(
        &mut self,
        known: &Known,
        instance: &InstanceRef,
        since: DateTime<Utc>,
        instances: &[Observation],
    ) -> Result<Health, Error> {
        match self.proven.take() {
            Some((proven, endpoint)) if proven == *instance => return Ok(Health::Proven(endpoint)),
            _ => {}
        }
        let release = known.begun();
        let age = (Utc::now() - since).to_std().unwrap_or_default();
        let left = release.health_check.timeout_s.duration().saturating_sub(age);
        let target = target(&known.row, release, instance, instances);
        if target.is_none() && !left.is_zero() {
            return Ok(Health::OutOfReach);
        }
        let is_asked = |checked: &Checked| checked.instance == *instance && checked.target == target;
        if !self.checking.as_ref().is_some_and(is_asked) {
            self.ask(instance, target.clone());
            self.begin(Job::AwaitHealth {
                instance: instance.clone(),
                since,
                target,
                deadline: Instant::now() + left,
                secrets: known.secrets(&self.args.store)?,
            });
        }
        Ok(Health::Asked)
    }

    /// Asks the instance that serves, now or when it is due.
    pub(super) fn plan_probe(&mut self, known: &Known, instances: &[Observation]) -> Result<(), Error> {
        let (row, release) = (&known.row, known.serving());
        let live = row.instance.clone();
        let Some((instance, target)) =
            live.and_then(|live| Some((live.clone(), target(row, release, &live, instances)?)))
        else {
            self.watch = None;
            return Ok(());
        };
        if self.checking.is_some() {
            return Ok(());
        }
        let watch = match self.watch.take().filter(|watch| watch.is_of(&instance)) {
            Some(watch) => watch,
            None => Watch::new(instance.clone(), &release.health_check),
        };
        let pause = watch.pause();
        self.watch = Some(watch);
        if !pause.is_zero() {
            self.remind(pause);
            return Ok(());
        }
        self.ask(&instance, Some(target.clone()));
        self.begin(Job::Probe {
            instance,
            target,
            secrets: known.secrets(&self.args.store)?,
        });
        Ok(())
    }

    fn ask(&mut self, instance: &InstanceRef, target: Option<health::Target>) {
        self.checking = Some(Checked {
            instance: instance.clone(),
            target,
        });
    }

    /// Takes what came of asking.
    pub(super) async fn checked(&mut self, outcome: Outcome) -> Result<(), ActorProcessingErr> {
        self.checking = None;
        match outcome {
            Outcome::Probed {
                instance,
                phase,
                result: Ok(endpoint),
            } => {
                self.note_phase(&self.row().await?, &phase).await?;
                self.proven = Some((instance, endpoint));
            }
            Outcome::Probed {
                instance,
                phase,
                result: Err((reason, lines)),
            } => self.not_healthy(&instance, &phase, &reason, lines).await?,
            Outcome::Watched { result, unserved } => {
                let is_news = std::mem::replace(&mut self.unserved, unserved) != self.unserved;
                if self.watched(result).await? && !is_news {
                    return Ok(());
                }
            }
            _ => return Err("asking an instance panicked".into()),
        }
        self.reconcile();
        Ok(())
    }

    async fn not_healthy(
        &mut self,
        instance: &InstanceRef,
        phase: &Phase,
        reason: &str,
        lines: Vec<String>,
    ) -> Result<(), ActorProcessingErr> {
        let known = self.known().await?;
        let row = &known.row;
        if row.candidate.as_ref() != Some(instance) {
            return Ok(());
        }
        self.note_phase(row, phase).await?;
        let failure = Failure::unhealthy(reason, known.begun().health_check.timeout_s, lines);
        self.fail_candidate(row, failure, std::time::Duration::ZERO).await
    }

    /// Takes the answer of a running instance and says whether all is as it was, so that there is nothing to observe.
    async fn watched(&mut self, result: Result<(), (String, Vec<String>)>) -> Result<bool, ActorProcessingErr> {
        let row = self.row().await?;
        let (Some(watch), Some(live)) = (&mut self.watch, &row.instance) else {
            return Ok(false);
        };
        if !watch.is_of(live) {
            return Ok(false);
        }
        let verdict = watch.note(result.is_ok());
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
                self.fail(&row, live, failure, ran_for(&row, live, Utc::now())).await?;
            }
            (Verdict::Suspect | Verdict::Unhealthy | Verdict::Hopeless, _) => {}
        }
        Ok(false)
    }
}

/// Finds where an instance of a release is asked, and what.
fn target(
    row: &Deployment,
    release: &Release,
    instance: &InstanceRef,
    instances: &[Observation],
) -> Option<health::Target> {
    Some(health::Target {
        own: find(instance, instances)?.address,
        endpoint: endpoint(instance, instances)?,
        port: row.port,
        check: match &release.health_check.path {
            Some(path) => health::Check::Path(path.clone()),
            None => health::Check::Default,
        },
    })
}
