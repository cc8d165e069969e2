//! Which files a project has: its tree as `.gitignore` leaves it, joined with what git tracks all the same.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Options, artefact, snapshot::Stamp};

/// A project has no more; a tree that has is a mistake, or an attack on memory.
const MAX_ENTRIES: usize = 2_000_000;
const MAX_DEPTH: usize = 200;
const MAX_NAMED: usize = 100;
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".jj"];

/// A file as the walk saw it.
#[derive(Debug)]
pub(super) struct Entry {
    /// Below the root, with `/` between its parts, and without what is no UTF-8.
    pub(super) path: String,
    /// The path as it is, where it is no UTF-8.
    raw: Option<PathBuf>,
    pub(super) stamp: Stamp,
}

impl Entry {
    fn new(relative: &Path, metadata: &Metadata) -> Self {
        Self {
            path: relative.to_string_lossy().into_owned(),
            raw: relative.to_str().is_none().then(|| relative.to_owned()),
            stamp: Stamp::of(metadata),
        }
    }

    /// Returns the path below the root that can be opened.
    pub(super) fn real_path(&self) -> &Path {
        self.raw.as_deref().unwrap_or(Path::new(&self.path))
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The files, sorted by path.
    pub(super) entries: Vec<Entry>,
    /// The directories that were looked into, the root among them as an empty path.
    pub(super) directories: Vec<PathBuf>,
    /// Symbolic links in the root, by name. No link is ever followed.
    pub(super) root_links: Vec<String>,
    /// Directories that a build or an installation made, and that no `.gitignore` names.
    pub(super) artefacts: Vec<String>,
    /// How many files and directories could not be read, and the first of them.
    pub(super) num_unreadable: usize,
    pub(super) unreadable: Vec<String>,
    /// FIFOs, sockets and devices; they are never opened.
    pub(super) num_special: usize,
    /// Whether there was more than a scan looks at.
    pub(super) is_truncated: bool,
}

impl Walked {
    pub(super) fn add_unreadable(&mut self, path: String) {
        self.num_unreadable += 1;
        if self.unreadable.len() < MAX_NAMED {
            self.unreadable.push(path);
        }
    }
}

/// Walks a tree with so many threads until it ends or is cancelled.
///
/// Without a repository nobody says which ignored files matter. So when the rules leave almost nothing of the root, as those
/// of a packaged source tree do, the tree is walked again without them.
pub(super) fn walk(root: &Path, is_tracked: bool, num_threads: usize, options: &Options<'_>) -> Walked {
    let walked = walk_with(root, true, num_threads, options);
    if is_tracked || !is_almost_empty(root, &walked) {
        return walked;
    }
    walk_with(root, false, num_threads, options)
}

/// Adds the files that git tracks although they are ignored.
pub(super) fn add_tracked(walked: &mut Walked, root: &Path, tracked: &[PathBuf]) {
    for relative in tracked {
        // A path of the index cannot leave the tree, but a directory on its way can have become a link since.
        let has_link = relative
            .ancestors()
            .skip(1)
            .any(|parent| root.join(parent).is_symlink());
        match fs::symlink_metadata(root.join(relative)) {
            Ok(metadata) if metadata.is_file() && !has_link => walked.entries.push(Entry::new(relative, &metadata)),
            Ok(_) | Err(_) => {}
        }
    }
    sort(&mut walked.entries);
}

fn sort(entries: &mut Vec<Entry>) {
    entries.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    entries.dedup_by(|left, right| left.real_path() == right.real_path());
}

/// Tells whether less than a tenth of what is in the root was walked.
fn is_almost_empty(root: &Path, walked: &Walked) -> bool {
    let Ok(listing) = fs::read_dir(root) else {
        return false;
    };
    let num_listed = listing
        .flatten()
        .filter(|entry| !is_version_control(&entry.file_name().to_string_lossy()))
        .count();
    let mut kept: Vec<&str> = walked
        .entries
        .iter()
        .filter_map(|entry| entry.path.split('/').next())
        .collect();
    kept.dedup();
    let num_kept =
        kept.len() + walked.artefacts.iter().filter(|path| !path.contains('/')).count() + walked.root_links.len();
    num_kept * 10 < num_listed
}

fn is_version_control(name: &str) -> bool {
    VERSION_CONTROL.contains(&name)
}

fn walk_with(root: &Path, honours_rules: bool, num_threads: usize, options: &Options<'_>) -> Walked {
    let found = Mutex::new(Walked::default());
    let num_seen = AtomicUsize::new(0);
    let artefacts = std::sync::Arc::new(Mutex::new(Vec::new()));
    let excluded = options.excluded.map(Path::to_owned);
    builder(root, honours_rules, num_threads, excluded, artefacts.clone())
        .build_parallel()
        .run(|| {
            Box::new(|entry| {
                let is_full = num_seen.fetch_add(1, Ordering::Relaxed) >= MAX_ENTRIES;
                if is_full || options.cancel.load(Ordering::Relaxed) {
                    lock(&found).is_truncated |= is_full;
                    return WalkState::Quit;
                }
                visit(root, entry, &found);
                WalkState::Continue
            })
        });
    let mut walked = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    walked.artefacts = std::mem::take(&mut lock(&artefacts));
    walked.artefacts.sort_unstable();
    walked.root_links.sort_unstable();
    walked.unreadable.sort_unstable();
    sort(&mut walked.entries);
    walked
}

fn builder(
    root: &Path,
    honours_rules: bool,
    num_threads: usize,
    excluded: Option<PathBuf>,
    artefacts: std::sync::Arc<Mutex<Vec<String>>>,
) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    let base = root.to_owned();
    builder
        .hidden(false)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        .threads(num_threads)
        .require_git(false)
        .git_global(false)
        .git_ignore(honours_rules)
        .git_exclude(honours_rules)
        .ignore(honours_rules)
        .parents(honours_rules)
        .filter_entry(move |entry| excluded.as_deref() != Some(entry.path()) && is_wanted(&base, entry, &artefacts));
    builder
}

