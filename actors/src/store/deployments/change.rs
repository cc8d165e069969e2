//! Writing what was observed of a deployment, and what is wanted of it.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*, sea_query::Expr};

use super::{Deployment, announce, locked, row};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ReleaseId},
    runtime::InstanceRef,
    store::{
        Store,
        column::storable,
        error_log::{self, NewEntry},
        now,
        releases::{self, Ending},
    },
};

/// What was observed. The status and its reason go together; of the rest, what is `None` stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is now.
    pub status: Status,
    /// Why it is so, where there is something to say.
    pub reason: Option<String>,
    /// The generation, when the instances of this one do not count any more.
    pub generation: Option<Generation>,
    /// The instance that serves; `Some(None)` when there is none any more.
    pub instance: Option<Option<InstanceRef>>,
    /// The instance that is to serve; `Some(None)` when there is none any more.
    pub candidate: Option<Option<InstanceRef>>,
    /// The release that serves from now on.
    pub release_id: Option<ReleaseId>,
    /// The release that is to serve.
    pub target_id: Option<ReleaseId>,
    /// Whether the instance is to give way to a new one.
    pub is_replacing: Option<bool>,
    /// Since when the instance has served.
    pub started_at: Option<DateTime<Utc>>,
    /// How often it was started again after an exit.
    pub restarts: Option<i64>,
}

impl Change {
    /// A change to this status, without a reason and of nothing else.
    pub fn to(status: Status) -> Self {
        Self {
            status,
            reason: None,
            generation: None,
            instance: None,
            candidate: None,
            release_id: None,
            target_id: None,
            is_replacing: None,
            started_at: None,
            restarts: None,
        }
    }

    /// A change of nothing, that leaves status and reason as they are in this row.
    pub fn none(row: &Deployment) -> Self {
        Self {
            reason: row.reason.clone(),
            ..Self::to(row.status)
        }
    }
}

/// The code of a write that was decided on a row that has changed since.
pub const OUTDATED: &str = "OUTDATED";

/// Writes what was observed just now. Announced as `deployment_status` only when the status, its reason or a
/// release is another.
///
/// # Errors
/// [`OUTDATED`] when somebody else has changed what is wanted or the status since the row was `seen`: then nothing is
/// written, so that no request is lost. Fails when there is no such deployment, or when it is deleted.
pub async fn record(store: &Store, seen: &Deployment, change: &Change) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = unchanged(transaction, seen).await?;
            let row = observed(transaction, &before, change).await?;
            write(transaction, &before, row).await
        })
        .await
}

/// Writes what was observed together with the entry of the error log that says more, and with the release that failed if
/// that is why, so that no failure is logged twice or not at all, whatever crashes.
///
/// # Errors
/// Those of [`record`].
pub async fn record_failure(
    store: &Store,
    seen: &Deployment,
    change: &Change,
    entry: &NewEntry,
    failed: Option<(ReleaseId, &Ending)>,
) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = unchanged(transaction, seen).await?;
            if let Some((release, ending)) = failed {
                releases::fail(transaction, release, ending).await?;
            }
            error_log::append(transaction, entry).await?;
            let row = observed(transaction, &before, change).await?;
            write(transaction, &before, row).await
        })
        .await
}

/// Writes that the deployment was seen just now to be as its row says.
///
/// # Errors
/// Fails when the database does.
pub async fn confirm(store: &Store, id: DeploymentId) -> Result<(), Error> {
    let update = row::Entity::update_many()
        .col_expr(row::Column::ObservedAt, Expr::val(now()))
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::DeletedAt.is_null());
    store
        .write(async |transaction| {
            update.exec(transaction).await?;
            Ok(())
        })
        .await
}

/// Writes why the deployment could not be observed. Its status stays, with the time when it was seen last.
///
/// # Errors
/// Those of [`record`].
pub async fn doubt(store: &Store, seen: &Deployment, reason: &str) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let before = unchanged(transaction, seen).await?;
            let reason = storable(reason.to_owned());
            if before.reason.as_ref() != Some(&reason) {
                let row = row::ActiveModel {
                    reason: Set(Some(reason)),
                    updated_at: Set(now()),
                    ..Default::default()
                };
                write(transaction, &before, row).await?;
            }
            Ok(())
        })
        .await
}

