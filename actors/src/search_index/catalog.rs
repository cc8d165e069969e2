//! The projects as they are searched, built from their rows and from what scans found.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

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

/// A catalog is built anew after that long, whether or not a change was noticed: clocks can go back.
const MAX_AGE: Duration = Duration::from_secs(60);

/// All active projects, ready to be searched. Never changed: another one is built when a project changes.
#[derive(Debug)]
pub(super) struct Catalog {
    built: Instant,
    version: Version,
    index: ProjectIndex,
    briefs: HashMap<ProjectId, Brief>,
}

impl Catalog {
    /// Returns whether no project changed since the catalog was built.
    ///
    /// # Errors
    /// Fails when the database does.
    async fn is_current(&self, store: &Store) -> Result<bool, Error> {
        Ok(projects::version(store).await? == self.version)
    }

    /// Builds the catalog.
    ///
    /// # Errors
    /// Fails when the database does.
    async fn build(store: &Store) -> Result<Self, Error> {
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
        Ok(Self {
            built: Instant::now(),
            version,
            index,
            briefs,
        })
    }

    /// Finds projects, the best first.
    pub(super) fn search(&self, query: &str, limit: usize) -> Vec<FoundProject> {
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

/// The newest catalog, and the right to build the next one.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    store: Store,
    newest: Arc<watch::Sender<Option<Arc<Catalog>>>>,
    builder: Arc<Semaphore>,
}

impl Shelf {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            newest: Arc::new(watch::Sender::new(None)),
            builder: Arc::new(Semaphore::new(1)),
        }
    }

    /// Returns a catalog of the projects as they are now. One is built at a time, and who waited for it takes it.
    pub(super) async fn current(&self) -> Result<Arc<Catalog>, Error> {
        if let Some(catalog) = self.if_current().await? {
            return Ok(catalog);
        }
        let permit = self.builder.acquire().await;
        let _permit = permit.map_err(|_| Error::Internal("the catalog is not built any more".to_owned()))?;
        if let Some(catalog) = self.if_current().await? {
            return Ok(catalog);
        }
        let catalog = Arc::new(Catalog::build(&self.store).await?);
        self.newest.send_replace(Some(catalog.clone()));
        Ok(catalog)
    }

    async fn if_current(&self) -> Result<Option<Arc<Catalog>>, Error> {
        let Some(catalog) = self.newest.borrow().clone() else {
            return Ok(None);
        };
        let is_current = catalog.built.elapsed() < MAX_AGE && catalog.is_current(&self.store).await?;
        Ok(is_current.then_some(catalog))
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
