//! Keeps one actor running for each deployment and nothing running for anything else.
//!
//! The worker `reconciler`, first child of `deployments`. It compares the rows with the actors, and what the runtimes run
//! with the rows: at start, every 30 s, and when a runtime says that it may have missed something. It owns
//! nothing; after a crash the next sweep does the same. What a single deployment needs is its own actor's business.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream::BoxStream};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{task::JoinSet, time::sleep};
use tracing::{debug, info, warn};

use super::{Directory, Runtimes, grace::Grace};
use crate::{
    checkouts::Checkouts,
    deployment::{self, DeploymentActor},
    edge, event_bus,
    id::DeploymentId,
    logs::Logs,
    runtime::{self, Built, Change, InstanceRef, Observation},
    store::{Store, deployments, releases},
    supervision::{self, ChildSpec, Children, Handle, Restart},
};

/// How often everything is compared although nothing was heard.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// The pause before a hint is passed on that found no room.
const HINT_PAUSE: Duration = Duration::from_millis(100);
/// A deployment's actor gets this long to finish its message when it is stopped.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// No message of a deployment takes this long: all that waits is done beside the actor.
const STALL: Duration = Duration::from_secs(60);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Compare everything.
    Sweep,
    /// A deployment was created, changed or deleted.
    Look(DeploymentId),
    /// A runtime saw a change.
    Heard(Change),
    /// What the runtimes run and have built, as a sweep asked for.
    Listed(Listed),
}

/// What the runtimes know of.
#[derive(Debug, Default)]
pub struct Listed {
    instances: Vec<(runtime::Kind, Observation)>,
    built: Vec<(runtime::Kind, Built)>,
    /// Who has logs.
    logs: BTreeSet<DeploymentId>,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Look(_) => "look",
            Self::Heard(_) => "heard",
            Self::Listed(_) => "listed",
        }
    }
}

/// What the actor is given.
#[derive(Clone)]
pub struct Args {
    /// The actor's own address, through which hints come: bounded, as what is outside may change without end.
    pub handle: Handle<Message>,
    /// Where the rows are.
    pub store: Store,
    /// What can run deployments.
    pub runtimes: Runtimes,
    /// The addresses of the deployment actors.
    pub directory: Directory,
    /// The supervisor that the deployment actors are started under.
    pub children: Children,
    /// Is told which deployments there are, and passed on to their actors.
    pub edge: Handle<edge::Message>,
    /// Passed on to the deployment actors.
    pub events: Handle<event_bus::Message>,
    /// Where the logs of deployments are.
    pub logs: Logs,
    /// Passed on to the deployment actors.
    pub checkouts: Checkouts,
}

/// The actor.
pub struct Reconciler;

/// What the actor holds.
pub struct State {
    args: Args,
    myself: ActorRef<Message>,
    /// Follows the runtimes' changes; ends with the actor.
    followers: JoinSet<()>,
    /// Lists and removals under way; end with the actor.
    errands: JoinSet<()>,
    /// Instances without a deployment.
    orphans: Grace<(runtime::Kind, DeploymentId, InstanceRef)>,
    /// What was built for releases that can no longer serve.
    waste: Grace<(runtime::Kind, Built)>,
    /// Logs of deployments that are deleted.
    old_logs: Grace<DeploymentId>,
}

