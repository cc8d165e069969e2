//! Writing what was observed of a deployment, and what is wanted of it.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};

use super::{Deployment, announce, locked, row};
use crate::{
    Error,
    deployment::status::{Desired, Status},
    id::{DeploymentId, ReleaseId},
    runtime::InstanceRef,
    store::{Store, column::storable, now},
};

/// What was observed. The status and its reason go together; of the rest, what is `None` stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is now.
    pub status: Status,
    /// Why it is so, where there is something to say.
    pub reason: Option<String>,
    /// The instance; `Some(None)` when there is none any more.
    pub instance: Option<Option<InstanceRef>>,
    /// When the instance was started; `Some(None)` when none is.
    pub started_at: Option<Option<DateTime<Utc>>>,
    /// The release that is to run.
    pub release_id: Option<ReleaseId>,
    /// How often it was started again after an exit.
    pub restarts: Option<i64>,
}

impl Change {
    /// A change to this status, without a reason and of nothing else.
    pub fn to(status: Status) -> Self {
        Self {
            status,
            reason: None,
            instance: None,
            started_at: None,
            release_id: None,
            restarts: None,
        }
    }
}

/// Writes what was observed just now. Announced as `deployment_status` only when the status or its reason is another.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn record(store: &Store, id: DeploymentId, change: &Change) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            write(transaction, &before, observed(&before, change)).await
        })
        .await
}

/// Writes what is wanted from now on, and what that makes of the status where it is known at once.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn set_desired(
    store: &Store,
    id: DeploymentId,
    desired: Desired,
    change: Option<&Change>,
) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let row = change.map(|change| observed(&before, change)).unwrap_or_default();
            let row = row::ActiveModel {
                desired: Set(desired),
                updated_at: Set(now()),
                ..row
            };
            write(transaction, &before, row).await
        })
        .await
}

/// Deletes a deployment: its port and its name are free, and nothing writes to it any more. Whoever calls this has
/// removed its instances. Announced as `deployment_deleted`.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted already.
pub async fn mark_deleted(store: &Store, id: DeploymentId) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
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
async fn write(
    transaction: &DatabaseTransaction,
    before: &Deployment,
    row: row::ActiveModel,
) -> Result<Deployment, Error> {
    let row = row::ActiveModel {
        id: Set(before.id),
        ..row
    };
    let after: Deployment = row::Entity::update(row).exec(transaction).await?.try_into()?;
    if (after.status, &after.reason) != (before.status, &before.reason) {
        announce(transaction, "deployment_status", &after).await?;
    }
    Ok(after)
}

fn observed(before: &Deployment, change: &Change) -> row::ActiveModel {
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
    if let Some(started_at) = change.started_at {
        row.started_at = Set(started_at);
    }
    if let Some(release) = change.release_id {
        row.release_id = Set(Some(release));
    }
    if let Some(restarts) = change.restarts {
        row.restarts = Set(restarts);
    }
    row
}
