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
    runtime::InstanceRef,
    supervision::Handle,
    value::Port,
};

/// How long the edge may take to change a route: it may have to be started first.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a look at a route may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(1);
/// How long connections to an instance that no longer serves may go on.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);

/// Where the edge leads the connections of a deployment to, as far as it was heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Led {
    /// Nothing was heard.
    #[default]
    Unknown,
    /// It does not hold the port.
    Nowhere,
    /// It holds the port.
    ToNobody,
    /// To this instance.
    To {
        /// The instance.
        instance: InstanceRef,
        /// Where it was then; it is elsewhere when it was started again.
        endpoint: SocketAddr,
    },
}

/// One deployment's part of the edge.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    pub(super) edge: Handle<edge::Message>,
    pub(super) deployment: DeploymentId,
    pub(super) port: Port,
}

impl Traffic {
    /// Leads new connections there. Once this returns they are.
    pub(super) async fn lead(&self, to: &Led) -> Result<(), Error> {
        match to {
            Led::Unknown | Led::Nowhere => self.close().await,
            Led::ToNobody => self.set(Vec::new()).await,
            Led::To { endpoint, .. } => self.set(vec![*endpoint]).await,
        }
    }

    async fn set(&self, targets: Vec<SocketAddr>) -> Result<(), Error> {
        let route = Route {
            deployment: self.deployment,
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, self.port.get())),
            targets,
            // Grows from one incarnation of the actor to the next.
            revision: Utc::now().timestamp_micros().unsigned_abs(),
        };
        self.edge
            .call(PATIENCE, |reply| edge::Message::SetRoute { route, reply })
            .await?
    }

    /// Asks why the port is not listened on, if it is not. An edge that does not answer is its own actor's business.
    pub(super) async fn problem(&self) -> Option<String> {
        let deployment = self.deployment;
        let asked = self
            .edge
            .call(LOOK_PATIENCE, |reply| edge::Message::Problem { deployment, reply });
        asked.await.ok().flatten()
    }

    /// Gives the port back.
    async fn close(&self) -> Result<(), Error> {
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
