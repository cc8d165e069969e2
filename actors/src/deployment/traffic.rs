//! Tells the edge where the connections of one deployment are to go.

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use chrono::Utc;

use crate::{
    Error,
    edge::{self, Route},
    id::DeploymentId,
    supervision::Handle,
    value::Port,
};

/// How long the edge may take to change a route: it may have to be started first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long connections to an instance that no longer serves may go on.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);

/// One deployment's part of the edge.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    pub(super) edge: Handle<edge::Message>,
    pub(super) deployment: DeploymentId,
    pub(super) port: Port,
}

impl Traffic {
    /// Leads new connections to an instance. Once this returns they are.
    pub(super) async fn lead_to(&self, endpoint: SocketAddr) -> Result<(), Error> {
        let route = Route {
            deployment: self.deployment,
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, self.port.get())),
            targets: vec![endpoint],
            // Grows from one incarnation of the actor to the next.
            revision: Utc::now().timestamp_micros().unsigned_abs(),
        };
        self.edge
            .call(PATIENCE, |reply| edge::Message::SetRoute { route, reply })
            .await?
    }

    /// Gives the port back.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let deployment = self.deployment;
        self.edge
            .call(PATIENCE, |reply| edge::Message::RemoveRoute { deployment, reply })
            .await?
    }

    /// Lets the connections to an instance end that is no longer led to.
    pub(super) async fn drain(&self, endpoint: SocketAddr) -> Result<(), Error> {
        let (deployment, deadline) = (self.deployment, DRAIN_DEADLINE);
        let drained = self.edge.call(DRAIN_DEADLINE + PATIENCE, |reply| edge::Message::Drain {
            deployment,
            target: endpoint,
            deadline,
            reply,
        });
        let num_cut = drained.await??.num_cut;
        if num_cut > 0 {
            tracing::info!(deployment.id = %deployment, num_cut, "connections to an old instance did not end in time");
        }
        Ok(())
    }
}
