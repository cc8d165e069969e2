//! All open connections: who starts them, counts them and ends them.

use std::time::Duration;

use borgos_actors::event_bus::EventBus;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, debug, debug_span};

use super::{
    ClientView, Refusal,
    clients::{Clients, Presence},
    session::Session,
    viewer::Viewer,
};

/// The answer to a handshake is sent within that time, or the connection is given up.
const UPGRADE_DEADLINE: Duration = Duration::from_secs(10);

/// All open connections. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct Sessions {
    bus: EventBus,
    clients: Clients,
    tasks: TaskTracker,
    /// Asks sessions to close.
    stop: CancellationToken,
    /// Ends those that did not.
    abort: CancellationToken,
}

impl Sessions {
    /// Creates the place for sessions that read from `bus`.
    pub fn new(bus: EventBus) -> Self {
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        Self {
            bus,
            clients: Clients::default(),
            tasks: TaskTracker::new(),
            stop,
            abort,
        }
    }

    /// Returns the events that sessions read.
    pub fn bus(&self) -> &EventBus {
        &self.bus
    }

    /// Lists who is connected.
    pub fn clients(&self) -> Vec<ClientView> {
        self.clients.list()
    }

    /// Returns how many connections are open.
    pub fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Returns once connections are being closed: nothing that goes on for ever may keep the service from its end.
    pub async fn closing(&self) {
        self.stop.cancelled().await;
    }

    /// Closes all connections with 1001 and refuses new ones. Those that are not closed by the deadline are cut.
    /// Cancelling it leaves them closing.
    pub async fn close(&self, deadline: Duration) {
        self.tasks.close();
        self.stop.cancel();
        if timeout(deadline, self.tasks.wait()).await.is_err() {
            debug!(
                num_open = self.count(),
                "connections are cut that did not close in time"
            );
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }

    /// Starts a session on a connection as soon as it has left HTTP.
    pub(super) fn start(&self, on_upgrade: OnUpgrade, viewer: Viewer) -> Result<(), Refusal> {
        if self.stop.is_cancelled() {
            return Err(Refusal::Stopping);
        }
        let (bus, stop, abort) = (self.bus.clone(), self.stop.clone(), self.abort.clone());
        let presence = self.clients.enter(viewer.visitor());
        let session = async move {
            tokio::select! {
                () = abort.cancelled() => {}
                () = run(on_upgrade, bus, viewer, presence, stop) => {}
            }
        };
        self.tasks.spawn(session.instrument(debug_span!("ws")));
        Ok(())
    }
}

async fn run(on_upgrade: OnUpgrade, bus: EventBus, viewer: Viewer, presence: Presence, stop: CancellationToken) {
    match timeout(UPGRADE_DEADLINE, on_upgrade).await {
        Ok(Ok(connection)) => {
            let session = Session::new(TokioIo::new(connection), bus, viewer, presence, stop).await;
            session.run().await;
        }
        Ok(Err(error)) => debug!(%error, "a connection broke before it became a WebSocket"),
        Err(_) => debug!("a connection did not become a WebSocket in time"),
    }
}
