//! The work of a scan between its walk and its report: what changed is read, what did not is taken from the snapshot.

use std::{collections::HashMap, path::Path};

use rayon::prelude::*;

use super::{
    Error, Options, ScannedFile,
    language::{self, Language},
    progress::Meter,
    read::{self, Opened},
    record::{self, Content, Record},
    report::CollectedFile,
    snapshot::Snapshot,
    walk::{Entry, Walked},
};

/// Lock files are that large; what is too large for one of its kind, its reader says.
const MAX_MANIFEST_BYTES: u64 = 32 * 1024 * 1024;
const MAX_ALL_MANIFESTS_BYTES: usize = 64 * 1024 * 1024;

/// A scan that is about to read files.
pub(super) struct Work<'a> {
    root: &'a Path,
    options: &'a Options<'a>,
    meter: Meter<'a>,
}

/// What the work came to.
pub(super) struct Done {
    pub(super) records: HashMap<String, Record>,
    /// Paths of which the previous scan knew a text, and that have none any more.
    pub(super) removed: Vec<String>,
    pub(super) manifest_files: Option<Vec<CollectedFile>>,
    pub(super) num_read: usize,
    /// Files that could be seen and not be read.
    pub(super) unreadable: Vec<String>,
}

/// What the previous scan knew of the tree as it is now.
struct Sorted<'a> {
    unchanged: HashMap<String, Record>,
    changed: Vec<Changed<'a>>,
    /// Paths that the previous scan knew and that are gone.
    gone: Vec<String>,
}

/// A file that has to be read.
struct Changed<'a> {
    entry: &'a Entry,
    /// What the previous scan saw there.
    before: Option<Content>,
}

impl<'a> Work<'a> {
    pub(super) fn new(root: &'a Path, options: &'a Options<'a>, walked: &Walked) -> Self {
        let meter = Meter::new(options.on_progress, walked.entries.len());
        Self { root, options, meter }
    }

    /// Reads what changed, on the threads of the current pool.
    ///
    /// # Errors
    /// Fails when the scan is cancelled.
    pub(super) fn run(&self, walked: &Walked, previous: Option<Snapshot>) -> Result<Done, Error> {
        let is_first = previous.is_none();
        let sorted = self.sort_out(&walked.entries, previous.unwrap_or_default());
        let outcomes: Vec<Option<Record>> = sorted
            .changed
            .par_iter()
            .with_max_len(1)
            .map(|changed| self.examine(changed))
            .collect();
        self.options.check_cancelled()?;
        let is_wanted = |path: &String| (self.options.wanted)(path);
        let has_other_manifests = is_first
            || sorted.gone.iter().any(is_wanted)
            || sorted.changed.iter().any(|changed| is_wanted(&changed.entry.path));
        let manifest_files = has_other_manifests
            .then(|| self.collect_manifests(&walked.entries))
            .transpose()?;
        let mut done = Done {
            records: sorted.unchanged,
            removed: sorted.gone,
            manifest_files,
            num_read: self.meter.num_read(),
            unreadable: Vec::new(),
        };
        for (changed, outcome) in sorted.changed.iter().zip(outcomes) {
            done.add(changed, outcome);
        }
        done.removed.sort_unstable();
        Ok(done)
    }

    /// Tells what has to be read from what the previous scan knows.
    fn sort_out(&self, entries: &'a [Entry], mut previous: Snapshot) -> Sorted<'a> {
        let mut unchanged = HashMap::with_capacity(entries.len());
        let mut changed = Vec::new();
        for entry in entries {
            match previous.take_unchanged(&entry.path, &entry.stamp) {
                Some(record) => {
                    unchanged.insert(entry.path.clone(), record);
                    self.meter.add_done();
                }
                None => changed.push(Changed {
                    entry,
                    before: previous.forget(&entry.path),
                }),
            }
        }
        Sorted {
            unchanged,
            changed,
            gone: previous.into_remaining(),
        }
    }

    /// Reads a file, and gives it to all who want it. None when it cannot be read, or when nobody wants it any more.
    fn examine(&self, changed: &Changed<'_>) -> Option<Record> {
        self.options.check_cancelled().ok()?;
        let entry = changed.entry;
        let opened = read::open(&self.root.join(entry.real_path()));
        self.meter.add_read();
        let record = opened.ok().map(|opened| self.record(changed, &opened));
        self.meter.add_done();
        record
    }

    fn record(&self, changed: &Changed<'_>, opened: &Opened) -> Record {
        let path = changed.entry.path.as_str();
        if opened.kind != Content::Text {
            return Record::unread(path, opened.stamp, opened.kind);
        }
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let read = record::Read {
            path,
            stamp: opened.stamp,
            content: &opened.content,
            language: language::detect(name, &opened.file, &opened.content),
            is_manifest: self.is_collected(path, opened.stamp.size),
        };
        let record = record::examine(&read, self.options.cancel);
        self.pass_on(&read, &record, changed);
        record
    }

    fn pass_on(&self, read: &record::Read<'_>, record: &Record, changed: &Changed<'_>) {
        let Some(sink) = self.options.sink else {
            return;
        };
        if language::has_utf16_mark(read.content) {
            return;
        }
        sink.file(&ScannedFile {
            path: read.path,
            real_path: changed.entry.real_path(),
            content: read.content,
            size: read.stamp.size,
            mtime_ns: read.stamp.mtime_ns,
            language: record.language.map(Language::name),
            class: record.class,
            is_changed: changed.before.is_some(),
        });
    }

    fn is_collected(&self, path: &str, size: u64) -> bool {
        size <= MAX_MANIFEST_BYTES && (self.options.wanted)(path)
    }

    /// Reads all manifests, since what one of them says may depend on the others.
    fn collect_manifests(&self, entries: &[Entry]) -> Result<Vec<CollectedFile>, Error> {
        let mut files = Vec::new();
        let mut num_bytes = 0;
        for entry in entries
            .iter()
            .filter(|entry| self.is_collected(&entry.path, entry.stamp.size))
        {
            self.options.check_cancelled()?;
            // One that cannot be read is counted where it is read for itself.
            let Ok(opened) = read::open(&self.root.join(entry.real_path())) else {
                continue;
            };
            num_bytes += opened.content.len();
            if num_bytes > MAX_ALL_MANIFESTS_BYTES {
                break;
            }
            files.push(CollectedFile {
                path: entry.path.clone(),
                content: opened.content,
            });
        }
        Ok(files)
    }
}

impl Done {
    fn add(&mut self, changed: &Changed<'_>, outcome: Option<Record>) {
        let path = &changed.entry.path;
        let is_text = outcome.as_ref().is_some_and(|record| record.content == Content::Text);
        if changed.before == Some(Content::Text) && !is_text {
            self.removed.push(path.clone());
        }
        match outcome {
            Some(record) => drop(self.records.insert(path.clone(), record)),
            None => self.unreadable.push(path.clone()),
        }
    }
}
