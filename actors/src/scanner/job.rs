//! One scan of one project, from its row to its row.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use chrono::Utc;
use futures_util::FutureExt;
use tokio::{
    sync::watch,
    task::{JoinError, spawn_blocking},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    actor::Args,
    work::{self, Scanned, Work},
};
use crate::{
    Error,
    cancel::CancelOnDrop,
    error::chain,
    event_bus,
    id::ProjectId,
    scan::{self, Progress, Snapshot, scores::RunningFacts},
    store::{
        Store, deployments,
        projects::{self, Project},
        scans::{self, Scan},
    },
};

/// How often the progress of a scan becomes an event.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// A scan that comes no further for so long is on a disk that does not answer.
const STANDSTILL: Duration = Duration::from_secs(600);

/// One scan of one project.
pub(super) struct Job {
    pub(super) args: Args,
    pub(super) project: ProjectId,
    /// Whether nothing that the last scan left is to be trusted.
    pub(super) is_full: bool,
}

/// How a scan ended.
#[derive(Debug)]
pub enum Ended {
    /// It was kept, and changes in these directories matter from now on.
    Kept(BTreeSet<PathBuf>),
    /// Nobody works with the project, or it is gone: changes do not matter.
    Idle,
    /// Its directory cannot be scanned, which its row says.
    Failed,
    /// Something else stood in the way; another try may help.
    Later,
}

/// Why a scan gave nothing.
enum Failure {
    /// A matter of the project's directory.
    Project(String),
    /// A matter of the machine.
    Machine(String),
}

impl Job {
    /// Scans, and says how that ended, whatever happens.
    pub(super) async fn run(&self) -> Ended {
        let attempt = AssertUnwindSafe(self.attempt()).catch_unwind().await;
        let attempt = attempt.unwrap_or_else(|_| Err(Error::Internal("the scan panicked".to_owned())));
        match attempt {
            Ok(ended) => ended,
            Err(Error::NotFound { .. }) => Ended::Idle,
            Err(error) => {
                tracing::warn!(
                    project.id = %self.project, error = &error as &dyn std::error::Error,
                    "the scan of project {} could not be kept", self.project
                );
                Ended::Later
            }
        }
    }

    async fn attempt(&self) -> Result<Ended, Error> {
        let store = &self.args.store;
        let project = projects::project(store, self.project).await?;
        let earlier = scans::find(store, self.project).await?;
        let running = running_facts(store, self.project).await?;
        let is_requested = earlier.as_ref().is_some_and(|scan| scan.is_requested);
        if !project.is_active && !is_requested {
            return Ok(Ended::Idle);
        }
        match self.scan(&project, earlier, running).await {
            Ok(scanned) => self.keep(&project, scanned, is_requested).await.map(Ended::Kept),
            Err(Failure::Project(reason)) => {
                self.note(&reason).await?;
                Ok(Ended::Failed)
            }
            Err(Failure::Machine(reason)) => {
                self.note(&reason).await?;
                Ok(Ended::Later)
            }
        }
    }

    /// Scans on a thread of its own and tells how far that is.
    async fn scan(&self, project: &Project, earlier: Option<Scan>, running: RunningFacts) -> Result<Scanned, Failure> {
        let guard = CancelOnDrop::default();
        let cancel = guard.flag();
        let (progress_sender, mut progress) = watch::channel(None);
        let index = self.args.index.clone();
        let snapshot = self.args.snapshots.path(self.project);
        let (id, root, is_full) = (self.project, project.path.clone(), self.is_full);
        let data_dir = self.args.data_dir.clone();
        let mut thread = spawn_blocking(move || {
            let work = Work {
                project: id,
                root: &root,
                index: &index,
                earlier,
                snapshot,
                is_full,
                running,
                data_dir: &data_dir,
                now: Utc::now(),
                on_progress: &|now| {
                    progress_sender.send_replace(Some(now));
                },
                cancel: &cancel,
            };
            work.run()
        });
        let mut ticks = interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut moved_at = Instant::now();
        loop {
            tokio::select! {
                scanned = &mut thread => return outcome(scanned),
                _ = ticks.tick() => {}
            }
            if progress.has_changed().unwrap_or(false) {
                moved_at = Instant::now();
                let now = *progress.borrow_and_update();
                self.tell(project, now).await;
            } else if moved_at.elapsed() > STANDSTILL {
                return Err(Failure::Machine(format!("the scan came no further for {STANDSTILL:?}")));
            }
        }
    }

    async fn tell(&self, project: &Project, now: Option<Progress>) {
        let Some(now) = now else {
            return;
        };
        match scans::tell_progress(&self.args.store, project, now).await {
            Ok(()) => event_bus::nudge(&self.args.events),
            // Nothing depends on it.
            Err(error) => tracing::debug!(%error, "the progress of a scan was not told"),
        }
    }

    /// Writes what was found: first for the next scan, then for people.
    async fn keep(&self, project: &Project, scanned: Scanned, is_requested: bool) -> Result<BTreeSet<PathBuf>, Error> {
        let Scanned {
            outcome,
            snapshot,
            is_unchanged,
            directories,
        } = scanned;
        // Before the row, so that whoever sees the row finds the files; a row that is not written tells of another snapshot.
        if !is_unchanged {
            self.save(snapshot).await?;
        }
        if is_requested || !is_unchanged || scans::is_news(project, &outcome)? {
            scans::finish(&self.args.store, self.project, &outcome).await?;
            event_bus::nudge(&self.args.events);
        }
        Ok(directories
            .iter()
            .map(|directory| project.path.join(directory))
            .collect())
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), Error> {
        let (id, path) = (self.project, self.args.snapshots.path(self.project));
        let saved = spawn_blocking(move || {
            if let Err(error) = snapshot.save(&path) {
                tracing::warn!(project.id = %id, %error, "the next scan of project {id} reads everything again");
            }
        });
        saved
            .await
            .map_err(|cause| Error::Internal(format!("a snapshot was not written: {cause}")))
    }

    /// Writes down why nothing came of the scan.
    async fn note(&self, reason: &str) -> Result<(), Error> {
        tracing::warn!(project.id = %self.project, "project {} cannot be scanned: {reason}", self.project);
        scans::fail(&self.args.store, self.project, reason).await?;
        event_bus::nudge(&self.args.events);
        Ok(())
    }
}

fn outcome(scanned: Result<Result<Scanned, work::Error>, JoinError>) -> Result<Scanned, Failure> {
    match scanned {
        Ok(Ok(scanned)) => Ok(scanned),
        Ok(Err(error @ work::Error::Scan(scan::Error::Root { .. }))) => Err(Failure::Project(chain(&error))),
        Ok(Err(error)) => Err(Failure::Machine(chain(&error))),
        Err(panic) => Err(Failure::Project(format!("the scan ended early: {panic}"))),
    }
}

/// Says whether what runs of the project is limited, where something is to run.
async fn running_facts(store: &Store, project: ProjectId) -> Result<RunningFacts, Error> {
    let deployments = deployments::of_project(store, project).await?;
    let is_limited =
        |deployment: &deployments::Deployment| deployment.cpu_limit.is_some() || deployment.memory_limit.is_some();
    Ok(RunningFacts {
        has_limits: (!deployments.is_empty()).then(|| deployments.iter().all(is_limited)),
        idle_memory_bytes: None,
    })
}
