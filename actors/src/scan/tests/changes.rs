//! A second scan reads what changed and nothing else.

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::support::{Project, scan_directory};
use crate::scan::{Class, Error, ScannedFile, Sink, Snapshot};

/// Writes down what it is given.
#[derive(Default)]
struct Recorder(Mutex<Vec<(String, bool, Class)>>);

impl Recorder {
    fn take(&self) -> Vec<(String, bool, Class)> {
        let mut seen = std::mem::take(&mut *self.0.lock().unwrap());
        seen.sort();
        seen
    }
}

impl Sink for Recorder {
    fn file(&self, file: &ScannedFile<'_>) {
        assert_eq!(file.size, file.content.len() as u64);
        self.0
            .lock()
            .unwrap()
            .push((file.path.to_owned(), file.is_changed, file.class));
    }
}

#[test]
fn only_what_changed_is_read_again_and_the_report_is_the_same() {
    let project = Project::new(&[
        ("src/a.rs", "fn a() {\n"),
        ("src/b.rs", "// TODO: b\nfn b() {}\n"),
        ("c.bin", "\0"),
        ("Cargo.toml", "[package]\n"),
    ]);
    let recorder = Recorder::default();
    let (first, snapshot) = project.scan_from(None, Some(&recorder));
    assert_eq!((first.num_read, recorder.take().len()), (4, 3));
    assert_eq!(first.manifest_files.as_ref().map(Vec::len), Some(1));
    let (second, snapshot) = project.scan_from(Some(snapshot), Some(&recorder));
    assert_eq!((second.num_read, recorder.take()), (0, Vec::new()));
    assert_eq!(
        (&second.errors, &second.facts, &second.languages),
        (&first.errors, &first.facts, &first.languages)
    );
    assert_eq!(second.manifest_files, None);
    project.write("src/b.rs", "fn b() {}\n");
    project.write("src/new.rs", "fn new() {}\n");
    fs::remove_file(project.path("src/a.rs")).unwrap();
    let (third, _) = project.scan_from(Some(snapshot), Some(&recorder));
    let expected = [
        ("src/b.rs".to_owned(), true, Class::Source),
        ("src/new.rs".to_owned(), false, Class::Source),
    ];
    assert_eq!(recorder.take(), expected);
    assert_eq!((third.num_read, third.removed), (2, vec!["src/a.rs".to_owned()]));
    assert_eq!(third.facts.num_todos, 0);
}

#[test]
fn a_text_that_became_something_else_is_removed() {
    let project = Project::new(&[("a.rs", "fn a() {}\n")]);
    let (_, snapshot) = project.scan_from(None, None);
    project.write("a.rs", b"\0\0");
    let (report, _) = project.scan_from(Some(snapshot), None);
    assert_eq!(report.removed, ["a.rs"]);
}

#[test]
fn a_changed_manifest_brings_all_manifests() {
    let project = Project::new(&[("Cargo.toml", "[package]\n"), ("web/package.json", "{}\n")]);
    let (_, snapshot) = project.scan_from(None, None);
    project.write("Cargo.toml", "[workspace]\n");
    let (report, _) = project.scan_from(Some(snapshot), None);
    let files = report.manifest_files.unwrap();
    let paths: Vec<_> = files
        .iter()
        .map(|file| (file.path.as_str(), file.content.as_slice()))
        .collect();
    assert_eq!(
        paths,
        [("Cargo.toml", &b"[workspace]\n"[..]), ("web/package.json", b"{}\n")]
    );
}

#[test]
fn a_saved_snapshot_spares_as_much_as_one_in_memory() {
    let project = Project::new(&[("a.py", "print 'a'\n"), ("b.md", "# b\n```rust\nfn c() {}\n```\n")]);
    let (first, snapshot) = project.scan_from(None, None);
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("snapshot");
    snapshot.save(&path).unwrap();
    let (second, _) = project.scan_from(Snapshot::load(&path), None);
    assert_eq!(
        (second.num_read, second.errors, second.languages),
        (0, first.errors, first.languages)
    );
}

#[test]
fn a_running_scan_can_be_cancelled() {
    /// Cancels at the first file.
    struct Canceller<'a>(&'a AtomicBool, Mutex<u32>);
    impl Sink for Canceller<'_> {
        fn file(&self, _: &ScannedFile<'_>) {
            *self.1.lock().unwrap() += 1;
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let files: Vec<_> = (0..500)
        .map(|number| (format!("{number}.rs"), "fn a() {}\n".repeat(200)))
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_str()))
        .collect();
    let project = Project::new(&files);
    let cancel = AtomicBool::new(false);
    let canceller = Canceller(&cancel, Mutex::new(0));
    let started = std::time::Instant::now();
    let result = scan_directory(project.root(), None, Some(&canceller), &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    let num_read = *canceller.1.lock().unwrap();
    assert!(
        num_read < 100 && started.elapsed() < Duration::from_secs(20),
        "{num_read}"
    );
}
