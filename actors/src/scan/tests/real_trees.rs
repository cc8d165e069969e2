//! Trees that are at hand: nothing in them is broken but what is broken on purpose.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

use super::{counts, support::scan_directory};
use crate::scan::{
    Finding, Kind,
    record::{self, Read},
    snapshot::Stamp,
};

/// As many as a build without optimisation gets through in a few seconds.
const MAX_CRATE_FILES: usize = 1_000;
const NUM_COUNTED_CRATES: usize = 40;
/// Larger crates hold generated tables, which take long and are all alike.
const MAX_COUNTED_BYTES: u64 = 1_000_000;

/// Finds Python's standard library, or says why not.
fn python_library() -> Option<PathBuf> {
    let script = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_dir().then_some(path)
}

fn skip(reason: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "skipped: {reason}").unwrap();
}

#[test]
fn pythons_standard_library_has_no_syntax_error_but_its_own_bad_files() {
    let Some(library) = python_library() else {
        return skip("there is no python3");
    };
    let (report, _) = scan_directory(&library, None, None, &AtomicBool::new(false)).unwrap();
    let python = report
        .languages
        .iter()
        .find(|stats| stats.language == "Python")
        .unwrap();
    assert!(python.num_files > 300, "{python:?}");
    let serious: Vec<&Finding> = report
        .errors
        .iter()
        .filter(|finding| finding.kind == Kind::Syntax && !finding.is_fixture)
        .collect();
    assert_eq!(serious, Vec::<&Finding>::new());
}

#[test]
fn pythons_standard_library_has_as_many_lines_as_tokei_counts() {
    let Some(library) = python_library() else {
        return skip("there is no python3");
    };
    for part in ["json", "asyncio", "email", "xml", "idlelib"] {
        if library.join(part).is_dir() {
            counts::check(&library.join(part));
        }
    }
}

/// Lists Rust files below a directory, up to a number.
fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        if files.len() >= MAX_CRATE_FILES {
            return;
        }
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Finds the directory in which Cargo keeps the sources of crates, one directory for each registry.
fn crate_sources() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
    Some(home.join("registry/src")).filter(|sources| sources.is_dir())
}

fn num_bytes(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let sizes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => num_bytes(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    sizes.sum()
}

#[test]
fn crates_have_as_many_lines_as_tokei_counts() {
    let Some(sources) = crate_sources() else {
        return skip("Cargo has no sources of crates");
    };
    let registries = fs::read_dir(sources).unwrap().map(|entry| entry.unwrap().path());
    let mut crates: Vec<PathBuf> = registries
        .flat_map(|registry| fs::read_dir(registry).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    crates.sort();
    let step = crates.len().div_ceil(NUM_COUNTED_CRATES).max(1);
    for directory in crates.iter().step_by(step) {
        if num_bytes(directory) <= MAX_COUNTED_BYTES {
            counts::check(directory);
        }
    }
}

#[test]
fn crates_that_compile_have_no_syntax_error() {
    let Some(sources) = crate_sources() else {
        return skip("Cargo has no sources of crates");
    };
    let mut files = Vec::new();
    rust_files(&sources, &mut files);
    for path in &files {
        let relative = path.strip_prefix(&sources).unwrap().to_string_lossy();
        let content = fs::read(path).unwrap();
        let read = Read {
            path: &relative,
            stamp: Stamp::default(),
            content: &content,
            language: Some(tokei::LanguageType::Rust),
            is_manifest: false,
        };
        let record = record::examine(&read, &AtomicBool::new(false));
        let serious: Vec<_> = record.issues.iter().filter(|issue| !issue.is_fixture).collect();
        assert!(serious.is_empty(), "{relative}: {serious:?}");
    }
}
