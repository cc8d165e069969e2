//! Push to deploy: hooks, deliveries that were seen, and commits that are wished for.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sea_orm::{
    Condition, DatabaseTransaction, PaginatorTrait, QueryOrder, QuerySelect, entity::prelude::*, sea_query::OnConflict,
};
use serde::Serialize;

use super::{
    Store, claimed,
    deployments::{self, Deployment},
    releases,
};
use crate::{
    Error,
    deployment::Desired,
    id::{DeploymentId, ProjectId},
    push::HookRequest,
    runtime::Kind,
    value::{GitRef, HookSecret},
};

mod row;

use row::{delivery, hook, wish};

/// So many deliveries of a project are remembered.
const MAX_DELIVERIES: u64 = 1_000;
/// Who wants a release that follows from a push.
const CREATED_BY: &str = "push";

/// The hook of a project, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hook {
    /// The branch that counts; the default one of the repository if there is none.
    pub branch: Option<GitRef>,
    /// The deployments that get releases; all of the project if there are none.
    pub deployments: Option<Vec<DeploymentId>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
}

/// A push to the branch that counts.
#[derive(Debug, Clone)]
pub struct Push {
    /// The delivery's id.
    pub delivery: String,
    /// Tells the content, whatever the id.
    pub body_digest: String,
    /// The branch.
    pub branch: GitRef,
    /// Its newest commit.
    pub commit: GitRef,
}

/// What follows from a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Nothing: it was seen before.
    SeenBefore,
    /// These deployments are to get the commit.
    Of(Vec<DeploymentId>),
}

/// What came of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fulfilment {
    /// The release with this number is to be built.
    Begun(i64),
    /// Another release is being built.
    Waits,
    /// There is nothing to do: the deployment is gone or stopped, has the commit, or nothing was wished.
    Dropped,
}

/// Sets the hook of a project. Returns it with the secret, if that was made.
///
/// # Errors
/// `INVALID_FIELD` for a deployment that is none of the project's, and when the database fails.
pub async fn set(store: &Store, project: ProjectId, request: HookRequest) -> Result<(Hook, Option<HookSecret>), Error> {
    claimed(|| {
        store.write(async |transaction| {
            check_deployments(transaction, project, request.deployments.as_deref()).await?;
            let before = hook::Entity::find_by_id(project).one(transaction).await?;
            let generated = match (&request.secret, &before) {
                (None, None) => Some(HookSecret::generate()),
                _ => None,
            };
            let secret = request.secret.as_ref().or(generated.as_ref());
            let row = match before {
                Some(_) => {
                    hook::Entity::update(hook::changed(project, &request)?)
                        .exec(transaction)
                        .await?
                }
                None => {
                    let secret = secret.ok_or_else(|| Error::Internal("a new hook has no secret".to_owned()))?;
                    let new = hook::new(project, &request, secret)?;
                    hook::Entity::insert(new).exec_with_returning(transaction).await?
                }
            };
            Ok((row.try_into()?, generated))
        })
    })
    .await
}

async fn check_deployments(
    transaction: &DatabaseTransaction,
    project: ProjectId,
    wanted: Option<&[DeploymentId]>,
) -> Result<(), Error> {
    let own = deployments::within_project(transaction, project).await?;
    let stranger = wanted
        .unwrap_or_default()
        .iter()
        .find(|id| own.iter().all(|row| row.id != **id));
    match stranger {
        None => Ok(()),
        Some(id) => Err(Error::InvalidField {
            field: "deployments".to_owned(),
            reason: format!("must be deployments of the project, and {id} is none"),
        }),
    }
}

/// Finds the hook of a project, and its secret.
///
/// # Errors
/// Fails when the database does.
pub async fn find(store: &Store, project: ProjectId) -> Result<Option<(Hook, HookSecret)>, Error> {
    store
        .read(async |reader| {
            let row = hook::Entity::find_by_id(project).one(reader).await?;
            row.map(|row| Ok((row.clone().try_into()?, hook::secret(row)?)))
                .transpose()
        })
        .await
}

/// Removes the hook of a project, and says whether there was one.
///
/// # Errors
/// Fails when the database does.
pub async fn remove(store: &Store, project: ProjectId) -> Result<bool, Error> {
    store
        .write(async |transaction| {
            let deleted = hook::Entity::delete_by_id(project).exec(transaction).await?;
            Ok(deleted.rows_affected > 0)
        })
        .await
}

