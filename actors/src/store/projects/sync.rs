//! Projects that were found on the disk rather than named by somebody.

use std::path::PathBuf;

use sea_orm::{ActiveValue::Set, DatabaseTransaction, QuerySelect, entity::prelude::*};

use super::{NewProject, Project, announce, apply, check_path, locked, row};
use crate::{
    Error,
    id::ProjectId,
    store::{Store, claimed, now, scans},
    value::ProjectPath,
};

/// Makes sure that each of these has a row, is active and will be scanned, in one transaction, and returns the rows in the
/// same order. What people said of a project that is known already stays.
///
/// # Errors
/// Fails when the database does; nothing was changed then.
pub async fn sync(store: &Store, found: &[NewProject]) -> Result<Vec<ProjectId>, Error> {
    claimed(|| try_sync(store, found)).await
}

async fn try_sync(store: &Store, found: &[NewProject]) -> Result<Vec<ProjectId>, Error> {
    store
        .write(async |transaction| {
            let mut ids = Vec::with_capacity(found.len());
            for new in found {
                let id = sync_one(transaction, new).await?;
                scans::ask(transaction, id).await?;
                ids.push(id);
            }
            Ok(ids)
        })
        .await
}

async fn sync_one(transaction: &DatabaseTransaction, new: &NewProject) -> Result<ProjectId, Error> {
    let path = String::from(new.path.clone());
    let query = row::Entity::find().filter(row::Column::Path.eq(path));
    let (kind, project) = match query.lock_exclusive().one(transaction).await? {
        None => {
            let row = row::Entity::insert(row::new(new)?)
                .exec_with_returning(transaction)
                .await?;
            ("project_created", Project::try_from(row)?)
        }
        Some(row) => {
            let zenith_id = new.zenith_id.clone().or_else(|| row.zenith_id.clone());
            if row.is_active && row.zenith_id == zenith_id {
                return Ok(row.id);
            }
            let change = row::ActiveModel {
                id: Set(row.id),
                zenith_id: Set(zenith_id),
                is_active: Set(true),
                updated_at: Set(now()),
                ..Default::default()
            };
            ("project_updated", apply(transaction, change).await?)
        }
    };
    announce(transaction, kind, &project).await?;
    Ok(project.id)
}

/// A project that came from Zenith.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromZenith {
    /// Its id here.
    pub id: ProjectId,
    /// Its id there.
    pub zenith_id: String,
    /// Where it was found last.
    pub path: PathBuf,
}

/// Finds the active projects that came from Zenith.
///
/// # Errors
/// Fails when the database does.
pub async fn active_zenith(store: &Store) -> Result<Vec<FromZenith>, Error> {
    let query = row::Entity::find()
        .select_only()
        .columns([row::Column::Id, row::Column::ZenithId, row::Column::Path])
        .filter(row::Column::IsActive.eq(true))
        .filter(row::Column::ZenithId.is_not_null());
    store
        .read(async |reader| {
            let rows: Vec<(ProjectId, String, String)> = query.into_tuple().all(reader).await?;
            let known = rows.into_iter().map(|(id, zenith_id, path)| FromZenith {
                id,
                zenith_id,
                path: path.into(),
            });
            Ok(known.collect())
        })
        .await
}

/// Notes that a project's directory is at another place now.
///
/// # Errors
/// Fails when there is none with that id, and with [`Error::PathInUse`] when another project is at that place.
pub async fn relocate(store: &Store, id: ProjectId, path: &ProjectPath) -> Result<(), Error> {
    store
        .write(async |transaction| {
            locked(transaction, id).await?;
            check_path(transaction, path).await?;
            let change = row::ActiveModel {
                id: Set(id),
                path: Set(path.clone().into()),
                updated_at: Set(now()),
                ..Default::default()
            };
            let project = apply(transaction, change).await?;
            announce(transaction, "project_updated", &project).await
        })
        .await
}

/// Takes a project for inactive whose directory is gone.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn retire(store: &Store, id: ProjectId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            locked(transaction, id).await?;
            let change = row::ActiveModel {
                id: Set(id),
                is_active: Set(false),
                updated_at: Set(now()),
                ..Default::default()
            };
            let project = apply(transaction, change).await?;
            announce(transaction, "project_updated", &project).await
        })
        .await
}
