//! What lies in directories besides files with text.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    sync::atomic::AtomicBool,
};

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat};

use super::support::{Project, options, places, scan_directory};
use crate::scan::{Error, Kind, read, walk::walk, work::Work};

#[test]
fn links_are_not_followed_and_loops_end() {
    let outside = Project::new(&[("secret.rs", "fn a() {}\n")]);
    let project = Project::new(&[("src/a.rs", "fn a() {}\n")]);
    symlink(project.root(), project.path("src/loop")).unwrap();
    symlink(outside.root(), project.path("outside")).unwrap();
    symlink(outside.path("secret.rs"), project.path("b.rs")).unwrap();
    symlink("src/a.rs", project.path("README.md")).unwrap();
    let report = project.scan();
    assert_eq!((report.num_files, report.num_unreadable), (1, 0));
    assert_eq!(report.facts.readme.as_deref(), Some("README.md"));
}

#[test]
fn fifos_and_sockets_are_counted_and_never_opened() {
    let project = Project::new(&[("a.rs", "fn a() {}\n")]);
    mknodat(CWD, project.path("fifo.rs"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _listener = UnixListener::bind(project.path("socket.rs")).unwrap();
    let report = project.scan();
    assert_eq!((report.num_files, report.num_special), (1, 2));
}

#[test]
fn a_file_that_became_a_fifo_since_the_walk_is_not_waited_for() {
    let project = Project::new(&[]);
    mknodat(CWD, project.path("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert!(read::open(&project.path("fifo")).is_err());
}

#[test]
fn names_that_are_no_utf_8_are_reported_as_well_as_can_be() {
    let project = Project::new(&[]);
    fs::write(project.root().join(OsStr::from_bytes(b"a\xff.py")), "a = (\n").unwrap();
    let report = project.scan();
    assert_eq!(report.num_files, 1);
    assert_eq!(places(&report, Kind::Syntax), ["a\u{fffd}.py:2"]);
}

#[test]
fn what_cannot_be_read_is_counted_and_no_error() {
    let project = Project::new(&[("a.rs", "fn a() {}\n")]);
    // The superuser can read everything but what is too deep to be named.
    let name = "d".repeat(200);
    let mut directory = fs::File::open(project.root()).unwrap();
    for _ in 0..30 {
        mkdirat(&directory, name.as_str(), Mode::RWXU).unwrap();
        directory = openat(&directory, name.as_str(), OFlags::RDONLY, Mode::empty())
            .unwrap()
            .into();
    }
    let report = project.scan();
    assert_eq!(
        (report.num_files, report.num_unreadable, report.unreadable.len()),
        (1, 1, 1)
    );
}

#[test]
fn a_file_that_vanishes_during_the_scan_is_counted_and_no_error() {
    let project = Project::new(&[("a.rs", "fn a() {}\n")]);
    let cancel = AtomicBool::new(false);
    let options = options(None, &cancel);
    let walked = walk(project.root(), true, 1, &options);
    fs::remove_file(project.path("a.rs")).unwrap();
    let done = Work::new(project.root(), &options, &walked).run(&walked, None).unwrap();
    assert_eq!(
        (done.records.len(), &done.unreadable[..]),
        (0, &["a.rs".to_owned()][..])
    );
}

#[test]
fn binary_and_huge_files_are_not_read_as_text() {
    let project = Project::new(&[]);
    project.write("a.c", b"int a;\0int b;\n");
    let huge = fs::File::create(project.path("b.c")).unwrap();
    huge.set_len(10_000_000_000).unwrap();
    let report = project.scan();
    assert_eq!(
        (report.num_binary, report.num_too_large, report.languages.len()),
        (1, 1, 0)
    );
}

#[test]
fn a_directory_that_is_gone_is_an_error() {
    let project = Project::new(&[]);
    let cancel = AtomicBool::new(false);
    for path in [project.path("gone"), project.path("file")] {
        project.write("file", "");
        let result = scan_directory(&path, None, None, &cancel);
        assert!(matches!(result, Err(Error::Root { .. })));
    }
}

#[test]
fn a_cancelled_scan_ends_without_a_report() {
    let project = Project::new(&[("a.rs", "fn a() {}\n")]);
    let result = scan_directory(project.root(), None, None, &AtomicBool::new(true));
    assert!(matches!(result, Err(Error::Cancelled)));
}
