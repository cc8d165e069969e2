//! The part of a scan that blocks: reads the files, changes the code index, and puts together what was found.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use chrono::{DateTime, Utc};

use super::{
    feed::Feed,
    outcome::{self, Seen},
};
use crate::{
    id::ProjectId,
    manifests::{self, File, Findings},
    scan::{self, CollectedFile, Options, Progress, Report, Snapshot, scores::RunningFacts},
    search::code::{self, CodeIndex, Removed, Update},
    store::scans::{Found, Outcome, Scan},
};

/// As much of a README is searched; what comes later is about details.
const README_BYTES: usize = 2000;

/// What is to be scanned, and what is known of it.
pub(super) struct Work<'a> {
    pub(super) project: ProjectId,
    pub(super) root: &'a Path,
    pub(super) index: &'a CodeIndex,
    /// What the last scan left in the database.
    pub(super) earlier: Option<Scan>,
    /// What the last scan left on the disk.
    pub(super) snapshot: PathBuf,
    /// Whether nothing that the last scan left is to be trusted.
    pub(super) is_full: bool,
    pub(super) running: RunningFacts,
    pub(super) now: DateTime<Utc>,
    /// BorgOS's own directory.
    pub(super) data_dir: &'a Path,
    pub(super) on_progress: &'a (dyn Fn(Progress) + Sync),
    pub(super) cancel: &'a AtomicBool,
}

/// What came of a scan.
pub(super) struct Scanned {
    pub(super) outcome: Outcome,
    pub(super) snapshot: Snapshot,
    /// Whether the snapshot is as the last one was.
    pub(super) is_unchanged: bool,
    /// The directories in which changes matter, relative to the root.
    pub(super) directories: Vec<PathBuf>,
}

/// Why nothing came of a scan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Scan(#[from] scan::Error),
    #[error("the code index cannot be changed")]
    Index(#[from] code::Error),
    #[error("the code index cannot be written")]
    Write(#[source] std::io::Error),
}

impl Work<'_> {
    /// Scans. When what is there proves to be damaged, everything is read anew.
    pub(super) fn run(mut self) -> Result<Scanned, Error> {
        match self.attempt() {
            Err(Error::Index(code::Error::NeedsRebuild { .. } | code::Error::Damaged { .. })) if !self.is_full => {
                self.is_full = true;
                self.attempt()
            }
            other => other,
        }
    }

    fn attempt(&self) -> Result<Scanned, Error> {
        let started = Instant::now();
        let feed = Feed::new(self.index.builder(self.project)?);
        let options = Options {
            now: self.now,
            wanted: is_wanted,
            sink: Some(&feed),
            on_progress: self.on_progress,
            excluded: Some(self.data_dir),
            cancel: self.cancel,
        };
        let previous = self.previous();
        let num_before = previous.as_ref().map(Snapshot::num_files);
        let (mut report, snapshot) = scan::scan(self.root, previous, &options)?;
        self.change_index(feed, &report, num_before.is_none())?;
        // What was read is new or changed, and if nothing was, fewer files mean that some are gone.
        let is_unchanged = report.num_read == 0 && num_before == Some(snapshot.num_files());
        let (manifests, readme) = self.manifests(report.manifest_files.take());
        let directories = std::mem::take(&mut report.directories);
        let seen = Seen {
            report: &report,
            manifests,
            readme,
            running: &self.running,
            snapshot: match self.known() {
                Some(known) if is_unchanged => known.snapshot,
                Some(_) | None => snapshot.id(),
            },
            started_at: self.now,
            duration: started.elapsed(),
        };
        Ok(Scanned {
            outcome: outcome::outcome(seen),
            snapshot,
            is_unchanged,
            directories,
        })
    }

    /// Returns what the last scan saw, if all that it left is still there.
    fn previous(&self) -> Option<Snapshot> {
        let known = self
            .known()
            .filter(|_| !self.is_full && self.index.is_whole(self.project))?;
        Snapshot::load(&self.snapshot).filter(|snapshot| snapshot.id() == known.snapshot)
    }

    /// Returns what the last scan that was kept had found.
    fn known(&self) -> Option<&Found> {
        self.earlier.as_ref()?.found.as_ref()
    }

    fn change_index(&self, feed: Feed, report: &Report, is_first: bool) -> Result<(), Error> {
        let shards = feed.finish().map_err(Error::Write)?;
        let removed = match is_first {
            true => Removed::Everything,
            false => Removed::Paths(report.removed.iter().map(PathBuf::from).collect()),
        };
        if !is_first && shards.is_empty() && report.removed.is_empty() {
            return Ok(());
        }
        self.index.replace(self.project, Update { shards, removed })?;
        self.index.compact(self.project)?;
        Ok(())
    }

    /// Reads the manifests, or takes what they said when they were as they are now.
    fn manifests(&self, files: Option<Vec<CollectedFile>>) -> (Findings, String) {
        let words = self.earlier.as_ref().and_then(|scan| scan.words.as_ref());
        match (files, self.known().zip(words)) {
            (None, Some((found, words))) => (found.manifests.clone(), words.readme.clone()),
            (files, _) => read(files.unwrap_or_default()),
        }
    }
}

fn is_wanted(path: &str) -> bool {
    manifests::is_wanted(path) || is_readme(path)
}

fn is_readme(path: &str) -> bool {
    !path.contains('/') && path.to_lowercase().starts_with("readme")
}

fn read(files: Vec<CollectedFile>) -> (Findings, String) {
    let mut contents: HashMap<String, Vec<u8>> = files.into_iter().map(|file| (file.path, file.content)).collect();
    let name = contents.keys().filter(|path| is_readme(path)).min().cloned();
    let readme = name.and_then(|name| contents.remove(&name)).unwrap_or_default();
    let mut files: Vec<File> = contents
        .into_iter()
        .map(|(path, content)| File { path, content })
        .collect();
    files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    let beginning = readme.get(..README_BYTES).unwrap_or(&readme);
    (manifests::read(&files), String::from_utf8_lossy(beginning).into_owned())
}
