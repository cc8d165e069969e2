//! The life of one client's connection, over all the instances that it is led to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
};
use tokio_util::task::TaskTracker;

use super::{
    forward::{Ending, forward},
    handover::Departure,
    pool::{Pool, Standing},
    target::Lease,
};
use crate::id::DeploymentId;

/// As many connections may wait for a target at the same time.
const MAX_CONNECTING: usize = 1024;

/// What a client's connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Need {
    /// For an instance, at once: its client may wait for that to speak first.
    Target,
    /// For the client's next request.
    Request,
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) tasks: TaskTracker,
    connecting: Semaphore,
    pub(super) max_open: usize,
    /// One permit for each connection that may be open.
    pub(super) room: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn new(max_open: usize) -> Arc<Self> {
        Arc::new(Self {
            tasks: TaskTracker::new(),
            connecting: Semaphore::new(MAX_CONNECTING),
            max_open,
            room: Arc::new(Semaphore::new(max_open)),
        })
    }

    /// Serves a client until its connection ends or goes to another process.
    pub(super) async fn serve(&self, mut client: TcpStream, mut need: Need, deployment: DeploymentId, pool: &Pool) {
        let mut standing = pool.standing();
        loop {
            let can_stay = matches!(*standing.borrow(), Standing::Open);
            if !can_stay || (need == Need::Request && !has_request(&client, &mut standing).await) {
                return leave(
                    Departure {
                        deployment,
                        need,
                        client,
                    },
                    &standing,
                )
                .await;
            }
            let Some((mut target, lease)) = self.connect(pool).await else {
                if matches!(*standing.borrow(), Standing::Open) {
                    return reset(&client);
                }
                continue;
            };
            match forward(&mut client, &mut target, &lease).await {
                Ending::Closed | Ending::Idle => return,
                Ending::Broken => {
                    reset(&client);
                    return reset(&target);
                }
                Ending::Freed(next_need) => need = next_need,
            }
        }
    }

    async fn connect(&self, pool: &Pool) -> Option<(TcpStream, Lease)> {
        let _permit = self.connecting.acquire().await.ok()?;
        pool.connect().await
    }
}

/// Waits until the client speaks. Returns whether it did before it closed or this route's connections are to leave.
async fn has_request(client: &TcpStream, standing: &mut watch::Receiver<Standing>) -> bool {
    let mut first_byte = [0];
    tokio::select! {
        biased;
        _ = standing.wait_for(|standing| !matches!(standing, Standing::Open)) => false,
        num_bytes = client.peek(&mut first_byte) => matches!(num_bytes, Ok(1)),
    }
}

/// Ends a connection that nothing is under way on, or lets the other process have it.
async fn leave(departure: Departure, standing: &watch::Receiver<Standing>) {
    let next = standing.borrow().clone();
    if let Standing::Moving(departures) = next {
        // An error means that the other process is gone, so that nobody is left who could serve it.
        let _ = departures.send(departure).await;
    }
}

/// Makes the kernel send a reset when the stream is dropped.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection is closed and cannot be reset");
    }
}
