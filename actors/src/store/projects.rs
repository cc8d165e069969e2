//! Projects.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Listed, Page, Store, claimed, column, deployments,
    events::{self, NewEvent},
    tasks,
};
use crate::{
    Error,
    id::ProjectId,
    value::{ProjectName, ProjectPath, ProjectType, TechStack},
};

mod filter;
pub(super) mod row;
mod sync;

pub use filter::Filter;
pub use sync::{FromZenith, active_zenith, relocate, retire, sync};

/// A project.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// What people call it.
    pub name: ProjectName,
    /// Its directory, as it was resolved when the project was created.
    pub path: PathBuf,
    /// Its id in Zenith, when it came from there.
    pub zenith_id: Option<String>,
    /// What kind of program it is.
    pub project_type: Option<ProjectType>,
    /// What it is made with.
    pub tech_stack: TechStack,
    /// 0 to 100.
    pub health_score: i32,
    /// 0 to 100.
    pub vibe_score: i32,
    /// 0 to 100.
    pub eco_score: i32,
    /// What the last scan found wrong.
    pub errors: Vec<Value>,
    /// What the last scan found besides, and what clients put there.
    pub metadata: Map<String, Value>,
    /// Whether people work with it.
    pub is_active: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was last scanned.
    pub last_scanned_at: Option<DateTime<Utc>>,
}

/// A project that is about to be created.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// What people call it.
    pub name: ProjectName,
    /// Its directory.
    pub path: ProjectPath,
    /// Its id in Zenith, when it comes from there.
    pub zenith_id: Option<String>,
    /// What kind of program it is.
    pub project_type: Option<ProjectType>,
    /// What it is made with.
    pub tech_stack: TechStack,
}

/// Changes of a project. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// What people call it.
    pub name: Option<ProjectName>,
    /// What kind of program it is; `Some(None)` takes the answer back.
    pub project_type: Option<Option<ProjectType>>,
    /// What it is made with.
    pub tech_stack: Option<TechStack>,
    /// Whether people work with it.
    pub is_active: Option<bool>,
    /// Replaces the metadata, but for what a scan found.
    pub metadata: Option<Map<String, Value>>,
}

/// The state of all projects; equal as long as none was created, changed or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version((i64, Option<ProjectId>, Option<DateTime<Utc>>));

/// A project by what is searched in its row.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// Its id.
    pub id: ProjectId,
    /// What people call it.
    pub name: String,
    /// Its directory.
    pub path: String,
    /// What kind of program it is.
    pub project_type: Option<String>,
    /// What it is made with.
    pub tech_stack: TechStack,
}

/// Creates a project.
///
/// # Errors
/// Fails with `PATH_IN_USE` when another project has the directory.
pub async fn create(store: &Store, new: &NewProject) -> Result<Project, Error> {
    claimed(|| try_create(store, new)).await
}

async fn try_create(store: &Store, new: &NewProject) -> Result<Project, Error> {
    store
        .write(async |transaction| {
            check_path(transaction, &new.path).await?;
            let row = row::Entity::insert(row::new(new)?)
                .exec_with_returning(transaction)
                .await?;
            let project = Project::try_from(row)?;
            announce(transaction, "project_created", &project).await?;
            Ok(project)
        })
        .await
}

/// Returns a project.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn project(store: &Store, id: ProjectId) -> Result<Project, Error> {
    find(store, id).await?.ok_or_else(|| not_found(id))
}

/// Finds a project.
///
/// # Errors
/// Fails when the database does.
pub async fn find(store: &Store, id: ProjectId) -> Result<Option<Project>, Error> {
    store
        .read(async |reader| {
            let row = row::Entity::find_by_id(id).one(reader).await?;
            row.map(Project::try_from).transpose()
        })
        .await
}

/// Lists projects in the order of their creation.
///
/// # Errors
/// Fails when the database does.
pub async fn list(store: &Store, filter: &Filter, page: Page) -> Result<Listed<Project>, Error> {
    let query = filter.apply(row::Entity::find(), store.reader.get_database_backend());
    store
        .list(query.order_by_asc(row::Column::Id), page, Project::try_from)
        .await
}

/// Changes a project.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn update(store: &Store, id: ProjectId, patch: &Patch) -> Result<Project, Error> {
    store
        .write(async |transaction| {
            let current = locked(transaction, id).await?;
            let project = apply(transaction, row::change(&current, patch)?).await?;
            announce(transaction, "project_updated", &project).await?;
            Ok(project)
        })
        .await
}

/// Deletes a project. What is left of its deleted deployments, its tasks and in the error log stays, without the
/// reference.
///
/// # Errors
/// Fails when there is none with that id, with `PROJECT_HAS_DEPLOYMENTS` while it has some that are not deleted, and with
/// `PROJECT_HAS_TASKS` while some of its tasks are unfinished.
pub async fn delete(store: &Store, id: ProjectId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            // Locked against deployments that are just being created.
            let project = locked(transaction, id).await?;
            let num_deployments = deployments::num_live_of(transaction, id).await?;
            if num_deployments > 0 {
                return Err(Error::Conflict {
                    code: "PROJECT_HAS_DEPLOYMENTS",
                    reason: format!("project {id} still has {num_deployments} deployments, delete them first"),
                });
            }
            tasks::leave(transaction, id).await?;
            row::Entity::delete_by_id(id).exec(transaction).await?;
            announce(transaction, "project_deleted", &project).await
        })
        .await
}

