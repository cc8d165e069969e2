//! All routes, as they are on disk and as they are served.

use std::{
    collections::{BTreeMap, btree_map},
    io,
    net::SocketAddr,
    sync::Arc,
};

use tokio::{net::TcpListener, task::spawn_blocking, time::Instant};

use super::{
    connection::Connections,
    directory::Directory,
    handover::Estate,
    listener::{self, Door},
    pool::{Pool, Standing},
    protocol::{Refusal, RouteStats},
    route::{MAX_ROUTES, Route},
    target::Target,
};
use crate::id::DeploymentId;

/// The routes. One task owns it, so that changes happen one after the other.
#[derive(Debug)]
pub(super) struct Table {
    entries: BTreeMap<DeploymentId, Entry>,
    directory: Directory,
    connections: Arc<Connections>,
}

#[derive(Debug)]
struct Entry {
    route: Route,
    pool: Arc<Pool>,
    /// What is listened on, or why nothing is.
    door: Result<Door, Refusal>,
}

impl Table {
    pub(super) fn new(directory: Directory, connections: Arc<Connections>) -> Self {
        Self {
            entries: BTreeMap::new(),
            directory,
            connections,
        }
    }

    pub(super) fn num_routes(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn pool(&self, deployment: DeploymentId) -> Option<Arc<Pool>> {
        self.entries.get(&deployment).map(|entry| entry.pool.clone())
    }

    /// Serves routes that were on disk or come from another process, with the listeners that there are already.
    pub(super) async fn adopt(&mut self, routes: Vec<Route>, mut listeners: BTreeMap<DeploymentId, TcpListener>) {
        for route in routes {
            let listened = match listeners.remove(&route.deployment) {
                Some(listener) => Ok(listener),
                None => listener::listen(route.listen).await,
            };
            if let Err(refusal) = &listened {
                tracing::error!(deployment.id = %route.deployment, error = %refusal, "deployment {} is not served", route.deployment);
            }
            let pool = Pool::new(&route.targets);
            let door = listened.map(|listener| self.open(listener, route.deployment, &pool));
            self.entries.insert(route.deployment, Entry { route, pool, door });
        }
    }

    /// Tries again to listen where it was refused.
    pub(super) fn retry(&mut self) {
        let Self {
            entries, connections, ..
        } = self;
        for (deployment, entry) in entries.iter_mut().filter(|(_, entry)| entry.door.is_err()) {
            // Who holds the port was found out when it was tried first, which takes longer than to try.
            if let Ok(listener) = listener::bind(entry.route.listen) {
                tracing::info!(deployment.id = %deployment, "deployment {deployment} is served again");
                entry.door = Ok(Door::open(listener, *deployment, &entry.pool, connections));
            }
        }
    }

    /// Makes a route or changes one.
    pub(super) async fn set(&mut self, route: Route) -> Result<(), Refusal> {
        self.check(&route)?;
        let known = self.entries.get(&route.deployment);
        let is_listening = known.is_some_and(|entry| entry.route.listen == route.listen && entry.door.is_ok());
        if is_listening && known.is_some_and(|entry| entry.route == route) {
            return Ok(());
        }
        let listener = match is_listening {
            true => None,
            false => Some(listener::listen(route.listen).await?),
        };
        self.keep(self.routes_with(&route)).await?;
        self.apply(route, listener).await;
        Ok(())
    }

    fn check(&self, route: &Route) -> Result<(), Refusal> {
        if let Some(complaint) = route.complaint() {
            return Err(Refusal::Impossible(complaint));
        }
        if let Some(other) = self.others(route.deployment).find(|other| other.listen == route.listen) {
            return Err(Refusal::PortInUse {
                listen: route.listen,
                holder: Some(format!("deployment {}", other.deployment)),
            });
        }
        match self.entries.get(&route.deployment).map(|entry| &entry.route) {
            Some(known) if known.revision > route.revision || (known.revision == route.revision && known != route) => {
                Err(Refusal::Outdated { known: known.revision })
            }
            None if self.entries.len() >= MAX_ROUTES => {
                Err(Refusal::Impossible(format!("there are {MAX_ROUTES} routes already")))
            }
            _ => Ok(()),
        }
    }

    async fn apply(&mut self, route: Route, listener: Option<TcpListener>) {
        let deployment = route.deployment;
        let pool = self.pool(deployment).unwrap_or_else(|| Pool::new(&[]));
        pool.replace(&route.targets);
        let new_door = listener.map(|listener| Ok(self.open(listener, deployment, &pool)));
        match (self.entries.entry(deployment), new_door) {
            (btree_map::Entry::Occupied(mut known), new_door) => {
                known.get_mut().route = route;
                if let Some(door) = new_door
                    && let Ok(old) = std::mem::replace(&mut known.get_mut().door, door)
                {
                    old.close().await;
                }
            }
            (btree_map::Entry::Vacant(place), Some(door)) => {
                place.insert(Entry { route, pool, door });
            }
            // A route that was not known comes with its listener.
            (btree_map::Entry::Vacant(_), None) => {}
        }
    }

    /// Stops listening for a deployment, and returns the targets whose connections are to be drained.
    pub(super) async fn remove(&mut self, deployment: DeploymentId) -> Result<Vec<Arc<Target>>, Refusal> {
        if !self.entries.contains_key(&deployment) {
            return Ok(Vec::new());
        }
        self.keep(self.others(deployment).cloned().collect()).await?;
        match self.entries.remove(&deployment) {
            Some(entry) => Ok(entry.close(Standing::Closed).await),
            None => Ok(Vec::new()),
        }
    }

    /// Stops listening for all, and returns the targets that connections are open to.
    pub(super) async fn close(&mut self, standing: &Standing) -> Vec<Arc<Target>> {
        let mut targets = Vec::new();
        for entry in std::mem::take(&mut self.entries).into_values() {
            targets.extend(entry.close(standing.clone()).await);
        }
        targets
    }

    /// Finds the targets to drain: nothing if no connection to it is left.
    pub(super) fn retired(&self, deployment: DeploymentId, target: SocketAddr) -> Result<Vec<Arc<Target>>, Refusal> {
        let Some(entry) = self.entries.get(&deployment) else {
            return Ok(Vec::new());
        };
        if entry.route.targets.contains(&target) {
            return Err(Refusal::StillRouted { target });
        }
        Ok(entry.pool.retired(target).into_iter().collect())
    }

    pub(super) fn stats(&self) -> Vec<RouteStats> {
        let stats = self.entries.values().map(|entry| RouteStats {
            route: entry.route.clone(),
            problem: entry.door.as_ref().err().map(Refusal::to_string),
            targets: entry.pool.stats(),
        });
        stats.collect()
    }

    /// Returns what another process needs to go on in the place of this one.
    pub(super) fn estate(&self) -> Estate<Arc<TcpListener>> {
        let open = self
            .entries
            .iter()
            .filter_map(|(id, entry)| Some((*id, entry.door.as_ref().ok()?)));
        Estate {
            routes: self.entries.values().map(|entry| entry.route.clone()).collect(),
            listeners: open.map(|(id, door)| (id, door.listener.clone())).collect(),
        }
    }

    fn open(&self, listener: TcpListener, deployment: DeploymentId, pool: &Arc<Pool>) -> Door {
        Door::open(listener, deployment, pool, &self.connections)
    }

    /// Iterates over the routes of all deployments but this one.
    fn others(&self, deployment: DeploymentId) -> impl Iterator<Item = &Route> {
        let routes = self.entries.values().map(|entry| &entry.route);
        routes.filter(move |route| route.deployment != deployment)
    }

    fn routes_with(&self, route: &Route) -> Vec<Route> {
        self.others(route.deployment).chain([route]).cloned().collect()
    }

    async fn keep(&self, routes: Vec<Route>) -> Result<(), Refusal> {
        let directory = self.directory.clone();
        let written = spawn_blocking(move || directory.write_routes(routes)).await;
        written
            .map_err(io::Error::other)
            .flatten()
            .map_err(|cause| Refusal::NotKept(cause.to_string()))
    }
}

impl Entry {
    /// Stops listening. The standing comes first, so that no connection looks for another target after that.
    async fn close(self, standing: Standing) -> Vec<Arc<Target>> {
        self.pool.set_standing(standing);
        if let Ok(door) = self.door {
            door.close().await;
        }
        self.pool.all()
    }
}

/// Drains all of these at the same time, and returns how many connections were cut.
pub(super) async fn drain(targets: &[Arc<Target>], deadline: Instant) -> usize {
    let drains = targets.iter().map(|target| target.drain(deadline));
    futures_util::future::join_all(drains).await.into_iter().sum()
}
