//! What is known of a deployment when a step is decided: its row, and the releases that its instances are of.

use super::State;
use crate::{
    Error,
    id::ReleaseId,
    store::{
        Store,
        deployments::{self, Deployment},
        releases::{self, Release},
    },
    value::Secrets,
};

/// A row with its releases.
pub(super) struct Known {
    pub(super) row: Deployment,
    /// The release that is to serve.
    pub(super) target: Release,
    /// The release that serves or served last, if it is another one.
    pub(super) earlier: Option<Release>,
}

impl State {
    pub(super) async fn known(&self) -> Result<Known, Error> {
        let row = deployments::deployment(&self.args.store, self.args.deployment).await?;
        let target = releases::release(&self.args.store, row.target_id).await?;
        let earlier = match row.earlier_release() {
            Some(earlier) => Some(releases::release(&self.args.store, earlier).await?),
            None => None,
        };
        Ok(Known { row, target, earlier })
    }
}

impl Known {
    /// Returns the release of the instance that serves.
    pub(super) fn serving(&self) -> &Release {
        self.of(self.row.release_id)
    }

    /// Returns the release of the candidate.
    pub(super) fn begun(&self) -> &Release {
        self.of(self.row.candidate_release_id)
    }

    /// Collects what nobody is to read in what the deployment's programs and builds say.
    pub(super) fn secrets(&self, store: &Store) -> Result<Secrets, Error> {
        let releases = [Some(&self.target), self.earlier.as_ref()].into_iter().flatten();
        let environments: Result<Vec<_>, Error> = releases.map(|release| store.unseal(&release.environment)).collect();
        Ok(Secrets::of(&environments?))
    }

    /// Only these two are ever started.
    fn of(&self, release: Option<ReleaseId>) -> &Release {
        let earlier = self.earlier.as_ref();
        earlier
            .filter(|earlier| Some(earlier.id) == release)
            .unwrap_or(&self.target)
    }
}
