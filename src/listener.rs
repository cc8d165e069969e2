//! The listener: accepts connections, bounds them in number and time, and ends them in order.
//!
//! It is our own because `warp::serve` has no deadline for a request's head, none for a stop, and no limit of
//! connections. HTTP/1.1 and HTTP/2 (prior knowledge) are spoken; TLS is a proxy's matter.

mod connection;
mod framing;
mod tap;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use crate::service::Service;

/// How many connections may be open at once, WebSockets included. More wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 20_000;
/// How long open requests may take to end after a stop.
const DRAIN_DEADLINE: Duration = Duration::from_secs(4);
/// How long to wait after an accept that failed, which is what a lack of file descriptors looks like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Tells everything that serves clients that BorgOS is about to end.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns a stop and what requests it; dropping the latter requests it too.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Resolves once the stop is requested.
    pub async fn requested(mut self) {
        // An error says that the sender is gone, which means the same.
        let _ = self.0.wait_for(|is_requested| *is_requested).await;
    }
}

/// Serves clients until the stop is requested, then gives open requests `DRAIN_DEADLINE` to end.
pub async fn serve(listener: TcpListener, service: Service, stop: Stop) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stopped = std::pin::pin!(stop.clone().requested());
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(result) = connections.join_next() => report(result),
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, peer, place)) => {
                    connections.spawn(connection::serve(stream, peer, place, service.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    drain(connections).await;
}

type Accepted = (
    tokio::net::TcpStream,
    std::net::SocketAddr,
    tokio::sync::OwnedSemaphorePermit,
);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn drain(mut connections: JoinSet<()>) {
    let all = async {
        while let Some(result) = connections.join_next().await {
            report(result);
        }
    };
    if timeout(DRAIN_DEADLINE, all).await.is_err() {
        tracing::info!(
            num_connections = connections.len(),
            "closing connections that did not end by themselves"
        );
        connections.shutdown().await;
    }
}

fn report(result: Result<(), JoinError>) {
    if let Err(error) = result {
        tracing::error!(%error, "serving a connection failed");
    }
}

#[cfg(test)]
mod tests;
