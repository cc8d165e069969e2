//! What git knows of a project.

use std::{
    collections::HashSet,
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::git::{Git as Program, Limits};

/// All runs together; a repository that needs longer has no facts.
const DEADLINE: Duration = Duration::from_secs(20);
const ACTIVITY_DAYS: i64 = 90;
const MAX_COMMITS: usize = 10_000;
const MAX_FILTERS: usize = 100;

/// Facts of the repository that a project is in, about the project's own directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GitFacts {
    /// The branch; none while a commit is checked out by itself.
    pub branch: Option<String>,
    /// The commit that is checked out; none before the first.
    pub commit: Option<String>,
    /// Files that differ from the commit.
    pub num_changed: usize,
    /// Files and directories that git was never told about.
    pub num_untracked: usize,
    /// Whether something differs or is untracked.
    pub is_dirty: bool,
    /// When the last commit was made.
    pub last_commit_at: Option<DateTime<Utc>>,
    /// Commits in the last 90 days, at most 10,000; none where the history was cut off.
    pub num_commits_90_days: Option<usize>,
    /// Different authors of those commits.
    pub num_authors_90_days: Option<usize>,
}

/// What a scan takes from git.
#[derive(Debug, Default)]
pub(super) struct Git {
    /// None when this is no repository, when git is missing, or when it took too long.
    pub(super) facts: Option<GitFacts>,
    /// Files that are tracked although they are ignored.
    pub(super) tracked_though_ignored: Vec<PathBuf>,
}

/// Asks git about a directory.
pub(super) fn ask(root: &Path, now: DateTime<Utc>, cancel: &AtomicBool) -> Git {
    let limits = Limits {
        deadline: Instant::now() + DEADLINE,
        cancel,
    };
    let mut repository = Repository {
        root,
        disabled: Vec::new(),
        limits,
    };
    match repository
        .switch_off_filters()
        .and_then(|()| repository.tracked_though_ignored())
    {
        Ok(tracked_though_ignored) => Git {
            facts: repository.facts(now).ok(),
            tracked_though_ignored,
        },
        Err(_) => Git::default(),
    }
}

/// Tells whether the directory, or one above it, is a repository.
pub(super) fn is_repository(root: &Path) -> bool {
    root.ancestors().any(|directory| directory.join(".git").exists())
}

struct Repository<'a> {
    root: &'a Path,
    /// Settings of this repository that would run programs of its choice.
    disabled: Vec<String>,
    limits: Limits<'a>,
}

impl Repository<'_> {
    fn git(&self, arguments: &[&str]) -> io::Result<Vec<u8>> {
        let switched_off = self.disabled.iter().map(|name| (name.clone(), String::new()));
        let git = Program {
            settings: switched_off.collect(),
            ..Program::new(self.root, self.limits)
        };
        git.run(arguments)
    }

    /// Finds the filters that the repository names, since `status` runs them on files that look changed.
    fn switch_off_filters(&mut self) -> io::Result<()> {
        let listed = self.git(&["config", "--list", "--name-only", "-z", "--includes"])?;
        let names = text_parts(&listed);
        let filters = names.filter(|name| {
            let is_program = [".clean", ".smudge", ".process", ".required"]
                .iter()
                .any(|end| name.ends_with(end));
            is_program && name.starts_with("filter.")
        });
        self.disabled = filters.take(MAX_FILTERS).collect();
        Ok(())
    }

    fn tracked_though_ignored(&self) -> io::Result<Vec<PathBuf>> {
        let listed = self.git(&["ls-files", "-z", "--cached", "--ignored", "--exclude-standard"])?;
        Ok(parts(&listed)
            .map(|path| PathBuf::from(OsStr::from_bytes(path)))
            .collect())
    }

    fn facts(&self, now: DateTime<Utc>) -> io::Result<GitFacts> {
        let status = self.git(&[
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=normal",
            "--ignore-submodules=all",
            "--no-renames",
            "--",
            ".",
        ])?;
        let mut facts = parse_status(&status);
        if facts.commit.is_some() {
            self.add_history(&mut facts, now)?;
        }
        Ok(facts)
    }

    fn add_history(&self, facts: &mut GitFacts, now: DateTime<Utc>) -> io::Result<()> {
        let last = self.git(&["log", "-1", "--format=%ct", "--", "."])?;
        facts.last_commit_at = String::from_utf8_lossy(&last)
            .trim()
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let shallow = self.git(&["rev-parse", "--is-shallow-repository"])?;
        if shallow.trim_ascii() == b"true" {
            return Ok(());
        }
        let since = format!("--since={}", (now - TimeDelta::days(ACTIVITY_DAYS)).timestamp());
        let limit = format!("--max-count={MAX_COMMITS}");
        let log = self.git(&["log", "--format=%aE", "-z", &since, &limit, "--", "."])?;
        let authors: Vec<String> = text_parts(&log).map(|author| author.to_lowercase()).collect();
        facts.num_commits_90_days = Some(authors.len());
        facts.num_authors_90_days = Some(authors.into_iter().collect::<HashSet<_>>().len());
        Ok(())
    }
}

/// Reads the answer of `git status --porcelain=v2 --branch -z`.
fn parse_status(status: &[u8]) -> GitFacts {
    let mut facts = GitFacts {
        branch: None,
        commit: None,
        num_changed: 0,
        num_untracked: 0,
        is_dirty: false,
        last_commit_at: None,
        num_commits_90_days: None,
        num_authors_90_days: None,
    };
    for line in text_parts(status) {
        if let Some(commit) = line.strip_prefix("# branch.oid ") {
            facts.commit = (commit != "(initial)").then(|| commit.to_owned());
        } else if let Some(branch) = line.strip_prefix("# branch.head ") {
            facts.branch = (branch != "(detached)").then(|| branch.to_owned());
        } else if line.starts_with("? ") {
            facts.num_untracked += 1;
        } else if !line.starts_with('#') {
            facts.num_changed += 1;
        }
    }
    facts.is_dirty = facts.num_changed + facts.num_untracked > 0;
    facts
}

/// Splits what git printed with `-z`.
fn parts(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|&byte| byte == 0).filter(|part| !part.is_empty())
}

fn text_parts(output: &[u8]) -> impl Iterator<Item = String> {
    parts(output).map(|part| String::from_utf8_lossy(part).into_owned())
}

#[cfg(test)]
mod tests;
