//! Beginning what an actor then carries out. What is written here is all that it needs to go on after a crash.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};

use super::{
    Deployment, NewDeployment,
    change::{unchanged, write},
    locked, row,
};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ReleaseId},
    seal::Sealed,
    store::{
        Store, now,
        releases::{self, NewRelease, Release},
    },
};

/// Gives a deployment that was just created its first release.
pub(super) async fn first_release(
    transaction: &DatabaseTransaction,
    id: DeploymentId,
    new: &NewDeployment,
    environment: Sealed,
) -> Result<Deployment, Error> {
    let release = NewRelease {
        environment,
        cpu_limit: new.cpu_limit.clone(),
        memory_limit: new.memory_limit.clone(),
        source_ref: new.source_ref.clone(),
        health_check: new.health_check.clone(),
        source_commit: None,
        recipe: None,
        created_by: "deploy".to_owned(),
        artifact: None,
        built_as: None,
    };
    let release = releases::begin(transaction, id, &release).await?;
    let row = row::ActiveModel {
        id: Set(id),
        target_id: Set(Some(release.id)),
        ..Default::default()
    };
    row::Entity::update(row).exec(transaction).await?.try_into()
}

/// Counts one more instance, of this release, which is to become the candidate. Call this before the instance is created; then a number is
/// never used twice, whatever crashes. While no other instance serves, the deployment is starting.
///
/// # Errors
/// [`super::OUTDATED`] when something else is wanted since the row was `seen`. Fails when there is no such deployment, or
/// when it is deleted.
pub async fn begin_generation(store: &Store, seen: &Deployment, release: ReleaseId) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = unchanged(transaction, seen).await?;
            let mut row = row::ActiveModel {
                generation: Set(before.generation.next()),
                candidate: Set(None),
                candidate_release_id: Set(Some(release)),
                observed_at: Set(now()),
                updated_at: Set(now()),
                ..Default::default()
            };
            if before.instance.is_none() {
                row.status = Set(Status::Starting);
                row.reason = Set(None);
            }
            write(transaction, &before, row).await
        })
        .await
}

/// Asks for the instance to be replaced, or for a deployment that does not run to be started, and returns the generation
/// after which a running instance is the one that was asked for. A deployment that is on its way up, or to another
/// release, is left alone; one whose build failed gets a new release.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn request_restart(store: &Store, id: DeploymentId) -> Result<Generation, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let mut row = row::ActiveModel {
                desired: Set(Desired::Running),
                updated_at: Set(now()),
                ..Default::default()
            };
            if before.is_rolling_out() {
                write(transaction, &before, row).await?;
                // What is rolled out counted its generation when it was asked for.
                return Ok(Generation(before.generation.0 - 1));
            }
            if before.instance.is_some() {
                row.is_replacing = Set(true);
                row.generation = Set(before.generation.next());
            } else if !before.is_coming_up() {
                row.generation = Set(before.generation.next());
                // One that was still to serve when it was told to stop counts no more.
                row.candidate = Set(None);
                row.status = Set(Status::Restarting);
                row.reason = Set(Some("restart requested".to_owned()));
                if releases::status(transaction, before.target_id).await?.is_spent() {
                    let new = next_release(&before, "restart");
                    row.target_id = Set(Some(releases::begin(transaction, id, &new).await?.id));
                }
            }
            write(transaction, &before, row).await?;
            Ok(before.replaced_generation())
        })
        .await
}

/// Asks for a new release to be built and to serve. What serves now goes on until then.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn request_release(store: &Store, id: DeploymentId, created_by: &str) -> Result<Release, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let release = releases::begin(transaction, id, &next_release(&before, created_by)).await?;
            aim(transaction, &before, &release, "redeploy requested").await?;
            Ok(release)
        })
        .await
}

