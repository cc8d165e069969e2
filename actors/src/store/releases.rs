//! Releases: what a deployment runs, or ran, or failed to build.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{Listed, Page, Store, column::to_json, deployments, now};
use crate::{
    Error,
    id::{DeploymentId, ReleaseId},
    plan::Recipe,
    runtime::{Artifact, Built},
    seal::Sealed,
    value::{CpuLimit, GitRef, HealthCheck, MemoryLimit},
};

mod facts;
mod row;

pub use facts::{Ending, Origin, Part, Phase, note_build, note_origin, note_phase};
pub(super) use facts::{call_off, fail};

/// So many releases of a deployment can serve again at once.
pub const NUM_KEPT: usize = 5;

/// The code of an end of a build that came too late: the release had ended already.
pub const NOT_BUILDING: &str = "RELEASE_NOT_BUILDING";

/// How far a release has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, DeriveActiveEnum, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schemars(rename = "ReleaseStatus")]
pub enum Status {
    /// Its artifact is being made.
    Building,
    /// It can be started.
    Ready,
    /// Its artifact could not be made, or did not become healthy.
    Failed,
    /// It was called off before it served.
    Cancelled,
    /// Newer ones have taken its place, and its artifact is discarded.
    Expired,
}

impl Status {
    /// Whether it can never be started, any more or at all.
    pub fn is_spent(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Expired)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_value())
    }
}

/// A release.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Whose it is.
    pub deployment_id: DeploymentId,
    /// Its number within the deployment, from 1.
    pub number: i64,
    /// What it runs, once it is ready.
    pub artifact: Option<Artifact>,
    /// The number of the release that this was built for, if it was another one.
    pub built_as: Option<i64>,
    /// What the program is given.
    pub environment: Sealed,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
    /// The commit or branch that was asked for; none for the project's directory.
    pub source_ref: Option<GitRef>,
    /// How its instances are asked whether they are well.
    pub health_check: HealthCheck,
    /// The commit that it was built from, where there is one.
    pub source_commit: Option<String>,
    /// How it was built, once that is known.
    pub recipe: Option<Recipe>,
    /// How far it has come.
    pub status: Status,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Who wanted it.
    pub created_by: String,
    /// How long each part of the last attempt to bring it up took.
    pub phases: Vec<Phase>,
    /// What its build said last.
    pub build_log: Vec<String>,
    /// How its instance ended, if it failed by that.
    pub exit_code: Option<i64>,
    /// Whether that was for its memory.
    pub is_oom: Option<bool>,
    /// What it said last, if it failed.
    pub last_lines: Vec<String>,
}

/// A release that is about to be built.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelease {
    /// What the program is given.
    pub environment: Sealed,
    /// CPUs that it may use.
    pub cpu_limit: Option<CpuLimit>,
    /// Memory that it may use.
    pub memory_limit: Option<MemoryLimit>,
    /// The commit or branch that is asked for; none for the project's directory.
    pub source_ref: Option<GitRef>,
    /// How its instances are asked whether they are well.
    pub health_check: HealthCheck,
    /// The commit that it is built from, where there is one.
    pub source_commit: Option<String>,
    /// How it was built, if it is built already.
    pub recipe: Option<Recipe>,
    /// Who wants it.
    pub created_by: String,
    /// What it runs, if that is built already: then it is ready.
    pub artifact: Option<Artifact>,
    /// The number of the release that this was built for.
    pub built_as: Option<i64>,
}

/// Begins the next release of a deployment that is locked, which makes the next number ours alone.
pub(super) async fn begin(
    transaction: &DatabaseTransaction,
    id: DeploymentId,
    new: &NewRelease,
) -> Result<Release, Error> {
    let number = 1 + last_number(transaction, id).await?;
    let row = row::new(id, number, new)?;
    row::Entity::insert(row)
        .exec_with_returning(transaction)
        .await?
        .try_into()
}

/// Says how far a release has come.
pub(super) async fn status(transaction: &DatabaseTransaction, id: ReleaseId) -> Result<Status, Error> {
    Ok(within(transaction, id).await?.status)
}

/// Returns a release as it is in a transaction.
pub(super) async fn within(transaction: &DatabaseTransaction, id: ReleaseId) -> Result<Release, Error> {
    let row = row::Entity::find_by_id(id).one(transaction).await?;
    row.ok_or_else(|| not_found(id))?.try_into()
}

/// Returns the release of a deployment with that number.
///
/// # Errors
/// Fails when there is none.
pub async fn by_number(store: &Store, deployment: DeploymentId, number: i64) -> Result<Release, Error> {
    store
        .read(async |reader| numbered(reader, deployment, number).await)
        .await
}

/// Returns the release with that number.
pub(super) async fn numbered(
    database: &impl ConnectionTrait,
    deployment: DeploymentId,
    number: i64,
) -> Result<Release, Error> {
    let query = row::Entity::find()
        .filter(row::Column::DeploymentId.eq(deployment))
        .filter(row::Column::Number.eq(number));
    let row = query.one(database).await?.ok_or_else(|| Error::NotFound {
        kind: "Release",
        id: number.to_string(),
    })?;
    row.try_into()
}

