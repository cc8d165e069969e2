//! Beginning what an actor then carries out. What is written here is all that it needs to go on after a crash.

use sea_orm::ActiveValue::Set;

use super::{Deployment, change::write, locked, row};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::{DeploymentId, Generation, ReleaseId},
    store::{Store, now},
};

/// Counts one more instance: the deployment is starting, and its new instance is not known yet. Call this before the
/// instance is created; then a number is never used twice, whatever crashes.
///
/// # Errors
/// Fails when there is no such deployment, or when it is deleted.
pub async fn begin_generation(store: &Store, id: DeploymentId, release: ReleaseId) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            let row = row::ActiveModel {
                generation: Set(before.generation.next()),
                release_id: Set(Some(release)),
                status: Set(Status::Starting),
                reason: Set(None),
                instance: Set(None),
                observed_at: Set(now()),
                updated_at: Set(now()),
                ..Default::default()
            };
            write(transaction, &before, row).await
        })
        .await
}

/// Asks for the instance to be replaced, or for a deployment that does not run to be started, and returns the generation
/// after which a running instance is the one that was asked for. A deployment that is on its way up is left alone.
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
            if !before.is_coming_up() {
                row.status = Set(Status::Restarting);
                row.reason = Set(Some("restart requested".to_owned()));
            }
            write(transaction, &before, row).await?;
            Ok(before.replaced_generation())
        })
        .await
}

impl Deployment {
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
