//! Reading what a deployment printed.

use std::{net::IpAddr, time::Duration};

use super::{Deployments, readers::Place};
use crate::{
    Error,
    id::DeploymentId,
    logs::{LogLine, Selection, View},
    store::{deployments, releases},
};
use futures_util::{Stream, stream};

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
    _place: Place,
}

impl Deployments {
    /// Returns the last lines of a deployment's logs to a reader at this address.
    ///
    /// # Errors
    /// `NOT_FOUND` for the deployment or the release, `BUSY` when too many read logs, and those of the database and the
    /// file system.
    pub async fn log(&self, id: DeploymentId, selection: Selection, reader: IpAddr) -> Result<Log, Error> {
        deployments::deployment(&self.store, id).await?;
        if let Some(number) = selection.release {
            releases::by_number(&self.store, id, number).await?;
        }
        let place = self.log_readers.enter(reader)?;
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