/// Takes a push: notes that it was seen, and for each deployment that does not have the commit that it is wished for.
///
/// # Errors
/// Fails when the database does.
pub async fn receive(store: &Store, project: ProjectId, hook: &Hook, push: &Push) -> Result<Asked, Error> {
    claimed(|| {
        store.write(async |transaction| {
            if is_known(transaction, project, push).await? {
                return Ok(Asked::SeenBefore);
            }
            delivery::Entity::insert(delivery::new(project, push))
                .exec(transaction)
                .await?;
            forget_old(transaction, project).await?;
            let mut asked = Vec::new();
            for row in deployments::within_project(transaction, project).await? {
                let is_named = hook.deployments.as_ref().is_none_or(|ids| ids.contains(&row.id));
                if is_named && is_buildable(&row) && wish_for(transaction, &row, push).await? {
                    asked.push(row.id);
                }
            }
            Ok(Asked::Of(asked))
        })
    })
    .await
}

async fn is_known(transaction: &DatabaseTransaction, project: ProjectId, push: &Push) -> Result<bool, Error> {
    let same = Condition::any()
        .add(delivery::Column::Delivery.eq(push.delivery.as_str()))
        .add(delivery::Column::BodyDigest.eq(push.body_digest.as_str()));
    let query = delivery::Entity::find()
        .filter(delivery::Column::ProjectId.eq(project))
        .filter(same);
    Ok(query.count(transaction).await? > 0)
}

async fn forget_old(transaction: &DatabaseTransaction, project: ProjectId) -> Result<(), Error> {
    let of_project = || delivery::Entity::find().filter(delivery::Column::ProjectId.eq(project));
    let newest_old = of_project()
        .order_by_desc(delivery::Column::Id)
        .offset(MAX_DELIVERIES)
        .one(transaction)
        .await?;
    if let Some(row) = newest_old {
        delivery::Entity::delete_many()
            .filter(delivery::Column::ProjectId.eq(project))
            .filter(delivery::Column::Id.lte(row.id))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// Whether a deployment can be built from a commit, and is wanted to run.
fn is_buildable(row: &Deployment) -> bool {
    row.runtime == Kind::Docker && row.image.is_none() && row.desired == Desired::Running
}

/// Wishes for a commit, in the place of what was wished before; not for one that the newest release is of.
async fn wish_for(transaction: &DatabaseTransaction, row: &Deployment, push: &Push) -> Result<bool, Error> {
    if has_commit(transaction, row, &push.commit).await? {
        wish::Entity::delete_by_id(row.id).exec(transaction).await?;
        return Ok(false);
    }
    let newest_wins = OnConflict::column(wish::Column::DeploymentId)
        .update_columns([wish::Column::Branch, wish::Column::CommitId, wish::Column::WishedAt])
        .to_owned();
    wish::Entity::insert(wish::new(row.id, push))
        .on_conflict(newest_wins)
        .exec_without_returning(transaction)
        .await?;
    Ok(true)
}

async fn has_commit(transaction: &DatabaseTransaction, row: &Deployment, commit: &GitRef) -> Result<bool, Error> {
    let newest = releases::within(transaction, row.target_id).await?;
    let is_same =
        newest.source_commit.as_deref() == Some(commit.as_str()) || newest.source_ref.as_ref() == Some(commit);
    Ok(is_same && newest.status != releases::Status::Failed)
}

/// Returns the deployments that a commit is wished for, the oldest wish first.
///
/// # Errors
/// Fails when the database does.
pub async fn wished(store: &Store) -> Result<Vec<DeploymentId>, Error> {
    let query = wish::Entity::find().order_by_asc(wish::Column::WishedAt);
    let rows = store.read(async |reader| Ok(query.all(reader).await?)).await?;
    Ok(rows.into_iter().map(|row| row.deployment_id).collect())
}

/// Begins the release that is wished for, unless another one is being built. The wish ends with that.
///
/// # Errors
/// Fails when the database does.
pub async fn fulfil(store: &Store, id: DeploymentId) -> Result<Fulfilment, Error> {
    store
        .write(async |transaction| {
            let row = match deployments::locked(transaction, id).await {
                Err(Error::NotFound { .. }) => None,
                row => Some(row?),
            };
            let Some(wish) = wish::Entity::find_by_id(id).one(transaction).await? else {
                return Ok(Fulfilment::Dropped);
            };
            let wish = wish.wish()?;
            let fulfilment = match row.filter(is_buildable) {
                None => Fulfilment::Dropped,
                Some(row) if has_commit(transaction, &row, &wish.commit).await? => Fulfilment::Dropped,
                Some(row) if releases::status(transaction, row.target_id).await? == releases::Status::Building => {
                    return Ok(Fulfilment::Waits);
                }
                Some(row) => {
                    let (followed, built) = (Some(&wish.branch), Some(&wish.commit));
                    let begun = deployments::begin_release_of(transaction, &row, CREATED_BY, followed, built).await?;
                    Fulfilment::Begun(begun.number)
                }
            };
            wish::Entity::delete_by_id(id).exec(transaction).await?;
            Ok(fulfilment)
        })
        .await
}
