//! Finds out what is in a project's directory: languages and lines, what is broken, what the scores are made of.
//!
//! One pass reads each file that changed since the last [`Snapshot`] once, on a bounded pool that leaves a core free, and
//! gives it to all who want it: the counter, the parsers, the search index ([`Sink`]) and the reader of manifests
//! ([`Options::wanted`]). Everything here blocks and belongs on a blocking thread; nothing here knows the database or the
//! actors. Nothing in a project is ever executed, followed out of it, or waited for.

mod artefact;
mod class;
mod conflict;
mod discover;
mod facts;
mod finding;
mod fixture;
mod function;
mod git;
mod language;
mod marker;
mod progress;
mod read;
mod record;
mod report;
pub mod scores;
mod secret;
mod snapshot;
mod syntax;
mod walk;
mod work;

#[cfg(test)]
mod tests;

pub use class::Class;
pub use discover::{Evidence, ProjectRoot, discover};
pub use facts::{ClassSize, Facts};
pub use finding::{Finding, Kind};
pub use function::FunctionSizes;
pub use git::GitFacts;
pub use language::Lines;
pub use progress::Progress;
pub use record::SeenFile;
pub use report::{CollectedFile, LanguageStats, Report};
pub use snapshot::{Snapshot, SnapshotId};

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use chrono::{DateTime, Utc};

use work::Work;

/// Parsers go deep into what is nested; the memory is only taken when they do.
const STACK_BYTES: usize = 256 * 1024 * 1024;
const MAX_THREADS: usize = 8;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is not there, or cannot be opened.
    #[error("cannot read the directory `{}`", path.display())]
    Root {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Someone set the flag.
    #[error("the scan was cancelled")]
    Cancelled,
    /// The machine gives no more threads.
    #[error("cannot start the threads of a scan")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}

/// A text as the scan read it.
#[derive(Debug, Clone, Copy)]
pub struct ScannedFile<'a> {
    /// The path below the root, with `/` between its parts and without what is no UTF-8.
    pub path: &'a str,
    /// The path below the root that can be opened.
    pub real_path: &'a Path,
    /// The whole content.
    pub content: &'a [u8],
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// tokei's name of its language.
    pub language: Option<&'a str>,
    /// What it is for.
    pub class: Class,
    /// Whether the last scan saw something else at this path; otherwise the path is new.
    pub is_changed: bool,
}

/// Wants each text that is new or changed, as it is read.
pub trait Sink: Sync {
    /// Takes one text; called from the threads of the scan, in no order.
    fn file(&self, file: &ScannedFile<'_>);
}

/// How to scan.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// When the scan begins.
    pub now: DateTime<Utc>,
    /// Tells whether the content of the file at this path is wanted in [`Report::manifest_files`].
    pub wanted: fn(&str) -> bool,
    /// Who else wants what is read.
    pub sink: Option<&'a dyn Sink>,
    /// Told how far the scan is, from its threads and at most every 200 ms.
    pub on_progress: &'a (dyn Fn(Progress) + Sync),
    /// A directory that is never looked into: BorgOS's own, whose files are nobody's code.
    pub excluded: Option<&'a Path>,
    /// Ends the scan when set.
    pub cancel: &'a AtomicBool,
}

impl Options<'_> {
    /// # Errors
    /// Fails when the scan was cancelled.
    fn check_cancelled(&self) -> Result<(), Error> {
        match self.cancel.load(Ordering::Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// Scans a directory, and reads only what changed since the previous scan of it.
///
/// # Errors
/// Fails when the directory is gone, when the scan is cancelled, and when no threads can be started. Files that cannot be read
/// are counted in the report and no error.
pub fn scan(root: &Path, previous: Option<Snapshot>, options: &Options<'_>) -> Result<(Report, Snapshot), Error> {
    let gone = |cause| Error::Root {
        path: root.to_owned(),
        cause,
    };
    let real_root = root.canonicalize().map_err(gone)?;
    std::fs::read_dir(&real_root).map_err(gone)?;
    if options.excluded.is_some_and(|excluded| real_root.starts_with(excluded)) {
        return Err(gone(io::Error::other("it is part of BorgOS's own data")));
    }
    let num_threads = num_threads();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(num_threads)
        .stack_size(STACK_BYTES)
        .build();
    let pool = pool.map_err(Error::Threads)?;
    let is_repository = git::is_repository(&real_root);
    let (mut walked, git) = thread::scope(|scope| {
        let asked = is_repository.then(|| scope.spawn(|| git::ask(&real_root, options.now, options.cancel)));
        let walked = walk::walk(&real_root, is_repository, num_threads, options);
        // A thread that panicked knows nothing of git; what it found wrong is in the log.
        let git = asked.and_then(|asked| asked.join().ok()).unwrap_or_default();
        (walked, git)
    });
    walk::add_tracked(&mut walked, &real_root, &git.tracked_though_ignored);
    options.check_cancelled()?;
    let work = Work::new(&real_root, options, &walked);
    let done = pool.install(|| work.run(&walked, previous))?;
    // A root that vanished meanwhile must not look like a project that is empty now.
    std::fs::read_dir(&real_root).map_err(gone)?;
    for path in &done.unreadable {
        walked.add_unreadable(path.clone());
    }
    let (report, records) = report::assemble(&walked, done, git.facts);
    let taken_ns = options.now.timestamp_nanos_opt().unwrap_or(0);
    Ok((report, Snapshot::new(taken_ns, records)))
}

/// Leaves one core to everything else.
fn num_threads() -> usize {
    let num_cores = thread::available_parallelism().map_or(1, usize::from);
    num_cores.saturating_sub(1).clamp(1, MAX_THREADS)
}