/// Finds the directories of these projects, or of all active ones.
///
/// # Errors
/// Fails when the database does.
pub async fn paths(store: &Store, ids: Option<&[ProjectId]>) -> Result<BTreeMap<ProjectId, PathBuf>, Error> {
    let query = match ids {
        Some(ids) => row::Entity::find().filter(row::Column::Id.is_in(ids.iter().copied())),
        None => row::Entity::find().filter(row::Column::IsActive.eq(true)),
    };
    let query = query.select_only().columns([row::Column::Id, row::Column::Path]);
    store
        .read(async |reader| {
            let rows: Vec<(ProjectId, String)> = query.into_tuple().all(reader).await?;
            Ok(rows.into_iter().map(|(id, path)| (id, path.into())).collect())
        })
        .await
}

/// Lists all projects.
///
/// # Errors
/// Fails when the database does.
pub async fn ids(store: &Store) -> Result<HashSet<ProjectId>, Error> {
    let query = row::Entity::find().select_only().column(row::Column::Id);
    store
        .read(async |reader| Ok(query.into_tuple().all(reader).await?.into_iter().collect()))
        .await
}

/// Tells whether projects were created, changed or deleted: then the answer is another one.
///
/// # Errors
/// Fails when the database does.
pub async fn version(store: &Store) -> Result<Version, Error> {
    let query = row::Entity::find()
        .select_only()
        .column_as(row::Column::Id.count(), "count")
        .column_as(row::Column::Id.max(), "newest")
        .column_as(row::Column::UpdatedAt.max(), "updated_at");
    store
        .read(async |reader| {
            let version: Option<(i64, Option<ProjectId>, Option<DateTime<Utc>>)> =
                query.into_tuple().one(reader).await?;
            Ok(Version(version.unwrap_or_default()))
        })
        .await
}

/// Lists the active projects by what is searched in their rows.
///
/// # Errors
/// Fails when the database does.
pub async fn briefs(store: &Store) -> Result<Vec<Brief>, Error> {
    use row::Column;
    let query = row::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Name,
            Column::Path,
            Column::ProjectType,
            Column::TechStack,
        ])
        .filter(Column::IsActive.eq(true))
        .order_by_asc(Column::Id);
    store
        .read(async |reader| {
            let rows: Vec<(ProjectId, String, String, Option<String>, Json)> = query.into_tuple().all(reader).await?;
            rows.into_iter()
                .map(|(id, name, path, project_type, stack)| {
                    Ok(Brief {
                        id,
                        name,
                        path,
                        project_type,
                        tech_stack: column::from_json("projects.tech_stack", stack)?,
                    })
                })
                .collect()
        })
        .await
}

/// Counts the active projects.
///
/// # Errors
/// Fails when the database does.
pub async fn num_active(store: &Store) -> Result<u64, Error> {
    let query = row::Entity::find().filter(row::Column::IsActive.eq(true));
    store.read(async |reader| Ok(query.count(reader).await?)).await
}

/// Checks that a project exists, for those who are about to refer to it.
pub(super) async fn check_exists(transaction: &DatabaseTransaction, id: ProjectId) -> Result<(), Error> {
    match row::Entity::find_by_id(id).count(transaction).await? {
        0 => Err(not_found(id)),
        _ => Ok(()),
    }
}

/// Returns a project's name, for those who are about to refer to the project.
pub(super) async fn name(transaction: &DatabaseTransaction, id: ProjectId) -> Result<String, Error> {
    let row = row::Entity::find_by_id(id).one(transaction).await?;
    row.map(|row| row.name).ok_or_else(|| not_found(id))
}

/// Returns a project that nobody else changes until the transaction ends.
pub(super) async fn locked(transaction: &DatabaseTransaction, id: ProjectId) -> Result<Project, Error> {
    let row = row::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| not_found(id))?.try_into()
}

/// Writes the columns that are set.
pub(super) async fn apply(transaction: &DatabaseTransaction, change: row::ActiveModel) -> Result<Project, Error> {
    row::Entity::update(change).exec(transaction).await?.try_into()
}

async fn check_path(transaction: &DatabaseTransaction, path: &ProjectPath) -> Result<(), Error> {
    let path = String::from(path.clone());
    let query = row::Entity::find().filter(row::Column::Path.eq(&path));
    match query.count(transaction).await? {
        0 => Ok(()),
        _ => Err(Error::PathInUse { path }),
    }
}

async fn announce(transaction: &DatabaseTransaction, kind: &'static str, project: &Project) -> Result<(), Error> {
    let event = NewEvent {
        channel: events::PROJECTS,
        subject: Some(project.id.0),
        kind,
        data: json!({"id": project.id, "name": project.name}),
    };
    events::append(transaction, event).await
}

fn not_found(id: ProjectId) -> Error {
    Error::NotFound {
        kind: "Project",
        id: id.to_string(),
    }
}
