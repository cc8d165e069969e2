//! Searching as others ask for it: which projects are looked at, how long it may take, and who does the work.
//!
//! The index of code is opened once for the life of the program and fed by the scanner; the actor `search-index` answers
//! from it, and from the catalog of projects that it builds from their rows.

mod actor;
mod catalog;

use std::{path::PathBuf, time::Duration};

pub use actor::{Args, Message, PATH, SearchIndex};

use crate::{
    Error,
    id::ProjectId,
    search::code::{Answer, Query, Roots},
    store::{
        Store,
        projects::{self, Brief},
    },
    supervision::Handle,
};

/// A search ends itself before; this is for one that waits behind others.
const PATIENCE: Duration = Duration::from_secs(15);

/// Lines that were found, and where their projects are.
#[derive(Debug)]
pub struct FoundCode {
    /// The lines, and how far the search got.
    pub answer: Answer,
    roots: Roots,
}

/// A project that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundProject {
    /// What there is to say of it.
    pub project: Brief,
    /// How well it fits, from 0 to 1.
    pub relevance_score: f64,
}

/// Finds code and projects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Search {
    store: Store,
    index: Handle<Message>,
}

impl FoundCode {
    /// Returns where a file of one of the projects is.
    pub fn path_of(&self, project: ProjectId, file: &std::path::Path) -> PathBuf {
        self.roots
            .get(&project)
            .map_or_else(|| file.to_owned(), |root| root.join(file))
    }
}

impl Search {
    /// Ties the parts together.
    pub fn new(store: Store, index: Handle<Message>) -> Self {
        Self { store, index }
    }

    /// Finds lines of code in the projects that the query names, or in all active ones.
    ///
    /// # Errors
    /// `NOT_FOUND` for a project that does not exist, `INVALID_FIELD` for a query that makes no sense, and those of the
    /// actor and the database.
    pub async fn code(&self, query: Query) -> Result<FoundCode, Error> {
        let roots = projects::paths(&self.store, query.projects.as_deref()).await?;
        for id in query.projects.iter().flatten() {
            if !roots.contains_key(id) {
                return Err(Error::NotFound {
                    kind: "Project",
                    id: id.to_string(),
                });
            }
        }
        let asked = roots.clone();
        let answer = self
            .index
            .call(PATIENCE, |reply| Message::FindCode {
                query,
                roots: asked,
                reply,
            })
            .await??;
        Ok(FoundCode { answer, roots })
    }

    /// Finds active projects, the best first.
    ///
    /// # Errors
    /// Those of the actor and the database.
    pub async fn projects(&self, query: String, limit: usize) -> Result<Vec<FoundProject>, Error> {
        self.index
            .call(PATIENCE, |reply| Message::FindProjects { query, limit, reply })
            .await?
    }
}
