//! The listener: accepts connections, bounds them in number and time, and ends them in order.
//!
//! It is our own because `warp::serve` has no deadline for a request's head, none for a stop, and no limit of
//! connections. HTTP/1.1 and HTTP/2 are spoken, in clear text (HTTP/2 by prior knowledge) or inside TLS.

mod connection;
mod framing;
mod places;
mod tap;
mod tls;

use std::{future::pending, io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use self::places::Places;
pub use self::tls::Tls;
use crate::{guard::client::Proxies, service::Service};

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

/// What is listened on, and how.
#[derive(Debug)]
pub struct Entrance {
    /// The socket.
    pub listener: TcpListener,
    /// The certificate, if HTTPS is spoken.
    pub tls: Option<Tls>,
    /// Who may have more connections than others.
    pub proxies: Proxies,
}

/// Serves clients until the stop is requested, then gives open requests `DRAIN_DEADLINE` to end.
pub async fn serve(entrance: Entrance, service: Service, stop: Stop) {
    let Entrance { listener, tls, proxies } = entrance;
    let places = Places::new(proxies);
    let mut fresh = std::pin::pin!(keep_fresh(tls.clone()));
    let mut connections = JoinSet::new();
    let mut stopped = std::pin::pin!(stop.clone().requested());
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(result) = connections.join_next() => report(result),
            () = &mut fresh => {}
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, peer, permit)) => match places.give(permit, peer.ip()) {
                    Some(place) => {
                        let (tls, service, stop) = (tls.clone(), service.clone(), stop.clone());
                        connections.spawn(connection::serve(stream, tls, peer, place, service, stop));
                    }
                    None => tracing::debug!(%peer, "an address has as many connections as it may"),
                },
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

async fn accept(listener: &TcpListener, places: &Places) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = places
        .free()
        .await
        .ok_or_else(|| io::Error::other("there are no places"))?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// Never ends.
async fn keep_fresh(tls: Option<Tls>) {
    match tls {
        Some(tls) => tls.keep_fresh().await,
        None => pending().await,
    }
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
