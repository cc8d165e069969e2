//! The projects as they are searched, built from their rows and from what scans found.

use std::collections::HashMap;

use super::FoundProject;
use crate::{
    Error,
    id::ProjectId,
    search::projects::{Document, ProjectIndex},
    store::{
        Store,
        projects::{self, Brief, Version},
        scans::{self, Words},
    },
};

/// All active projects, ready to be searched. Never changed: another one is built when a project changes.
#[derive(Debug)]
pub struct Catalog {
    version: Version,
    index: ProjectIndex,
    briefs: HashMap<ProjectId, Brief>,
}

impl Catalog {
    /// Returns whether no project changed since the catalog was built.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn is_current(&self, store: &Store) -> Result<bool, Error> {
        Ok(projects::version(store).await? == self.version)
    }

    /// Builds the catalog.
    ///
    /// # Errors
    /// Fails when the database does.
    pub async fn build(store: &Store) -> Result<Self, Error> {
        // Asked first: what changes meanwhile makes the catalog outdated, and never unnoticed.
        let version = projects::version(store).await?;
        let briefs = projects::briefs(store).await?;
        let mut words = scans::words(store).await?;
        let documents: Vec<(ProjectId, Document)> = briefs
            .iter()
            .map(|brief| (brief.id, document(brief, words.remove(&brief.id).unwrap_or_default())))
            .collect();
        let index = tokio::task::spawn_blocking(|| ProjectIndex::new(documents))
            .await
            .map_err(|cause| Error::Internal(format!("the catalog of projects was not built: {cause}")))?;
        let briefs = briefs.into_iter().map(|brief| (brief.id, brief)).collect();
        Ok(Self { version, index, briefs })
    }

    /// Finds projects, the best first.
    pub fn search(&self, query: &str, limit: usize) -> Vec<FoundProject> {
        let hits = self.index.search(query, limit).into_iter();
        hits.filter_map(|hit| {
            self.briefs.get(&hit.project).map(|brief| FoundProject {
                project: brief.clone(),
                relevance_score: hit.relevance_score,
            })
        })
        .collect()
    }
}

fn document(brief: &Brief, words: Words) -> Document {
    Document {
        name: brief.name.clone(),
        path: brief.path.clone(),
        description: words.description,
        readme: words.readme,
        project_type: brief.project_type.clone().unwrap_or_default(),
        tech_stack: brief.tech_stack.clone().into(),
        languages: words.languages,
        dependencies: words.dependencies,
    }
}
