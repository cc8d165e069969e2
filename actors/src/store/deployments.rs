//! Deployments. What is deleted is never found, listed or written again; its row stays for history.

use chrono::{DateTime, Utc};
use sea_orm::{
    DatabaseTransaction, DbErr, PaginatorTrait, QueryOrder, QuerySelect, QueryTrait, Select, entity::prelude::*,
};

use super::{Listed, Page, Store, claimed, projects};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ProjectId, ReleaseId},
    runtime::{InstanceRef, Kind},
    seal::Sealed,
    value::{
        Command, CpuLimit, DeploymentName, Environment, GitRef, HealthCheck, ImageRef, MemoryLimit, Port, Volumes,
    },
};

mod announce;
mod begin;
mod cancel;
mod change;
mod claim;
mod patch;
mod row;
mod source;

use announce::announce;
pub use begin::{begin_generation, request_release, request_restart, request_rollback};
pub use cancel::request_cancel;
pub use change::{Change, OUTDATED, confirm, doubt, mark_deleted, record, record_failure, set_desired};
pub use patch::{Patch, check_unmasked, patch};
pub(super) use source::begin_release_of;
pub use source::request_release_of;

/// A deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Whose it is.
    pub project_id: ProjectId,
    /// Its name; no other that is not deleted has it.
    pub name: DeploymentName,
    /// Its public port; no other that is not deleted has it.
    pub port: Port,
    /// What people want of it.
    pub desired: Desired,
    /// What was last observed.
    pub status: Status,
    /// Why it is so, where there is something to say.
    pub reason: Option<String>,
    /// When it was last observed.
    pub observed_at: DateTime<Utc>,
    /// How it runs.
    pub runtime: Kind,
    /// A ready image instead of a build.
    pub image: Option<ImageRef>,
    /// What to run instead of the image's or the project's own command.
    pub command: Option<Command>,
    /// The port inside a container, as requested.
    pub container_port: Option<Port>,
    /// The commit, or the branch, that its releases are built from; none for the project's directory.
    pub source_ref: Option<GitRef>,
    /// What the program is given.
    pub environment: Sealed,
    /// What outlives its instances.
    pub volumes: Volumes,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
    /// How it is asked whether it is well.
    pub health_check: HealthCheck,
    /// The release that serves, or served last.
    pub release_id: Option<ReleaseId>,
    /// The release that is to serve.
    pub target_id: ReleaseId,
    /// The instance that serves.
    pub instance: Option<InstanceRef>,
    /// The instance that is to serve once it is healthy.
    pub candidate: Option<InstanceRef>,
    /// The release whose instance was begun last: the candidate's, if there is one.
    pub candidate_release_id: Option<ReleaseId>,
    /// Whether the instance is to give way to a new one of the same release.
    pub is_replacing: bool,
    /// How many instances were ever begun; the newest is the only one that may become the candidate.
    pub generation: Generation,
    /// How often it was started again after an exit.
    pub restarts: i64,
    /// When the instance that serves, or served last, took over.
    pub started_at: Option<DateTime<Utc>>,
    /// When the deployment was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed; observing the same again changes nothing.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A deployment that is about to be created: pending, and wanted to run.
#[derive(Debug, Clone)]
pub struct NewDeployment {
    /// Whose it is.
    pub project_id: ProjectId,
    /// Its name.
    pub name: DeploymentName,
    /// Its public port.
    pub port: Port,
    /// How it runs.
    pub runtime: Kind,
    /// A ready image instead of a build.
    pub image: Option<ImageRef>,
    /// What to run instead of the image's or the project's own command.
    pub command: Option<Command>,
    /// The port inside a container.
    pub container_port: Option<Port>,
    /// The commit, or the branch, that its releases are built from; none for the project's directory.
    pub source_ref: Option<GitRef>,
    /// What the program is given.
    pub environment: Environment,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
    /// What outlives its instances.
    pub volumes: Volumes,
    /// How it is asked whether it is well.
    pub health_check: HealthCheck,
}

/// Which deployments are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// What was last observed.
    pub status: Option<Status>,
    /// Whose they are.
    pub project_id: Option<ProjectId>,
    /// The name, in full.
    pub name: Option<DeploymentName>,
    /// The public port.
    pub port: Option<Port>,
}

/// Creates a deployment and with it claims its port and its name. Of any number of claims at the same time one wins.
///
/// # Errors
/// Fails when there is no such project, with `PORT_IN_USE` or with `NAME_IN_USE`.
pub async fn create(store: &Store, new: &NewDeployment) -> Result<Deployment, Error> {
    claimed(|| try_create(store, new)).await
}