impl Actor for Reconciler {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let mut followers = JoinSet::new();
        for runtime in args.runtimes.in_use() {
            followers.spawn(follow(runtime.changes(), args.handle.clone()));
        }
        myself.cast(Message::Sweep)?;
        myself.send_interval(SWEEP_EVERY, || Message::Sweep);
        Ok(State {
            args,
            myself,
            followers,
            errands: JoinSet::new(),
            orphans: Grace::default(),
            waste: Grace::default(),
            old_logs: Grace::default(),
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let handled = match message {
            Message::Sweep => state.sweep().await,
            Message::Look(id) => state.look(id).await,
            Message::Heard(Change::Deployment(id)) => state.nudge(id),
            Message::Heard(Change::Everything) => state.sweep().await,
            Message::Listed(listed) => state.listed(listed).await,
        };
        match handled {
            // A crash would bring no database back, and the next sweep does all of it.
            Err(error) if matches!(error.downcast_ref(), Some(crate::Error::Database(_))) => {
                warn!(%error, "the reconciler waits for the database");
                Ok(())
            }
            other => other,
        }
    }
}

/// Passes a runtime's changes on, as fast as the actor takes them. Ends with the actor.
async fn follow(mut changes: BoxStream<'static, Change>, reconciler: Handle<Message>) {
    while let Some(change) = changes.next().await {
        while let Err(error) = reconciler.cast(Message::Heard(change.clone())) {
            debug!(%error, "the reconciler takes no hint now");
            sleep(HINT_PAUSE).await;
        }
    }
}

impl State {
    async fn sweep(&mut self) -> Result<(), ActorProcessingErr> {
        if let Some(ended) = self.followers.try_join_next() {
            return Err(format!("following a runtime ended: {ended:?}").into());
        }
        let rows = deployments::wanted(&self.args.store).await?;
        let running: HashSet<String> = self.args.children.paths().into_iter().collect();
        for row in &rows {
            if !running.contains(&Directory::path(row.id)) {
                self.start(row).await?;
            }
            self.nudge(row.id)?;
        }
        let wanted: HashSet<DeploymentId> = rows.iter().map(|row| row.id).collect();
        for id in self.args.directory.ids().into_iter().filter(|id| !wanted.contains(id)) {
            // Its row may be younger than the list.
            self.look(id).await?;
        }
        let known = wanted.into_iter().collect();
        if let Err(error) = self.args.edge.cast(edge::Message::Reconcile { known }) {
            debug!(%error, "the edge was not told which deployments there are");
        }
        self.begin_listing();
        Ok(())
    }

