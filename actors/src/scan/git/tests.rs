//! How git's answers are read.

use super::*;

#[test]
fn a_status_is_read() {
    let status = b"# branch.oid 0123\0# branch.head main\x001 .M N... 100644 100644 100644 a a a.rs\0? b\0";
    let facts = parse_status(status);
    assert_eq!(
        (facts.commit.as_deref(), facts.branch.as_deref()),
        (Some("0123"), Some("main"))
    );
    assert_eq!((facts.num_changed, facts.num_untracked, facts.is_dirty), (1, 1, true));
}

#[test]
fn neither_a_first_commit_nor_a_branch_is_taken_for_granted() {
    let facts = parse_status(b"# branch.oid (initial)\0# branch.head (detached)\0");
    assert_eq!((facts.commit, facts.branch, facts.is_dirty), (None, None, false));
}

#[test]
fn a_directory_without_a_repository_has_no_facts() {
    let directory = tempfile::tempdir().unwrap();
    let git = ask(directory.path(), Utc::now(), &AtomicBool::new(false));
    assert_eq!(git.facts, None);
}
