//! What the scanner does with a project, without rows and events.

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use borgos_actors::{
    manifests,
    scan::{self, Options, Report, ScannedFile, Sink, Snapshot},
    search::code::{Class, CodeIndex, Removed, ShardBuilder, SourceFile, Update},
};
use chrono::Utc;

use crate::{NEVER, PROJECT};

/// Feeds the index.
struct Feed {
    builder: ShardBuilder,
    failure: Mutex<Option<io::Error>>,
}

impl Sink for Feed {
    fn file(&self, file: &ScannedFile<'_>) {
        let added = self.builder.add(&SourceFile {
            path: file.real_path,
            size: file.size,
            mtime_ns: file.mtime_ns,
            language: file.language.unwrap_or_default(),
            class: Class::of_path(file.real_path),
            content: file.content,
        });
        if let Err(error) = added {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
    }
}

/// Scans as if for the first time, indexes what it reads, and reads the manifests.
pub(super) fn scan_all(root: &Path, index: &CodeIndex, snapshot: &Path) -> Result<()> {
    let feed = Feed {
        builder: index.builder(PROJECT)?,
        failure: Mutex::default(),
    };
    let (report, seen) = scan_with(root, None, Some(&feed))?;
    if let Some(error) = feed.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error.into());
    }
    let update = Update {
        shards: feed.builder.finish()?.shards,
        removed: Removed::Everything,
    };
    index.replace(PROJECT, update)?;
    seen.save(snapshot)?;
    let files = report.manifest_files.context("the manifests were not collected")?;
    let files = files.into_iter().map(|file| manifests::File {
        path: file.path,
        content: file.content,
    });
    manifests::read(&files.collect::<Vec<_>>());
    Ok(())
}

/// Scans again; nothing may have changed since, so there is nothing new to keep.
pub(super) fn scan_again(root: &Path, snapshot: &Path) -> Result<()> {
    let previous = Snapshot::load(snapshot).context("there was no scan before")?;
    let (report, _) = scan_with(root, Some(previous), None)?;
    ensure!(report.num_read == 0, "{} files were read again", report.num_read);
    Ok(())
}

fn scan_with(root: &Path, previous: Option<Snapshot>, sink: Option<&dyn Sink>) -> Result<(Report, Snapshot)> {
    let options = Options {
        now: Utc::now(),
        wanted: manifests::is_wanted,
        sink,
        on_progress: &|_| {},
        excluded: None,
        cancel: &NEVER,
    };
    Ok(scan::scan(root, previous, &options)?)
}