/// Keeps the walk out of version control and of what a build or an installation made.
fn is_wanted(root: &Path, entry: &DirEntry, artefacts: &Mutex<Vec<String>>) -> bool {
    let name = entry.file_name().to_string_lossy();
    if entry.depth() == 0 {
        return true;
    }
    if is_version_control(&name) {
        return false;
    }
    let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_directory || !artefact::is_directory(entry.path(), &name) {
        return true;
    }
    let mut artefacts = lock(artefacts);
    if artefacts.len() < MAX_NAMED {
        artefacts.push(relative(root, entry.path()).to_string_lossy().into_owned());
    }
    false
}

fn visit(root: &Path, entry: Result<DirEntry, ignore::Error>, found: &Mutex<Walked>) {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return lock(found).add_unreadable(path_of(root, &error)),
    };
    let relative = relative(root, entry.path());
    let Some(kind) = entry.file_type() else {
        return;
    };
    if kind.is_dir() {
        let mut found = lock(found);
        found.is_truncated |= entry.depth() >= MAX_DEPTH;
        found.directories.push(relative.to_owned());
    } else if kind.is_symlink() {
        if entry.depth() == 1 {
            lock(found).root_links.push(relative.to_string_lossy().into_owned());
        }
    } else if kind.is_file() {
        match entry.metadata() {
            Ok(metadata) => lock(found).entries.push(Entry::new(relative, &metadata)),
            Err(_) => lock(found).add_unreadable(relative.to_string_lossy().into_owned()),
        }
    } else {
        lock(found).num_special += 1;
    }
}

fn relative<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Finds the path that an error is about.
fn path_of(root: &Path, error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => relative(root, path).to_string_lossy().into_owned(),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(root, err),
        _ => error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stamp {
    /// Reads the stamp of a file.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}
