//! Notices changes in the projects' directories, and tells of each project when nothing changed any more for a while.
//!
//! It is a thread, since the kernel's calls block. Only the directories that the last scan saw files in are watched, so
//! what is ignored costs nothing. Where the kernel watches no more directories, the project is scanned now and then.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::id::ProjectId;

/// As much may wait for the thread.
const CAPACITY: usize = 4096;
/// So long nothing must change before a project is scanned.
const QUIET: Duration = Duration::from_secs(1);
/// Even a project that changes all the time is scanned that often.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A project that cannot be watched is scanned that often.
const POLL_EVERY: Duration = Duration::from_secs(600);
/// More directories of one project are not watched.
const MAX_DIRECTORIES: usize = 10_000;
/// How soon the thread notices its end.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the thread; it ends when this is dropped.
pub(super) struct Watcher {
    inputs: SyncSender<Input>,
    /// Set to end the thread.
    is_over: Arc<AtomicBool>,
}

enum Input {
    Watch {
        project: ProjectId,
        directories: BTreeSet<PathBuf>,
    },
    Leave {
        project: ProjectId,
    },
    /// Something has changed at this path.
    Touched(PathBuf),
}

impl Watcher {
    /// Starts the thread, which gives each project that changed to `tell`.
    ///
    /// # Errors
    /// Fails when the system gives no more threads.
    pub(super) fn start(tell: impl Fn(ProjectId) + Send + 'static) -> io::Result<Self> {
        let (inputs, outputs) = sync_channel(CAPACITY);
        let is_over = Arc::new(AtomicBool::new(false));
        let is_lossy = Arc::new(AtomicBool::new(false));
        let mut watch = Watch {
            notifier: notifier(inputs.clone(), is_lossy.clone()),
            projects: HashMap::new(),
            owners: HashMap::new(),
            is_lossy,
        };
        let ended = is_over.clone();
        let run = move || {
            while !ended.load(Ordering::Relaxed) {
                watch.step(&outputs, &tell);
            }
        };
        thread::Builder::new().name("watcher".to_owned()).spawn(run)?;
        Ok(Self { inputs, is_over })
    }

    /// Watches these directories of a project, instead of those that were watched for it before.
    pub(super) fn watch(&self, project: ProjectId, directories: BTreeSet<PathBuf>) {
        self.send(Input::Watch { project, directories });
    }

    /// Watches a project no more.
    pub(super) fn leave(&self, project: ProjectId) {
        self.send(Input::Leave { project });
    }