async fn try_create(store: &Store, new: &NewDeployment) -> Result<Deployment, Error> {
    let environment = store.key.seal(&new.environment)?;
    store
        .write(async |transaction| {
            projects::check_exists(transaction, new.project_id).await?;
            claim::check_port(transaction, new.port).await?;
            claim::check_name(transaction, &new.name).await?;
            let row = row::Entity::insert(row::new(new, &environment)?)
                .exec_with_returning(transaction)
                .await?;
            let deployment = begin::first_release(transaction, row.id, new, environment.clone()).await?;
            announce(transaction, "deployment_status", &deployment).await?;
            Ok(deployment)
        })
        .await
}

/// Returns a deployment.
///
/// # Errors
/// Fails when there is none with that id, or when it is deleted.
pub async fn deployment(store: &Store, id: DeploymentId) -> Result<Deployment, Error> {
    find(store, id).await?.ok_or_else(|| not_found(id))
}

/// Finds a deployment that is not deleted.
///
/// # Errors
/// Fails when the database does.
pub async fn find(store: &Store, id: DeploymentId) -> Result<Option<Deployment>, Error> {
    store
        .read(async |reader| {
            let row = live().filter(row::Column::Id.eq(id)).one(reader).await?;
            row.map(Deployment::try_from).transpose()
        })
        .await
}

/// Lists deployments in the order of their creation.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Deployment>, Error> {
    let query = live()
        .apply_if(filter.status, |query, status| {
            query.filter(row::Column::Status.eq(status))
        })
        .apply_if(filter.project_id, |query, id| {
            query.filter(row::Column::ProjectId.eq(id))
        })
        .apply_if(filter.name.clone(), |query, name| {
            query.filter(row::Column::Name.eq(String::from(name)))
        })
        .apply_if(filter.port, |query, port| {
            query.filter(row::Column::Port.eq(i32::from(port.get())))
        });
    store
        .list(query.order_by_asc(row::Column::Id), page, Deployment::try_from)
        .await
}

/// Returns the deployments of a project in the order of their creation.
///
/// # Errors
/// Fails when the database does.
pub async fn of_project(store: &Store, id: ProjectId) -> Result<Vec<Deployment>, Error> {
    all(store, live().filter(row::Column::ProjectId.eq(id))).await
}

/// Returns all deployments that are not deleted: those that must have an actor.
///
/// # Errors
/// Fails when the database does.
pub async fn wanted(store: &Store) -> Result<Vec<Deployment>, Error> {
    all(store, live()).await
}

/// Counts the deployments that were last observed running.
///
/// # Errors
/// Fails when the database does.
pub async fn num_running(store: &Store) -> Result<u64, Error> {
    let query = live().filter(row::Column::Status.eq(Status::Running));
    store.read(async |reader| Ok(query.count(reader).await?)).await
}

/// Finds the deployment that has this port.
///
/// # Errors
/// Fails when the database does.
pub async fn owner_of_port(store: &Store, port: Port) -> Result<Option<Deployment>, Error> {
    let filter = Filter {
        port: Some(port),
        ..Filter::default()
    };
    let listed = list(store, &filter, Page { limit: 1, offset: 0 }).await?;
    Ok(listed.rows.into_iter().next())
}

/// Counts the deployments of a project that are not deleted.
pub(super) async fn num_live_of(transaction: &DatabaseTransaction, id: ProjectId) -> Result<u64, DbErr> {
    live().filter(row::Column::ProjectId.eq(id)).count(transaction).await
}

/// Locks a deployment that is not deleted against other writers until the transaction ends, and returns it.
pub(super) async fn locked(transaction: &DatabaseTransaction, id: DeploymentId) -> Result<Deployment, Error> {
    let row = live()
        .filter(row::Column::Id.eq(id))
        .lock_exclusive()
        .one(transaction)
        .await?;
    row.ok_or_else(|| not_found(id))?.try_into()
}

/// Returns the deployments of a project as they are in a transaction.
pub(super) async fn within_project(transaction: &DatabaseTransaction, id: ProjectId) -> Result<Vec<Deployment>, Error> {
    let query = live()
        .filter(row::Column::ProjectId.eq(id))
        .order_by_asc(row::Column::Id);
    query
        .all(transaction)
        .await?
        .into_iter()
        .map(Deployment::try_from)
        .collect()
}

/// Checks that there is such a deployment, deleted or not, for those who are about to refer to it.
pub(super) async fn check_exists(transaction: &DatabaseTransaction, id: DeploymentId) -> Result<(), Error> {
    match row::Entity::find_by_id(id).count(transaction).await? {
        0 => Err(not_found(id)),
        _ => Ok(()),
    }
}

fn live() -> Select<row::Entity> {
    row::Entity::find().filter(row::Column::DeletedAt.is_null())
}

async fn all(store: &Store, query: Select<row::Entity>) -> Result<Vec<Deployment>, Error> {
    let query = query.order_by_asc(row::Column::Id);
    store
        .read(async |reader| {
            let rows = query.all(reader).await?;
            rows.into_iter().map(Deployment::try_from).collect()
        })
        .await
}

fn not_found(id: DeploymentId) -> Error {
    Error::NotFound {
        kind: "Deployment",
        id: id.to_string(),
    }
}
