//! Why a search or a change of the index fails.

use std::{io, path::PathBuf};

use super::Damage;
use crate::id::ProjectId;

/// Why a search or a change of the index fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to look for.
    #[error("there is nothing to look for")]
    Empty,
    /// More words make a search slow and no better.
    #[error("a search takes at most {0} words and phrases")]
    TooManyWords(usize),
    /// No line can hold it.
    #[error("a phrase cannot go over the end of a line")]
    PhraseOverLines,
    /// The regex is no regex, or one that means nothing for single lines.
    #[error("invalid regex{}: {reason}", position(*.at))]
    InvalidRegex {
        /// What is wrong.
        reason: String,
        /// How many characters stand before the place where it is wrong.
        at: Option<usize>,
    },
    /// The path pattern is no glob.
    #[error("invalid path pattern `{glob}`: {reason}")]
    InvalidGlob {
        /// The pattern.
        glob: String,
        /// What is wrong.
        reason: String,
    },
    /// The project's index is damaged, so that changes cannot be put on top of it.
    #[error("the index of project {project} is damaged and must be built again")]
    NeedsRebuild {
        /// Whose index it is.
        project: ProjectId,
    },
    /// A file of the index cannot be read back.
    #[error("the index of project {project} is damaged")]
    Damaged {
        /// Whose index it is.
        project: ProjectId,
        /// What is wrong.
        #[source]
        source: Damage,
    },
    /// The disk refused.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

fn position(at: Option<usize>) -> String {
    at.map(|at| format!(" at character {}", at + 1)).unwrap_or_default()
}

impl Error {
    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}