    fn send(&self, input: Input) {
        if let Err(error) = self.inputs.try_send(input) {
            tracing::warn!(%error, "a change of what is watched was lost; the next scan of the project makes up for it");
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Asks the kernel for events. Without it all projects are scanned now and then.
fn notifier(inputs: SyncSender<Input>, is_lossy: Arc<AtomicBool>) -> Option<RecommendedWatcher> {
    let take = move |event: notify::Result<Event>| {
        let Ok(event) = event else {
            return;
        };
        // Scans themselves open files.
        let paths = match event.kind {
            EventKind::Access(_) => Vec::new(),
            _ => event.paths.clone(),
        };
        let is_full = paths
            .into_iter()
            .any(|path| inputs.try_send(Input::Touched(path)).is_err());
        if is_full || event.need_rescan() {
            is_lossy.store(true, Ordering::Relaxed);
        }
    };
    match notify::recommended_watcher(take) {
        Ok(notifier) => Some(notifier),
        Err(error) => {
            tracing::warn!(%error, "changes of files cannot be watched; projects are scanned every {POLL_EVERY:?}");
            None
        }
    }
}

/// What the thread knows.
struct Watch {
    notifier: Option<RecommendedWatcher>,
    projects: HashMap<ProjectId, Watched>,
    /// The projects that a directory belongs to; one may lie within another.
    owners: HashMap<PathBuf, Vec<ProjectId>>,
    /// Set when the kernel or the queue had no room for an event.
    is_lossy: Arc<AtomicBool>,
}

/// What is watched of a project.
struct Watched {
    directories: BTreeSet<PathBuf>,
    /// Since when something changes, and when something changed last.
    changed: Option<(Instant, Instant)>,
    /// When it is scanned although nothing was seen to change, if it cannot be watched.
    poll_at: Option<Instant>,
}

impl Watched {
    fn touch(&mut self, now: Instant) {
        let since = self.changed.map_or(now, |(since, _)| since);
        self.changed = Some((since, now));
    }

    /// Returns when the project is to be scanned, if it is.
    fn due(&self) -> Option<Instant> {
        let quiet = self
            .changed
            .map(|(since, last)| (last + QUIET).min(since + LONGEST_WAIT));
        [quiet, self.poll_at].into_iter().flatten().min()
    }

    /// Begins to wait anew.
    fn settle(&mut self, now: Instant) {
        self.changed = None;
        self.poll_at = self.poll_at.map(|_| now + POLL_EVERY);
    }
}

impl Watch {
    /// Takes one input, or the time that it took not to come, and tells what is due.
    fn step(&mut self, inputs: &Receiver<Input>, tell: &dyn Fn(ProjectId)) {
        let now = Instant::now();
        let due = self.projects.values().filter_map(Watched::due).min();
        let patience = due
            .map_or(LOOK_EVERY, |due| due.saturating_duration_since(now))
            .min(LOOK_EVERY);
        match inputs.recv_timeout(patience) {
            Ok(Input::Watch { project, directories }) => self.watch(project, directories),
            Ok(Input::Leave { project }) => self.leave(project),
            Ok(Input::Touched(path)) => self.touch(&path),
            Err(RecvTimeoutError::Timeout) => {}
            // Without a kernel's watcher nobody but the actor sends, and it has gone.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(patience),
        }
        if self.is_lossy.swap(false, Ordering::Relaxed) {
            self.projects.values_mut().for_each(|watched| watched.touch(now));
        }
        self.tell_due(tell);
    }

    fn tell_due(&mut self, tell: &dyn Fn(ProjectId)) {
        let now = Instant::now();
        for (project, watched) in &mut self.projects {
            if watched.due().is_some_and(|due| due <= now) {
                watched.settle(now);
                tell(*project);
            }
        }
    }

    fn touch(&mut self, path: &Path) {
        let now = Instant::now();
        let parent = path.parent().unwrap_or(path);
        for owners in [self.owners.get(path), self.owners.get(parent)].into_iter().flatten() {
            for project in owners {
                if let Some(watched) = self.projects.get_mut(project) {
                    watched.touch(now);
                }
            }
        }
    }

    fn watch(&mut self, project: ProjectId, directories: BTreeSet<PathBuf>) {
        let before = self.projects.remove(&project);
        let known = before.as_ref().map(|watched| &watched.directories);
        for gone in known.into_iter().flatten().filter(|path| !directories.contains(*path)) {
            self.give_up(project, gone);
        }
        let is_watched = directories.len() <= MAX_DIRECTORIES
            && directories
                .iter()
                .filter(|path| known.is_none_or(|known| !known.contains(*path)))
                .all(|path| self.take_up(project, path));
        self.projects.insert(
            project,
            Watched {
                directories,
                // What changed since the scan has looked still counts.
                changed: before.and_then(|watched| watched.changed),
                poll_at: (!is_watched).then(|| Instant::now() + POLL_EVERY),
            },
        );
    }

    fn leave(&mut self, project: ProjectId) {
        for path in self
            .projects
            .remove(&project)
            .into_iter()
            .flat_map(|watched| watched.directories)
        {
            self.give_up(project, &path);
        }
    }

    /// Returns whether the kernel watches the directory.
    fn take_up(&mut self, project: ProjectId, path: &Path) -> bool {
        let owners = self.owners.entry(path.to_owned()).or_default();
        let is_new = owners.is_empty();
        owners.push(project);
        let Some(notifier) = &mut self.notifier else {
            return false;
        };
        match is_new.then(|| notifier.watch(path, RecursiveMode::NonRecursive)) {
            None | Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::info!(path = %path.display(), %error, "a directory cannot be watched");
                false
            }
        }
    }

    fn give_up(&mut self, project: ProjectId, path: &Path) {
        let Some(owners) = self.owners.get_mut(path) else {
            return;
        };
        owners.retain(|owner| *owner != project);
        if owners.is_empty() {
            self.owners.remove(path);
            if let Some(notifier) = &mut self.notifier {
                // An error means that the directory is gone, and the watch with it.
                let _ = notifier.unwatch(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const PROJECT: ProjectId = ProjectId(1);
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_project_is_told_of_once_when_its_files_have_come_to_rest() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("ignored")).unwrap();
        let (told, tales) = channel();
        let watcher = Watcher::start(move |project| told.send(project).unwrap()).unwrap();
        watcher.watch(PROJECT, BTreeSet::from([root.path().to_owned()]));
        // The watch begins some time after it was asked for, so a first change shows that it has.
        let begun = Instant::now();
        while tales.try_recv().is_err() {
            std::fs::write(root.path().join("first"), "1").unwrap();
            thread::sleep(QUIET + LOOK_EVERY);
            assert!(begun.elapsed() < PATIENCE);
        }
        std::fs::write(root.path().join("ignored/file"), "1").unwrap();
        std::fs::read(root.path().join("first")).unwrap();
        assert!(tales.recv_timeout(QUIET * 3).is_err());
        for number in 0..20 {
            std::fs::write(root.path().join(format!("{number}")), "1").unwrap();
        }
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT));
        assert!(tales.recv_timeout(QUIET * 3).is_err());
        watcher.leave(PROJECT);
        std::fs::write(root.path().join("last"), "1").unwrap();
        assert!(tales.recv_timeout(QUIET * 3).is_err());
    }

    #[test]
    fn a_project_that_changes_all_the_time_is_told_of_now_and_then() {
        let now = Instant::now();
        let mut watched = Watched {
            directories: BTreeSet::new(),
            changed: None,
            poll_at: None,
        };
        assert_eq!(watched.due(), None);
        for second in 0..=LONGEST_WAIT.as_secs() {
            watched.touch(now + Duration::from_secs(second));
        }
        assert_eq!(watched.due(), Some(now + LONGEST_WAIT));
        watched.settle(now);
        assert_eq!(watched.due(), None);
    }
}
