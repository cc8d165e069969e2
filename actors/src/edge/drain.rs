//! Asks the edge to drain a target, for as long as that takes.

use std::{io, net::SocketAddr, time::Duration};

use tokio::time::sleep;

use super::{
    client::Client,
    directory::Directory,
    link::{is_absence, unexpected},
    protocol::{Answer, Drained, Refusal, Reply, Request},
};
use crate::{Error, id::DeploymentId};

/// How much longer than the deadline the answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked when the edge ends under it. The next one has no connections to the target.
const MAX_ATTEMPTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Drains a target. Without an edge there is nothing to drain.
pub(super) async fn drain(
    directory: &Directory,
    deployment: DeploymentId,
    target: SocketAddr,
    deadline: Duration,
) -> Result<Drained, Error> {
    let request = Request::Drain {
        deployment,
        target,
        deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
    };
    for _ in 0..MAX_ATTEMPTS {
        match ask(directory, &request, deadline + PATIENCE).await {
            Ok(Ok(Answer::Drained(drained))) => return Ok(drained),
            Ok(Ok(other)) => return Err(unexpected(&other)),
            Ok(Err(Refusal::Leaving)) => {}
            Ok(Err(refusal)) => return Err(refusal.into()),
            Err(cause) if is_absence(&cause) => return Ok(Drained { num_cut: 0 }),
            Err(error) => tracing::warn!(%error, deployment.id = %deployment, "a drain was interrupted"),
        }
        sleep(PAUSE).await;
    }
    Err(Error::Restarting {
        actor: super::actor::PATH.to_owned(),
    })
}

async fn ask(directory: &Directory, request: &Request, patience: Duration) -> io::Result<Reply> {
    Client::connect(directory).await?.ask(request, patience).await
}