/// Asks for an earlier release to serve again. What serves now goes on until then.
///
/// # Errors
/// Fails when there is no such deployment or release, and with `RELEASE_NOT_READY` for one that has nothing to run.
pub async fn request_rollback(store: &Store, id: DeploymentId, number: i64) -> Result<Release, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let release = releases::numbered(transaction, id, number).await?;
            if release.status != releases::Status::Ready {
                return Err(Error::Conflict {
                    code: "RELEASE_NOT_READY",
                    reason: format!("release {number} cannot serve: it is {}", release.status),
                });
            }
            aim(transaction, &before, &release, "rollback requested").await?;
            Ok(release)
        })
        .await
}

/// Describes a release of what the deployment asks for now, which is to be built.
pub(super) fn next_release(row: &Deployment, created_by: &str) -> NewRelease {
    NewRelease {
        environment: row.environment.clone(),
        cpu_limit: row.cpu_limit.clone(),
        memory_limit: row.memory_limit.clone(),
        source_ref: row.source_ref.clone(),
        health_check: row.health_check.clone(),
        source_commit: None,
        recipe: None,
        created_by: created_by.to_owned(),
        artifact: None,
        built_as: None,
    }
}

/// Makes a release the one that is to serve. The generation is counted, so that a candidate of another release is none any
/// more, and that of what serves is older than any that is to take over. Only what served before and is being started again
/// until the new one is built goes on starting, however often another one is asked for.
pub(super) async fn aim(
    transaction: &DatabaseTransaction,
    before: &Deployment,
    release: &Release,
    reason: &str,
) -> Result<Deployment, Error> {
    releases::supersede(transaction, before.target_id, release.id).await?;
    let mut row = row::ActiveModel {
        desired: Set(Desired::Running),
        updated_at: Set(now()),
        ..row::aimed_at(release, Default::default())
    };
    let is_unbuilt = release.status == releases::Status::Building;
    if is_unbuilt && before.is_bringing_back(release.id) {
        return write(transaction, before, row).await;
    }
    row.candidate = Set(None);
    row.generation = Set(before.generation.next());
    if before.instance.is_none() {
        // What was told to stop is not started again until there is what was asked for.
        let is_idle = before.desired == Desired::Stopped || before.status == Status::Failed;
        let waits_for_build = is_unbuilt && (is_idle || before.is_building());
        row.status = Set(if waits_for_build {
            Status::Building
        } else {
            Status::Restarting
        });
        row.reason = Set(Some(reason.to_owned()));
    }
    write(transaction, before, row).await
}

impl Deployment {
    /// Whether another instance is to take over from the one that serves.
    pub fn is_rolling_out(&self) -> bool {
        self.instance.is_some() && (self.is_replacing || self.release_id != Some(self.target_id))
    }

    /// Whether the release that was begun last is not the one that is to serve, and nobody else serves.
    pub fn is_starting_earlier(&self) -> bool {
        let is_other = self.candidate_release_id.is_some_and(|begun| begun != self.target_id);
        self.instance.is_none() && self.status == Status::Starting && is_other
    }

    /// Whether an instance of this release is being started, and nobody else serves.
    pub(super) fn is_starting(&self, release: ReleaseId) -> bool {
        let is_begun = self.candidate_release_id == Some(release);
        self.instance.is_none() && self.status == Status::Starting && is_begun
    }

    /// Whether the release that served before, other than this one, is being started again.
    fn is_bringing_back(&self, other_than: ReleaseId) -> bool {
        let earlier = self.release_id.filter(|earlier| *earlier != other_than);
        self.desired == Desired::Running && earlier.is_some_and(|earlier| self.is_starting(earlier))
    }

    /// Finds the release that served before the one that is to serve.
    pub fn earlier_release(&self) -> Option<ReleaseId> {
        self.release_id.filter(|earlier| *earlier != self.target_id)
    }

    fn is_building(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Building)
    }

    /// The last generation that a restart does not want: one that is starting is as good as a new one.
    fn replaced_generation(&self) -> Generation {
        match self.status {
            Status::Starting if self.is_coming_up() => Generation(self.generation.0 - 1),
            _ => self.generation,
        }
    }

    /// Whether it is wanted to run and its first steps there are being taken.
    fn is_coming_up(&self) -> bool {
        self.desired == Desired::Running && matches!(self.status, Status::Pending | Status::Building | Status::Starting)
    }
}
