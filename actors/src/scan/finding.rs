//! What a scan finds wrong, and where.

use serde::{Deserialize, Serialize};

/// The kind of a finding, `type` in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The language's own parser refuses the file.
    Syntax,
    /// Nothing introduces the project.
    MissingReadme,
    /// There is code and nothing that tests it.
    NoTests,
    /// The markers of an unfinished merge are in the file.
    MergeConflict,
    /// A credential that should not be there.
    Secret,
    /// A manifest cannot be understood; whoever reads manifests reports it.
    InvalidManifest,
}

/// One thing that is wrong with a project, in the documented form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The path below the project's root with `/` between its parts; `.` is the project as a whole.
    pub file: String,
    /// The line, counted from 1; 0 where no line is to blame.
    pub line: u32,
    /// What is wrong, for a person.
    pub message: String,
    /// Whether the file is most likely wrong on purpose: test data or a template. Such findings lower no score.
    pub is_fixture: bool,
}

/// A finding of one file, as that file's record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issue {
    pub(super) kind: Kind,
    pub(super) line: u32,
    pub(super) message: String,
    pub(super) is_fixture: bool,
}

impl Issue {
    /// Makes the documented form of it.
    pub(super) fn to_finding(&self, file: &str) -> Finding {
        Finding {
            kind: self.kind,
            file: file.to_owned(),
            line: self.line,
            message: self.message.clone(),
            is_fixture: self.is_fixture,
        }
    }
}
