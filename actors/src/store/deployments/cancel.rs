//! Calling off what is under way.

use sea_orm::{ActiveValue::Set, DatabaseTransaction};

use super::{Deployment, change::write, locked, row};
use crate::{
    Error,
    deployment::{Desired, Status},
    id::DeploymentId,
    store::{Store, now, releases},
};

const REASON: &str = "was cancelled";

/// Calls off the build or the rollout that is under way. What serves, or is about to serve again, goes on; where nothing
/// does, and nothing was to come back meanwhile, the deployment is to stop. A release that never served never will.
///
/// # Errors
/// `NOTHING_TO_CANCEL` when nothing is under way. Fails when there is no such deployment, or when it is deleted.
pub async fn request_cancel(store: &Store, id: DeploymentId) -> Result<Deployment, Error> {
    store
        .write(async |transaction| {
            let before = locked(transaction, id).await?;
            if before.desired != Desired::Running || !before.is_under_way() {
                return Err(Error::Conflict {
                    code: "NOTHING_TO_CANCEL",
                    reason: format!("deployment {id} is neither being built nor rolled out"),
                });
            }
            call_off(transaction, &before).await
        })
        .await
}

async fn call_off(transaction: &DatabaseTransaction, before: &Deployment) -> Result<Deployment, Error> {
    let earlier = before.earlier_release();
    if earlier.is_some() || before.release_id.is_none() {
        releases::call_off(transaction, before.target_id, REASON).await?;
    }
    let mut row = row::ActiveModel {
        is_replacing: Set(false),
        updated_at: Set(now()),
        ..Default::default()
    };
    if let Some(earlier) = earlier {
        row = row::aimed_at(&releases::within(transaction, earlier).await?, row);
        if before.is_starting(earlier) {
            return write(transaction, before, row).await;
        }
    }
    row.candidate = Set(None);
    row.generation = Set(before.generation.next());
    if before.instance.is_none() {
        let comes_back = earlier.is_some() && !matches!(before.status, Status::Pending | Status::Building);
        row.status = Set(if comes_back {
            Status::Restarting
        } else {
            Status::Stopping
        });
        row.reason = Set(Some(format!("what was under way {REASON}")));
        if !comes_back {
            row.desired = Set(Desired::Stopped);
        }
    }
    write(transaction, before, row).await
}

impl Deployment {
    /// Whether something other than what serves, or served, is on its way.
    fn is_under_way(&self) -> bool {
        let is_first = self.release_id.is_none() && self.status != Status::Failed;
        self.is_rolling_out() || self.earlier_release().is_some() || is_first
    }
}
