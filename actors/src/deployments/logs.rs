//! Reading what a deployment printed.

use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;

use super::Deployments;
use crate::{
    Error,
    id::DeploymentId,
    logs::{LogLine, Selection, View},
    store::{deployments, releases},
};

/// So many may read logs at the same time: each looks at the files several times a second.
pub(super) const MAX_READERS: usize = 64;
/// After so long without a line it is looked whether the deployment is still there.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// The last lines of a deployment's logs, and the way to those that come.
pub struct Log {
    /// The last lines, oldest first.
    pub lines: Vec<LogLine>,
    follow: Follow,
}

struct Follow {
    deployments: Deployments,
    deployment: DeploymentId,
    view: View,
    /// Ends with the reader.
    _place: OwnedSemaphorePermit,
}

impl Deployments {
    /// Returns the last lines of a deployment's logs.
    ///
    /// # Errors
    /// `NOT_FOUND` for the deployment or the release, `BUSY` when too many read logs, and those of the database and the
    /// file system.
    pub async fn log(&self, id: DeploymentId, selection: Selection) -> Result<Log, Error> {
        deployments::deployment(&self.store, id).await?;
        if let Some(number) = selection.release {
            releases::by_number(&self.store, id, number).await?;
        }
        let place = self.log_readers.clone().try_acquire_owned();
        let place = place.map_err(|_| Error::Busy {
            actor: "the log reader".to_owned(),
        })?;
        let (view, lines) = View::begin(self.logs.clone(), id, selection).await?;
        let follow = Follow {
            deployments: self.clone(),
            deployment: id,
            view,
            _place: place,
        };
        Ok(Log { lines, follow })
    }
}

impl Log {
    /// Streams the lines that come after [`Log::lines`], until the deployment is deleted. Ends with the first error.
    pub fn follow(self) -> impl Stream<Item = Result<Vec<LogLine>, Error>> + Send + 'static {
        stream::try_unfold(self.follow, |mut follow| async {
            loop {
                let (view, lines) = follow.view.next(CHECK_EVERY).await?;
                follow.view = view;
                if !lines.is_empty() {
                    return Ok(Some((lines, follow)));
                }
                let found = deployments::find(&follow.deployments.store, follow.deployment).await?;
                if found.is_none() {
                    return Ok(None);
                }
            }
        })
    }
}