/// Locks the row and checks that it still is what a decision was based on.
pub(super) async fn unchanged(transaction: &DatabaseTransaction, seen: &Deployment) -> Result<Deployment, Error> {
    let before = locked(transaction, seen.id).await?;
    let facts = |row: &Deployment| (row.desired, row.status, row.generation, row.target_id, row.is_replacing);
    if facts(&before) != facts(seen) {
        let reason = format!("deployment {} has changed meanwhile", seen.id);
        return Err(Error::Conflict { code: OUTDATED, reason });
    }
    Ok(before)
}

/// Writes what is wanted from now on.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn set_desired(store: &Store, id: DeploymentId, desired: Desired) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let row = row::ActiveModel {
                desired: Set(desired),
                updated_at: Set(now()),
                ..Default::default()
            };
            write(transaction, &before, row).await
        })
        .await
}

/// Deletes a stopped deployment: its port and its name are free, and nothing writes to it any more. Announced as
/// `deployment_deleted`.
///
/// # Errors
/// `DEPLOYMENT_NOT_STOPPED` when it is not, such as after a restart that came in between. Fails when there is no such
/// deployment, or when it is deleted already.
pub async fn mark_deleted(store: &Store, id: DeploymentId) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            if before.desired != Desired::Stopped || !before.status.is_at_rest() {
                let reason = format!("deployment {id} runs or is about to, stop it first");
                return Err(Error::Conflict {
                    code: "DEPLOYMENT_NOT_STOPPED",
                    reason,
                });
            }
            let at = now();
            let row = row::ActiveModel {
                id: Set(before.id),
                desired: Set(Desired::Stopped),
                updated_at: Set(at),
                deleted_at: Set(Some(at)),
                ..Default::default()
            };
            let after = row::Entity::update(row).exec(transaction).await?.try_into()?;
            announce(transaction, "deployment_deleted", &after).await?;
            Ok(after)
        })
        .await
}

/// Updates the locked row, and announces the difference.
pub(super) async fn write(
    transaction: &DatabaseTransaction,
    before: &Deployment,
    row: row::ActiveModel,
) -> Result<Deployment, Error> {
    let row = row::ActiveModel {
        id: Set(before.id),
        ..row
    };
    let after: Deployment = row::Entity::update(row).exec(transaction).await?.try_into()?;
    let news = |row: &Deployment| {
        let parts = (row.status, row.reason.clone(), row.release_id, row.target_id);
        (parts, row.name.clone())
    };
    if news(&after) != news(before) {
        announce(transaction, "deployment_status", &after).await?;
    }
    Ok(after)
}

/// What the row becomes. One that is aimed at another release asks for what that one is made of.
async fn observed(
    transaction: &DatabaseTransaction,
    before: &Deployment,
    change: &Change,
) -> Result<row::ActiveModel, Error> {
    let row = seen(before, change);
    match change.target_id {
        Some(target) => Ok(row::aimed_at(&releases::within(transaction, target).await?, row)),
        None => Ok(row),
    }
}

fn seen(before: &Deployment, change: &Change) -> row::ActiveModel {
    let reason = change.reason.clone().map(storable);
    let mut row = row::ActiveModel {
        observed_at: Set(now()),
        ..Default::default()
    };
    if (change.status, &reason) != (before.status, &before.reason) {
        row.status = Set(change.status);
        row.reason = Set(reason);
        row.updated_at = Set(now());
    }
    if let Some(instance) = change.instance.clone() {
        row.instance = Set(instance.map(|instance| instance.0));
    }
    if let Some(generation) = change.generation {
        row.generation = Set(generation);
    }
    if let Some(candidate) = change.candidate.clone() {
        row.candidate = Set(candidate.map(|candidate| candidate.0));
    }
    if let Some(release) = change.release_id {
        row.release_id = Set(Some(release));
    }
    if let Some(is_replacing) = change.is_replacing {
        row.is_replacing = Set(is_replacing);
    }
    if let Some(started_at) = change.started_at {
        row.started_at = Set(Some(started_at));
    }
    if let Some(restarts) = change.restarts {
        row.restarts = Set(restarts);
    }
    row
}
