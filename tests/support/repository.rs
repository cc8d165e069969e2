//! Projects in git repositories.

use std::{path::Path, process::Command};

use super::{Project, World};

/// Runs git in a directory and returns what it printed.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    let who = [
        "-c",
        "user.name=Ann",
        "-c",
        "user.email=ann@example.org",
        "-c",
        "commit.gpgSign=false",
    ];
    let output = command.current_dir(directory).args(who).args(arguments).output();
    let output = output.expect("git can be run");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout)
        .expect("git prints text")
        .trim()
        .to_owned()
}

/// Has the next release of a project answer this text, commits that to the branch that is checked out, and returns the
/// commit.
pub(crate) fn commit(project: &Project, version: &str) -> String {
    project.set_version(version);
    git(project.path(), &["add", "."]);
    git(project.path(), &["commit", "--quiet", "-m", version]);
    git(project.path(), &["rev-parse", "HEAD"])
}

/// Writes a project whose tag `v1` answers `one`, whose branch `main` answers `two`, and whose directory answers something
/// else.
pub(crate) fn versioned(world: &World) -> Project {
    let project = world.project("versioned", "one");
    git(project.path(), &["init", "--quiet", "--initial-branch=main"]);
    commit(&project, "one");
    git(project.path(), &["tag", "v1"]);
    commit(&project, "two");
    project.set_version("not committed");
    project
}
