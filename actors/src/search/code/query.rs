//! What is looked for, and how much it may cost.

mod compiled;
mod need;
mod regex;
mod words;

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

pub(super) use compiled::Compiled;
pub(super) use need::Need;

use super::Truncated;
use crate::id::ProjectId;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Words, phrases in quotes and `symbol:name`, or a regex.
    pub text: String,
    /// How to read the text.
    pub mode: Mode,
    /// Whether capitals count.
    pub case: Case,
    /// Only those projects; all if there is none.
    pub projects: Option<Vec<ProjectId>>,
    /// Only files in that language, whatever its case.
    pub language: Option<String>,
    /// Only files whose path inside the project matches that glob. Without a slash, it is about the file's name.
    pub path: Option<String>,
    /// Only lines that define something of that name, or with that in its name.
    pub symbol: Option<String>,
    /// So many hits at most.
    pub limit: usize,
}

/// How to read the text of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Words, each anywhere in a line; those near each other first.
    #[default]
    Words,
    /// One regex, as ripgrep understands it.
    Regex,
}

/// Whether capitals count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Case {
    /// They do not.
    Insensitive,
    /// They do.
    Sensitive,
    /// They do if there is one in what is looked for.
    #[default]
    Smart,
}

/// What a search may cost.
#[derive(Debug)]
pub struct Budget<'a> {
    /// It stops when it has found so many lines.
    pub max_lines: usize,
    /// It stops then.
    pub deadline: Option<Instant>,
    /// It stops when this becomes true.
    pub cancelled: &'a AtomicBool,
    /// It runs on so many threads at most, that of the caller included.
    pub threads: NonZeroUsize,
}

impl Budget<'_> {
    /// Returns why the search must stop now, if it must.
    pub(super) fn is_over(&self) -> Option<Truncated> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Some(Truncated::Cancelled);
        }
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        is_late.then_some(Truncated::Deadline)
    }
}
