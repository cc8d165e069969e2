//! Asking for releases of another commit.

use sea_orm::{ActiveValue::Set, DatabaseTransaction};

use super::{
    Deployment,
    begin::{aim, next_release},
    change::write,
    locked, row,
};
use crate::{
    Error,
    id::DeploymentId,
    store::{
        Store, now,
        releases::{self, NewRelease, Release},
    },
    value::GitRef,
};

/// Asks for a new release of this commit or branch, from which further ones are built as well; of the project's directory
/// where there is none. What serves now goes on until the release does.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn request_release_of(
    store: &Store,
    id: DeploymentId,
    created_by: &str,
    source_ref: Option<&GitRef>,
) -> Result<Release, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            begin_release_of(transaction, &before, created_by, source_ref, source_ref).await
        })
        .await
}

/// Has a locked deployment follow a commit or a branch, and begins a release of what is to be built of it now.
pub(in crate::store) async fn begin_release_of(
    transaction: &DatabaseTransaction,
    before: &Deployment,
    created_by: &str,
    followed: Option<&GitRef>,
    built: Option<&GitRef>,
) -> Result<Release, Error> {
    let change = row::ActiveModel {
        source_ref: Set(followed.cloned().map(String::from)),
        updated_at: Set(now()),
        ..Default::default()
    };
    let row = write(transaction, before, change).await?;
    let new = NewRelease {
        source_ref: built.cloned(),
        ..next_release(&row, created_by)
    };
    let release = releases::begin(transaction, row.id, &new).await?;
    aim(transaction, &row, &release, "redeploy requested").await?;
    Ok(release)
}
