//! A project's directory, and scans of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use chrono::{TimeDelta, Utc};
use tempfile::TempDir;

use crate::scan::{Error, Finding, Kind, Options, Progress, Report, Sink, Snapshot, scan};

/// A directory with files.
pub(super) struct Project {
    directory: TempDir,
}

impl Project {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for (path, content) in files {
            project.write(path, content);
        }
        project
    }

    pub(super) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn scan(&self) -> Report {
        self.scan_from(None, None).0
    }

    /// Scans as if a minute had passed since the files were written.
    pub(super) fn scan_from(&self, previous: Option<Snapshot>, sink: Option<&dyn Sink>) -> (Report, Snapshot) {
        scan_directory(self.root(), previous, sink, &AtomicBool::new(false)).unwrap()
    }
}

pub(super) fn options<'a>(sink: Option<&'a dyn Sink>, cancel: &'a AtomicBool) -> Options<'a> {
    Options {
        now: Utc::now() + TimeDelta::minutes(1),
        wanted: |path| path.ends_with("Cargo.toml") || path.ends_with("package.json"),
        sink,
        on_progress: &|_: Progress| {},
        excluded: None,
        cancel,
    }
}

pub(super) fn scan_directory(
    root: &Path,
    previous: Option<Snapshot>,
    sink: Option<&dyn Sink>,
    cancel: &AtomicBool,
) -> Result<(Report, Snapshot), Error> {
    scan(root, previous, &options(sink, cancel))
}

/// Lists the findings of a kind as `path:line`, a fixture's with a `?`.
pub(super) fn places(report: &Report, kind: Kind) -> Vec<String> {
    let of_kind = report.errors.iter().filter(|finding| finding.kind == kind);
    let place = |finding: &Finding| {
        format!(
            "{}:{}{}",
            finding.file,
            finding.line,
            if finding.is_fixture { "?" } else { "" }
        )
    };
    of_kind.map(place).collect()
}
