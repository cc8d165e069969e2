//! What a search found.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Damage, Kind};
use crate::id::ProjectId;

/// A line that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its file's path inside the project.
    pub file: Arc<Path>,
    /// The number of the line, from one.
    pub line: u32,
    /// The character of the line at which the first match begins, from one.
    pub column: u32,
    /// The line, or the part of it around the first match if it is longer than 400 characters.
    pub content: String,
    /// Where in the content the matches are, in characters.
    pub matches: Vec<(u32, u32)>,
    /// The name of the file's language; empty if it has none.
    pub language: Arc<str>,
    /// What the line defines, if a match is part of the name.
    pub symbol: Option<Kind>,
    /// How well it fits, from 0 to 1.
    pub relevance_score: f64,
    /// Other files with the same content, which hold the same line.
    pub copies: Vec<Copy>,
}

/// A file with the same content as one that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copy {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its path inside the project.
    pub file: Arc<Path>,
}

/// Why a search has not looked everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truncated {
    /// It found as many lines as the budget allows.
    Lines,
    /// Its time was over.
    Deadline,
    /// Nobody waits for it any more.
    Cancelled,
}

/// A part of the index that cannot be used. The project's index must be built again.
#[derive(Debug)]
pub struct Damaged {
    /// Whose index it is.
    pub project: ProjectId,
    /// The damaged file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What a search found, and how far it got.
#[derive(Debug, Default)]
pub struct Answer {
    /// The best lines, best first.
    pub hits: Vec<Hit>,
    /// Lines that were found, copies included; there may be more if the search was cut short.
    pub total_matches: usize,
    /// Why the search has not looked everywhere, if it has not.
    pub truncated: Option<Truncated>,
    /// Files that were looked at.
    pub files_scanned: usize,
    /// Files that are there but could not be read.
    pub files_unreadable: usize,
    /// Whether a part of the index was known to be missing before; it is being built again.
    pub is_incomplete: bool,
    /// Parts of the index that could not be used; what they hold was not found.
    pub damaged: Vec<Damaged>,
}