/// Ends the building of a release with what it runs.
///
/// # Errors
/// Fails when there is no such release, and with [`NOT_BUILDING`] when it has ended before.
pub async fn finish(store: &Store, id: ReleaseId, artifact: &Artifact) -> Result<Release, Error> {
    let change = row::ActiveModel {
        status: Set(Status::Ready),
        artifact: Set(Some(to_json("releases.artifact", artifact)?)),
        ..Default::default()
    };
    let update = row::Entity::update_many()
        .set(change)
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::Status.eq(Status::Building));
    store
        .write(async |transaction| {
            if let Some(row) = update.exec_with_returning(transaction).await?.pop() {
                return row.try_into();
            }
            let row = row::Entity::find_by_id(id).one(transaction).await?;
            Err(row.map_or_else(|| not_found(id), |_| not_building(id)))
        })
        .await
}

/// Ends the building of a release that is not aimed at any more.
pub(super) async fn supersede(transaction: &DatabaseTransaction, id: ReleaseId, by: ReleaseId) -> Result<(), Error> {
    if id != by {
        let change = row::ActiveModel {
            status: Set(Status::Failed),
            reason: Set(Some("superseded before it was built".to_owned())),
            ..Default::default()
        };
        let update = row::Entity::update_many().set(change).filter(row::Column::Id.eq(id));
        update
            .filter(row::Column::Status.eq(Status::Building))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// Notes that the release of a deployment has begun to serve: whatever happens to it later, it can serve again. In exchange
/// those expire that are not among the newest [`NUM_KEPT`] which could serve.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn note_served(store: &Store, deployment: DeploymentId, id: ReleaseId) -> Result<(), Error> {
    store
        .write(async |transaction| {
            let served = row::ActiveModel {
                id: Set(id),
                served_at: Set(Some(now())),
                ..Default::default()
            };
            row::Entity::update(served).exec(transaction).await?;
            let row = deployments::locked(transaction, deployment).await?;
            let in_use = [row.release_id.unwrap_or(id), row.target_id];
            let expired = row::ActiveModel {
                status: Set(Status::Expired),
                ..Default::default()
            };
            row::Entity::update_many()
                .set(expired)
                .filter(row::Column::Id.is_in(old(transaction, deployment).await?))
                .filter(row::Column::Id.is_not_in(in_use))
                .exec(transaction)
                .await?;
            Ok(())
        })
        .await
}

/// Returns those that could serve and are not among the newest of these.
async fn old(transaction: &DatabaseTransaction, deployment: DeploymentId) -> Result<Vec<ReleaseId>, Error> {
    let ready: Vec<ReleaseId> = row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .filter(row::Column::DeploymentId.eq(deployment))
        .filter(row::Column::Status.eq(Status::Ready))
        .order_by_desc(row::Column::Number)
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(ready.into_iter().skip(NUM_KEPT).collect())
}

/// Returns what is built, or being built, for the releases of these deployments that could still serve.
///
/// # Errors
/// Fails when the database does.
pub async fn needed(store: &Store, of: impl IntoIterator<Item = DeploymentId>) -> Result<HashSet<Built>, Error> {
    let query = row::Entity::find()
        .select_only()
        .columns([row::Column::DeploymentId, row::Column::Number, row::Column::BuiltAs])
        .filter(row::Column::Status.is_in([Status::Building, Status::Ready]))
        .filter(row::Column::DeploymentId.is_in(of))
        .into_tuple::<(DeploymentId, i64, Option<i64>)>();
    let found = store.read(async |reader| Ok(query.all(reader).await?)).await?;
    let built = |(deployment, number, built_as): (_, i64, Option<i64>)| Built {
        deployment,
        release: built_as.unwrap_or(number),
    };
    Ok(found.into_iter().map(built).collect())
}

/// Returns a release.
///
/// # Errors
/// Fails when there is none with that id.
pub async fn release(store: &Store, id: ReleaseId) -> Result<Release, Error> {
    store
        .read(async |reader| {
            let row = row::Entity::find_by_id(id).one(reader).await?;
            row.ok_or_else(|| not_found(id))?.try_into()
        })
        .await
}

/// Lists the releases of a deployment, newest first: all, or those that have come so far.
///
/// # Errors
/// Fails when the database does.
pub async fn list(
    store: &Store,
    id: DeploymentId,
    status: Option<Status>,
    page: Page,
) -> Result<Listed<Release>, Error> {
    let query = row::Entity::find()
        .filter(row::Column::DeploymentId.eq(id))
        .apply_if(status, |query, status| query.filter(row::Column::Status.eq(status)))
        .order_by_desc(row::Column::Number);
    store.list(query, page, Release::try_from).await
}

async fn last_number(transaction: &DatabaseTransaction, id: DeploymentId) -> Result<i64, Error> {
    let last: Option<Option<i64>> = row::Entity::find()
        .select_only()
        .column_as(row::Column::Number.max(), "last")
        .filter(row::Column::DeploymentId.eq(id))
        .into_tuple()
        .one(transaction)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

fn not_found(id: ReleaseId) -> Error {
    Error::NotFound {
        kind: "Release",
        id: id.to_string(),
    }
}

fn not_building(id: ReleaseId) -> Error {
    Error::Conflict {
        code: NOT_BUILDING,
        reason: format!("release {id} is not being built any more"),
    }
}