    async fn look(&mut self, id: DeploymentId) -> Result<(), ActorProcessingErr> {
        match deployments::deployment(&self.args.store, id).await {
            Ok(row) => {
                if !self.args.children.paths().contains(&Directory::path(id)) {
                    self.start(&row).await?;
                }
                self.nudge(id)
            }
            Err(crate::Error::NotFound { .. }) => {
                self.forget(id).await;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tells a deployment's actor, if there is one, to look. If it has too many messages waiting it looks soon anyway.
    fn nudge(&self, id: DeploymentId) -> Result<(), ActorProcessingErr> {
        let Some(handle) = self.args.directory.find(id) else {
            return Ok(());
        };
        match handle.cast(deployment::Message::Reconcile) {
            Ok(())
            | Err(crate::Error::Busy { .. } | crate::Error::Restarting { .. } | crate::Error::NotFound { .. }) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn start(&self, row: &deployments::Deployment) -> Result<(), ActorProcessingErr> {
        let path = Directory::path(row.id);
        let args = deployment::Args {
            deployment: row.id,
            store: self.args.store.clone(),
            port: row.port,
            runtime: self.args.runtimes.get(row.runtime),
            edge: self.args.edge.clone(),
            events: self.args.events.clone(),
            logs: self.args.logs.clone(),
            checkouts: self.args.checkouts.clone(),
        };
        let handle = self.args.directory.handle(row.id);
        let spec = ChildSpec::worker(path, "deployment", &handle, move || (DeploymentActor, args.clone()))
            .subject(row.id.0)
            .restart(Restart::Permanent)
            .shutdown(SHUTDOWN)
            .stall(STALL);
        self.args.children.start(spec).await?;
        Ok(())
    }

    /// Ends the actor of a deployment that is deleted. One that cannot be ended now is met again by the next sweep.
    async fn forget(&self, id: DeploymentId) {
        let path = Directory::path(id);
        if self.args.children.paths().contains(&path)
            && let Err(error) = self.args.children.stop(&path).await
        {
            warn!(deployment.id = %id, %error, "the actor of a deleted deployment could not be ended");
            return;
        }
        self.args.directory.forget(id);
    }

    /// Asks the runtimes what runs and what was built, beside the actor: an engine may take its time.
    fn begin_listing(&mut self) {
        while self.errands.try_join_next().is_some() {}
        let runtimes = self.args.runtimes.in_use();
        let (myself, logs) = (self.myself.clone(), self.args.logs.clone());
        self.errands.spawn(async move {
            let mut listed = Listed::default();
            match logs.deployments().await {
                Ok(deployments) => listed.logs = deployments,
                Err(error) => warn!(%error, "the logs could not be listed"),
            }
            for runtime in runtimes {
                let kind = runtime.kind();
                match (runtime.list().await, runtime.built().await) {
                    (Ok(instances), Ok(built)) => {
                        listed.instances.extend(instances.into_iter().map(|seen| (kind, seen)));
                        listed.built.extend(built.into_iter().map(|built| (kind, built)));
                    }
                    (Err(error), _) | (_, Err(error)) => {
                        warn!(%error, runtime = ?kind, "what runs could not be listed")
                    }
                }
            }
            // An error means that the actor is gone, and its successor sweeps anew.
            let _ = myself.cast(Message::Listed(listed));
        });
    }

    /// Removes what has been in nobody's use for long enough: instances and logs without a deployment, and what was built
    /// for releases that can no longer serve.
    async fn listed(&mut self, listed: Listed) -> Result<(), ActorProcessingErr> {
        let rows = deployments::wanted(&self.args.store).await?;
        let needed = releases::needed(&self.args.store, rows.iter().map(|row| row.id)).await?;
        let is_owned = |kind, id| rows.iter().any(|row| row.id == id && row.runtime == kind);
        let orphans = listed.instances.into_iter();
        let orphans = orphans.filter(|(kind, seen)| !is_owned(*kind, seen.deployment));
        let orphans = orphans.map(|(kind, seen)| (kind, seen.deployment, seen.instance));
        for (kind, deployment, instance) in self.orphans.due(orphans) {
            self.reap(kind, deployment, instance);
        }
        let waste = listed.built.into_iter().filter(|(_, built)| !needed.contains(built));
        for (kind, built) in self.waste.due(waste) {
            self.discard(kind, built);
        }
        let old_logs = listed.logs.into_iter();
        let old_logs = old_logs.filter(|id| rows.iter().all(|row| row.id != *id));
        for deployment in self.old_logs.due(old_logs) {
            self.forget_logs(deployment);
        }
        Ok(())
    }

    fn reap(&mut self, kind: runtime::Kind, deployment: DeploymentId, instance: InstanceRef) {
        let runtime = self.args.runtimes.get(kind);
        self.errands.spawn(async move {
            match runtime.remove(&instance).await {
                Ok(()) => info!(deployment.id = %deployment, ?instance, "removed an instance without a deployment"),
                Err(error) => warn!(deployment.id = %deployment, ?instance, %error, "an orphan could not be removed"),
            }
        });
    }

    fn forget_logs(&mut self, deployment: DeploymentId) {
        let logs = self.args.logs.clone();
        self.errands.spawn(async move {
            match logs.remove(deployment).await {
                Ok(()) => info!(deployment.id = %deployment, "removed the logs of a deleted deployment"),
                Err(error) => warn!(deployment.id = %deployment, %error, "old logs could not be removed"),
            }
        });
    }

    fn discard(&mut self, kind: runtime::Kind, built: Built) {
        let runtime = self.args.runtimes.get(kind);
        self.errands.spawn(async move {
            let Built { deployment, release } = built;
            match runtime.discard(built).await {
                Ok(()) => info!(deployment.id = %deployment, release, "discarded what no release needs any more"),
                // Such as an image that a stranger's container uses.
                Err(error) => debug!(deployment.id = %deployment, release, %error, "what no release needs is kept"),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::stream;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_changes_waits_at_its_source() {
        let num_taken = Arc::new(AtomicUsize::new(0));
        let counter = num_taken.clone();
        let flood = stream::repeat_with(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Change::Everything
        });
        let reconciler = Handle::new("reconciler", 3);
        timeout(HINT_PAUSE * 100, follow(flood.boxed(), reconciler))
            .await
            .unwrap_err();
        assert_eq!(num_taken.load(Ordering::Relaxed), 4);
    }
}
