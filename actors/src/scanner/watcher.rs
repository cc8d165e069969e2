//! Notices changes in the projects' directories, and tells of each project when nothing changed any more for a while.
//!
//! It is a thread, since the kernel's calls block. Only the directories that the last scan looked into are watched, so what
//! is ignored costs nothing. A project of which the kernel does not watch all is scanned now and then.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};

use crate::id::ProjectId;

/// As many changes may wait for the thread. Orders of the actor wait beside them: those are few, and none may be lost.
const MAX_CHANGES: usize = 4096;
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
    inputs: Sender<Input>,
    /// Set to end the thread.
    is_over: Arc<AtomicBool>,
}

/// What the kernel told and the thread has not taken yet.
#[derive(Debug, Default)]
struct Backlog {
    num_changes: AtomicUsize,
    /// Set when something was not told, so that anything may have changed.
    is_lossy: AtomicBool,
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
    Touched {
        path: PathBuf,
        is_moved: bool,
    },
}

impl Watcher {
    /// Starts the thread, which gives each project that changed to `tell`.
    ///
    /// # Errors
    /// Fails when the system gives no more threads.
    pub(super) fn start(tell: impl Fn(ProjectId) + Send + 'static) -> io::Result<Self> {
        let (inputs, outputs) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let backlog = Arc::new(Backlog::default());
        let mut watch = Watch {
            notifier: notifier(inputs.clone(), backlog.clone()),
            projects: HashMap::new(),
            owners: HashMap::new(),
            backlog,
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
        if self.inputs.send(input).is_err() {
            tracing::error!("the thread that watches the projects has ended; restart the actor `scanner`");
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Asks the kernel for events. Without it all projects are scanned now and then.
fn notifier(inputs: Sender<Input>, backlog: Arc<Backlog>) -> Option<RecommendedWatcher> {
    let take = move |event: notify::Result<Event>| match event {
        Ok(event) => backlog.take(event, &inputs),
        Err(_) => backlog.is_lossy.store(true, Ordering::Relaxed),
    };
    match notify::recommended_watcher(take) {
        Ok(notifier) => Some(notifier),
        Err(error) => {
            tracing::warn!(%error, "changes of files cannot be watched; projects are scanned every {POLL_EVERY:?}");
            None
        }
    }
}

impl Backlog {
    fn take(&self, event: Event, inputs: &Sender<Input>) {
        if event.need_rescan() {
            self.is_lossy.store(true, Ordering::Relaxed);
        }
        // Scans themselves open files.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let is_moved = matches!(
            event.kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
        );
        for path in event.paths {
            let has_room = self.num_changes.fetch_add(1, Ordering::Relaxed) < MAX_CHANGES;
            if !has_room || inputs.send(Input::Touched { path, is_moved }).is_err() {
                self.num_changes.fetch_sub(1, Ordering::Relaxed);
                self.is_lossy.store(true, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// What the thread knows.
struct Watch {
    notifier: Option<RecommendedWatcher>,
    projects: HashMap<ProjectId, Watched>,
    /// The projects that a directory belongs to; one may lie within another.
    owners: HashMap<PathBuf, Vec<ProjectId>>,
    backlog: Arc<Backlog>,
}

/// What is watched of a project.
struct Watched {
    /// Those that the kernel watches.
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
            Ok(Input::Touched { path, is_moved }) => {
                self.backlog.num_changes.fetch_sub(1, Ordering::Relaxed);
                self.touch(&path, is_moved);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Without a kernel's watcher nobody but the actor sends, and it has gone.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(patience),
        }
        if self.backlog.is_lossy.swap(false, Ordering::Relaxed) {
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

    fn touch(&mut self, path: &Path, is_moved: bool) {
        let now = Instant::now();
        let parent = path.parent().unwrap_or(path);
        for owners in [self.owners.get(path), self.owners.get(parent)].into_iter().flatten() {
            for project in owners {
                if let Some(watched) = self.projects.get_mut(project) {
                    watched.touch(now);
                }
            }
        }
        if is_moved {
            self.lose(path);
        }
    }

    /// Forgets a directory that was removed or renamed, and whose watch went with it: one of that name that comes back is
    /// another one.
    fn lose(&mut self, path: &Path) {
        for project in self.owners.remove(path).into_iter().flatten() {
            if let Some(watched) = self.projects.get_mut(&project) {
                watched.directories.remove(path);
            }
        }
    }

    fn watch(&mut self, project: ProjectId, directories: BTreeSet<PathBuf>) {
        let before = self.projects.remove(&project);
        let known = before
            .as_ref()
            .map_or_else(BTreeSet::new, |watched| watched.directories.clone());
        for gone in known.difference(&directories) {
            self.give_up(project, gone);
        }
        let num_wanted = directories.len();
        let now = Instant::now();
        let mut watched = Watched {
            directories: known.intersection(&directories).cloned().collect(),
            // What changed since the scan has looked still counts.
            changed: before.and_then(|watched| watched.changed),
            poll_at: None,
        };
        for path in directories.into_iter().take(MAX_DIRECTORIES) {
            if !watched.directories.contains(&path) && self.take_up(project, &path) {
                watched.directories.insert(path);
                // Nobody saw what changed in it while it was scanned.
                watched.touch(now);
            }
        }
        if watched.directories.len() < num_wanted {
            watched.poll_at = Some(now + POLL_EVERY);
        }
        self.projects.insert(project, watched);
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
        if let Some(owners) = self.owners.get_mut(path) {
            owners.push(project);
            return true;
        }
        let Some(notifier) = &mut self.notifier else {
            return false;
        };
        match notifier.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.owners.insert(path.to_owned(), vec![project]);
                true
            }
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a directory cannot be watched");
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

    /// Watches this directory, and waits for the change that comes with a new watch.
    fn watched(root: &Path) -> (Watcher, Receiver<ProjectId>) {
        let (told, tales) = channel();
        let watcher = Watcher::start(move |project| told.send(project).unwrap()).unwrap();
        watcher.watch(PROJECT, BTreeSet::from([root.to_owned()]));
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT));
        (watcher, tales)
    }

    #[test]
    fn a_project_is_told_of_once_when_its_files_have_come_to_rest() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("ignored")).unwrap();
        std::fs::write(root.path().join("first"), "1").unwrap();
        let (watcher, tales) = watched(root.path());
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
    fn a_directory_that_was_replaced_is_watched_again() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let both = BTreeSet::from([root.path().to_owned(), inner.clone()]);
        let (watcher, tales) = watched(root.path());
        watcher.watch(PROJECT, both.clone());
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT));
        std::fs::remove_dir(&inner).unwrap();
        std::fs::create_dir(&inner).unwrap();
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT));
        watcher.watch(PROJECT, both);
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT), "a watch is new");
        std::fs::write(inner.join("file"), "1").unwrap();
        assert_eq!(tales.recv_timeout(PATIENCE), Ok(PROJECT));
    }

    #[test]
    fn a_project_that_cannot_be_watched_is_polled_as_long_as_that_is_so() {
        let mut watch = Watch {
            notifier: None,
            projects: HashMap::new(),
            owners: HashMap::new(),
            backlog: Arc::default(),
        };
        for _ in 0..2 {
            watch.watch(PROJECT, BTreeSet::from([PathBuf::from("/nowhere")]));
            assert!(watch.projects[&PROJECT].due().is_some());
        }
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
