//! What deployments are made from: plans, and commits.

use super::{DeployRequest, Deployments};
use crate::{
    Error,
    id::{DeploymentId, ProjectId},
    plan::Recipe,
    runtime::{Kind, Runtime, Wanted},
    store::{
        deployments,
        projects::{self, Project},
        releases::Release,
    },
    value::{GitRef, ImageRef},
};

/// How a project would be deployed now.
#[derive(Debug)]
pub struct Planned {
    /// The runtime that new deployments get.
    pub runtime: Kind,
    /// What would be built and started.
    pub recipe: Recipe,
}

impl Deployments {
    /// Finds out how a project would be deployed now, and changes nothing.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOTHING_TO_DEPLOY`, and those of the database.
    pub async fn plan(&self, id: ProjectId) -> Result<Planned, Error> {
        let project = projects::project(&self.store, id).await?;
        let runtime = self.runtimes.default_runtime();
        let wanted = Wanted {
            directory: project.path,
            image: None,
            command: None,
        };
        Ok(Planned {
            runtime: runtime.kind(),
            recipe: runtime.plan(&wanted).await?.recipe,
        })
    }

    /// Builds a new release of this commit or branch, which the deployment follows from then on; of the project's directory
    /// where there is none. What serves now goes on until then. Returns at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, those of a commit that cannot be built, and those of the database.
    pub async fn redeploy_from(&self, id: DeploymentId, source_ref: Option<&GitRef>) -> Result<Release, Error> {
        let row = deployments::deployment(&self.store, id).await?;
        if let Some(name) = source_ref {
            let project = projects::project(&self.store, row.project_id).await?;
            self.check_commit(row.runtime, &project, row.image.as_ref(), name)
                .await?;
        }
        let release = deployments::request_release_of(&self.store, id, "redeploy", source_ref).await?;
        self.hurry(id);
        Ok(release)
    }

    /// Tells the actor of a deployment that somebody else has begun a release for it.
    pub(crate) fn begun(&self, id: DeploymentId) {
        self.hurry(id);
    }

    /// Checks what can be known before a build: of a commit only that there may be one.
    pub(super) async fn check_deployable(
        &self,
        runtime: &dyn Runtime,
        project: &Project,
        request: &DeployRequest,
    ) -> Result<(), Error> {
        if runtime.kind() == Kind::Process && !request.volumes.is_empty() {
            return Err(Error::Impossible {
                code: "VOLUMES_NEED_CONTAINERS",
                reason: "plain processes have no volumes: they keep files where they like".to_owned(),
            });
        }
        if let Some(name) = &request.source_ref {
            let image = request.image.as_ref();
            return self.check_commit(runtime.kind(), project, image, name).await;
        }
        let wanted = Wanted {
            directory: project.path.clone(),
            image: request.image.clone(),
            command: request.command.clone(),
        };
        runtime.plan(&wanted).await?.source()?;
        Ok(())
    }

    async fn check_commit(
        &self,
        runtime: Kind,
        project: &Project,
        image: Option<&ImageRef>,
        name: &GitRef,
    ) -> Result<(), Error> {
        if image.is_some() {
            return Err(Error::InvalidField {
                field: "source_ref".to_owned(),
                reason: "must not be given with an `image`, which is built already".to_owned(),
            });
        }
        if runtime == Kind::Process {
            return Err(Error::Impossible {
                code: "SOURCE_REF_NEEDS_DOCKER",
                reason: "a `source_ref` needs Docker: a process runs in the project's own directory".to_owned(),
            });
        }
        self.checkouts.check(&project.path, name).await
    }
}
