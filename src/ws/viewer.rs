//! Who reads a connection, what they may see, and for how long.

use std::{future::pending, net::IpAddr, sync::Arc};

use borgos_actors::{
    credentials::{Caller, Credentials, Snapshot},
    event_bus::Channel,
};
use chrono::Utc;
use tokio::sync::watch;

use super::clients::Visitor;

/// Who reads a connection.
pub struct Viewer {
    caller: Caller,
    address: IpAddr,
    credentials: Credentials,
    changes: watch::Receiver<Arc<Snapshot>>,
}

impl Viewer {
    /// Lets a caller read for as long as its credential holds.
    pub fn new(caller: Caller, address: IpAddr, credentials: Credentials) -> Self {
        Self {
            caller,
            address,
            changes: credentials.changes(),
            credentials,
        }
    }

    /// Says whether the scope is enough for a channel.
    pub fn may_read(&self, channel: Channel) -> bool {
        self.caller.scope >= channel.scope()
    }

    /// Says who it is, for those who operate the service.
    pub(super) fn visitor(&self) -> Visitor {
        Visitor {
            address: self.address,
            caller: self.caller.name.clone(),
        }
    }

    /// Waits until the credential is revoked, changed or expired. Cancelling it loses nothing.
    pub async fn lost(&mut self) {
        while self.credentials.still_holds(&self.caller) {
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() {
                    // The service is ending, which others tell.
                    pending().await
                },
                () = expiry(&self.caller) => {}
            }
        }
    }
}

async fn expiry(caller: &Caller) {
    match caller.expires_at.map(|at| (at - Utc::now()).to_std()) {
        Some(Ok(time)) => tokio::time::sleep(time).await,
        // It has passed already.
        Some(Err(_)) => {}
        None => pending().await,
    }
}
