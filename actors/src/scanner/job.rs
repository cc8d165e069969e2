//! One scan of one project, from its row to its row.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use tokio::{
    sync::watch,
    task::{JoinError, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::{
    actor::Args,
    work::{self, Scanned, Work},
};
use crate::{
    Error, event_bus,
    id::ProjectId,
    scan::{self, Progress, scores::RunningFacts},
    store::{
        Store, deployments,
        projects::{self, Project},
        scans::{self, Scan},
    },
};

/// How often the progress of a scan becomes an event.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// One scan of one project.
pub(super) struct Job {
    pub(super) args: Args,
    pub(super) project: ProjectId,
    /// Whether nothing that the last scan left is to be trusted.
    pub(super) is_full: bool,
}

/// Ends the thread that scans when nobody waits for it any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Job {
    /// Scans, and returns the directories in which changes matter; none when nothing came of the scan.
    pub(super) async fn run(&self) -> Option<BTreeSet<PathBuf>> {
        match self.attempt().await {
            Ok(directories) => directories,
            Err(Error::NotFound { .. }) => None,
            Err(error) => {
                // The request stays in its row, and is looked at again.
                tracing::warn!(
                    project.id = %self.project, error = &error as &dyn std::error::Error,
                    "the scan of project {} could not be kept", self.project
                );
                None
            }
        }
    }

    async fn attempt(&self) -> Result<Option<BTreeSet<PathBuf>>, Error> {
        let store = &self.args.store;
        let project = projects::project(store, self.project).await?;
        let earlier = scans::find(store, self.project).await?;
        let running = running_facts(store, self.project).await?;
        let is_requested = earlier.as_ref().is_some_and(|scan| scan.is_requested);
        match self.scan(&project, earlier, running).await {
            Ok(Ok(scanned)) => self.keep(&project, scanned, is_requested).await.map(Some),
            Ok(Err(work::Error::Scan(scan::Error::Cancelled))) => Ok(None),
            Ok(Err(error)) => self.give_up(&chain(&error)).await,
            Err(panic) => self.give_up(&format!("the scan ended early: {panic}")).await,
        }
    }

    /// Scans on a thread of its own and tells how far that is.
    async fn scan(
        &self,
        project: &Project,
        earlier: Option<Scan>,
        running: RunningFacts,
    ) -> Result<Result<Scanned, work::Error>, JoinError> {
        let cancel = Arc::new(AtomicBool::new(false));
        let _guard = CancelOnDrop(cancel.clone());
        let (progress_sender, mut progress) = watch::channel(None);
        let index = self.args.index.clone();
        let snapshot = self.args.snapshots.path(self.project);
        let (id, root, is_full) = (self.project, project.path.clone(), self.is_full);
        let mut thread = spawn_blocking(move || {
            let work = Work {
                project: id,
                root: &root,
                index: &index,
                earlier,
                snapshot,
                is_full,
                running,
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
        loop {
            tokio::select! {
                scanned = &mut thread => return scanned,
                _ = ticks.tick() => self.tell(project, &mut progress).await,
            }
        }
    }

    async fn tell(&self, project: &Project, progress: &mut watch::Receiver<Option<Progress>>) {
        if !progress.has_changed().unwrap_or(false) {
            return;
        }
        let Some(now) = *progress.borrow_and_update() else {
            return;
        };
        match scans::tell_progress(&self.args.store, project, now).await {
            Ok(()) => event_bus::nudge(&self.args.events),
            // Nothing depends on it.
            Err(error) => tracing::debug!(%error, "the progress of a scan was not told"),
        }
    }

    /// Writes what was found: first for people, then for the next scan.
    async fn keep(&self, project: &Project, scanned: Scanned, is_requested: bool) -> Result<BTreeSet<PathBuf>, Error> {
        let Scanned {
            outcome,
            snapshot,
            is_unchanged,
        } = scanned;
        let is_news = project.metadata.get("git") != outcome.metadata.get("git");
        if is_requested || is_news || !is_unchanged {
            scans::finish(&self.args.store, self.project, &outcome).await?;
            event_bus::nudge(&self.args.events);
        }
        let path = self.args.snapshots.path(self.project);
        let (id, root) = (self.project, project.path.clone());
        let directories = spawn_blocking(move || {
            // Of an unchanged project the last one tells the same.
            if !is_unchanged && let Err(error) = snapshot.save(&path) {
                tracing::warn!(project.id = %id, %error, "the next scan of project {id} reads everything again");
            }
            snapshot
                .directories()
                .iter()
                .map(|directory| root.join(directory))
                .collect()
        });
        directories
            .await
            .map_err(|cause| Error::Internal(format!("a snapshot was not written: {cause}")))
    }

    async fn give_up(&self, reason: &str) -> Result<Option<BTreeSet<PathBuf>>, Error> {
        tracing::warn!(project.id = %self.project, "project {} cannot be scanned: {reason}", self.project);
        scans::fail(&self.args.store, self.project, reason).await?;
        event_bus::nudge(&self.args.events);
        Ok(None)
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

/// Says what went wrong and why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
