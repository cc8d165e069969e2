//! Finds projects by what is known about them: BM25F over fields of different weight, in memory, forgiving typing errors
//! and knowing other names of the same thing.

mod index;
mod kinship;
mod spelling;
mod words;

pub use index::ProjectIndex;

use crate::id::ProjectId;

/// What is known about a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// What it says it is, from a manifest or a person.
    pub description: String,
    /// Its README, of which the beginning counts.
    pub readme: String,
    /// What kind of project it is.
    pub project_type: String,
    /// Frameworks, databases and tools.
    pub tech_stack: Vec<String>,
    /// Its programming languages.
    pub languages: Vec<String>,
    /// What it depends on.
    pub dependencies: Vec<String>,
}

/// A field of a [`Document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The name.
    Name,
    /// The technologies, and what they imply: Django implies Python and the web.
    TechStack,
    /// The programming languages.
    Languages,
    /// The kind of project.
    ProjectType,
    /// The description.
    Description,
    /// The dependencies.
    Dependencies,
    /// The path.
    Path,
    /// The README.
    Readme,
}

/// A project that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectHit {
    /// Which one.
    pub project: ProjectId,
    /// How well it fits, from 0 to 1.
    pub relevance_score: f64,
    /// In which fields the words were found, the weightiest first.
    pub matched: Vec<Field>,
}

impl Field {
    const ALL: [Self; 8] = [
        Self::Name,
        Self::TechStack,
        Self::Languages,
        Self::ProjectType,
        Self::Description,
        Self::Dependencies,
        Self::Path,
        Self::Readme,
    ];

    /// A word in the name says more than one in the README.
    fn weight(self) -> f64 {
        match self {
            Self::Name => 6.0,
            Self::TechStack | Self::Languages => 3.0,
            Self::ProjectType => 2.5,
            Self::Description => 2.0,
            Self::Dependencies => 1.5,
            Self::Path => 1.2,
            Self::Readme => 0.8,
        }
    }

    /// How much a long field weakens each of its words. Lists are no worse for being long.
    fn penalty_of_length(self) -> f64 {
        match self {
            Self::Name | Self::Description | Self::Path => 0.5,
            Self::Readme => 0.75,
            Self::TechStack | Self::Languages | Self::ProjectType | Self::Dependencies => 0.2,
        }
    }
}

#[cfg(test)]
mod tests;
