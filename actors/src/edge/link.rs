//! The edge actor's connection to the edge process: finds it, starts it, replaces an old one, and asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{JoinSet, spawn_blocking},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{
    TARGET_IN_USE,
    actor::{Args, Message},
    build,
    client::Client,
    directory::Directory,
    drain,
    protocol::{Answer, Refusal, Request, RouteStats},
    route::Route,
    spawn::{Predecessor, Spawner, identify},
};
use crate::{Error, id::DeploymentId, supervision::back_off, value::Port};

/// How long the edge may take for an answer. The slowest is one that waits for the disk.
const ASK_DEADLINE: Duration = Duration::from_secs(10);
/// How often a request is made when the edge ends under it.
const MAX_ATTEMPTS: usize = 3;
/// How often the edge is asked whether it still answers. Its end is seen at once, without asking.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long the connections of a removed deployment may go on.
const REMOVED_GRACE_MS: u64 = 30_000;
/// An edge that ended sooner than that is started again after a growing pause.
const STEADY_AFTER: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The connection, and what is known of the other end.
pub(super) struct Link {
    directory: Directory,
    spawner: Spawner,
    client: Option<Client>,
    /// What the edge has acknowledged, to be told again to one that lost it. Also what makes an edge necessary.
    routes: BTreeMap<DeploymentId, Route>,
    /// Why some of them are not listened on, as the edge said last.
    problems: BTreeMap<DeploymentId, String>,
    /// Drains take long, and each has a connection of its own.
    drains: JoinSet<()>,
    /// When the edge last came up.
    up_since: Option<Instant>,
    /// How often it went or could not be started without having been steady.
    num_failures: u32,
}

impl Link {
    pub(super) fn new(args: Args) -> Self {
        Self {
            directory: Directory::of(&args.data_dir),
            spawner: Spawner {
                program: args.program,
                data_dir: args.data_dir,
            },
            client: None,
            routes: BTreeMap::new(),
            problems: BTreeMap::new(),
            drains: JoinSet::new(),
            up_since: None,
            num_failures: 0,
        }
    }

    /// Does what the messages say, and brings the edge back whenever it is gone, until there will be no more messages.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        self.find().await;
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !self.routes.is_empty() {
                self.ensure().await;
            }
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.handle(message).await,
                    None => return,
                },
                () = self.gone() => self.lose(&io::ErrorKind::UnexpectedEof.into()),
                _ = heartbeat.tick() => self.look().await,
            }
        }
    }

    /// Learns what there is: an edge that runs, or routes that one has left behind.
    async fn find(&mut self) {
        if let Ok(client) = Client::connect(&self.directory).await {
            self.client = self
                .adopt(client)
                .await
                .map_err(|error| warn("an edge that runs does not answer", &error))
                .ok();
        }
        let directory = self.directory.clone();
        let stored = spawn_blocking(move || directory.routes())
            .await
            .map_err(io::Error::other)
            .flatten();
        match stored {
            Ok(routes) => routes.into_iter().for_each(|route| self.learn(route)),
            Err(error) => warn("the routes on disk cannot be read", &error),
        }
    }

    fn learn(&mut self, route: Route) {
        self.routes.entry(route.deployment).or_insert(route);
    }

    /// Waits until the edge is gone. Never ends while there is none.
    async fn gone(&mut self) {
        match &mut self.client {
            Some(client) => client.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Makes sure that an edge that is there still answers, and listens.
    async fn look(&mut self) {
        let Some(client) = &mut self.client else { return };
        match list(client).await {
            Ok(routes) => self.note_problems(&routes),
            Err(error) => self.lose(&error),
        }
    }

    /// An edge that was started again may have found a port taken. It tries again by itself.
    fn note_problems(&mut self, routes: &[RouteStats]) {
        let problem = |stats: &RouteStats| Some((stats.route.deployment, stats.problem.clone()?));
        self.problems = routes.iter().filter_map(problem).collect();
    }

    fn lose(&mut self, error: &io::Error) {
        warn("the edge is gone", error);
        self.client = None;
        if self.up_since.take().is_some_and(|since| since.elapsed() > STEADY_AFTER) {
            self.num_failures = 0;
        }
    }

    /// Has an edge answer, however often that must be tried.
    async fn ensure(&mut self) -> &mut Client {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.bring_up().await,
        };
        self.client.insert(client)
    }

    async fn bring_up(&mut self) -> Client {
        loop {
            // The first time at once: clients wait.
            if let Some(num_pauses) = self.num_failures.checked_sub(1) {
                sleep(back_off(num_pauses, FIRST_PAUSE, LONGEST_PAUSE, rand::random())).await;
            }
            self.num_failures = self.num_failures.saturating_add(1);
            match self.try_bring_up().await {
                Ok(client) => return client,
                Err(error) => tracing::error!(%error, "the edge cannot be started: {error}"),
            }
        }
    }

    async fn try_bring_up(&mut self) -> io::Result<Client> {
        let client = match Client::connect(&self.directory).await {
            Ok(client) => client,
            Err(cause) if is_absence(&cause) => self.spawner.start(Predecessor::None).await?,
            Err(cause) => return Err(cause),
        };
        self.adopt(client).await
    }

    /// Makes an edge that runs ours: replaces it if it is of another build, learns its routes and tells it those it lacks.
    async fn adopt(&mut self, mut client: Client) -> io::Result<Client> {
        let identity = identify(&mut client).await?;
        if is_other_build(&self.spawner, &identity.build).await {
            match self.spawner.start(Predecessor::Running).await {
                Ok(successor) => client = successor,
                // It serves as well as it did before.
                Err(error) => warn("an edge of another build cannot be replaced", &error),
            }
        }
        let listed = list(&mut client).await?;
        self.note_problems(&listed);
        for stats in listed {
            self.learn(stats.route);
        }
        for route in self.routes.values() {
            if let Err(refusal) = client.ask(&Request::Set(route.clone()), ASK_DEADLINE).await? {
                warn("the edge does not take a route", &refusal);
            }
        }
        self.up_since = Some(Instant::now());
        tracing::info!(
            edge.pid = identity.pid,
            num_routes = self.routes.len(),
            "the edge is there"
        );
        Ok(client)
    }

    async fn handle(&mut self, message: Message) {
        // For each an error means that nobody waits any more.
        match message {
            Message::SetRoute { route, reply } => drop(reply.send(self.set(route).await)),
            Message::RemoveRoute { deployment, reply } => drop(reply.send(self.remove(deployment).await)),
            Message::Drain {
                deployment,
                target,
                deadline,
                reply,
            } => {
                while self.drains.try_join_next().is_some() {}
                let directory = self.directory.clone();
                self.drains.spawn(async move {
                    let drained = drain::drain(&directory, deployment, target, deadline).await;
                    drop(reply.send(drained));
                });
            }
            Message::List { reply } => drop(reply.send(self.list().await)),
            Message::Problem { deployment, reply } => drop(reply.send(self.problems.get(&deployment).cloned())),
            Message::Reconcile { known } => self.reconcile(known.into_iter().collect()).await,
            Message::LinkEnded => {}
        }
    }

    async fn set(&mut self, route: Route) -> Result<(), Error> {
        self.ask(&Request::Set(route.clone())).await?;
        self.problems.remove(&route.deployment);
        self.routes.insert(route.deployment, route);
        Ok(())
    }

    async fn remove(&mut self, deployment: DeploymentId) -> Result<(), Error> {
        if self.routes.is_empty() {
            return Ok(());
        }
        let request = Request::Remove {
            deployment,
            deadline_ms: REMOVED_GRACE_MS,
        };
        let answer = self.ask(&request).await?;
        self.routes.remove(&deployment);
        self.problems.remove(&deployment);
        if answer == (Answer::Removed { num_routes: 0 }) {
            self.dismiss().await;
        }
        Ok(())
    }

    /// Ends an edge that has nothing to do.
    async fn dismiss(&mut self) {
        if let Some(mut client) = self.client.take() {
            let request = Request::Stop {
                deadline_ms: REMOVED_GRACE_MS,
            };
            let stopped = client.ask(&request, ASK_DEADLINE).await;
            tracing::info!(is_stopped = stopped.is_ok(), "the edge is not needed any more");
            self.num_failures = 0;
        }
    }

    async fn list(&mut self) -> Result<Vec<RouteStats>, Error> {
        if self.routes.is_empty() {
            return Ok(Vec::new());
        }
        match self.ask(&Request::List).await? {
            Answer::Routes(routes) => Ok(routes),
            other => Err(unexpected(&other)),
        }
    }

    async fn reconcile(&mut self, known: BTreeSet<DeploymentId>) {
        let gone: Vec<_> = self.routes.keys().filter(|id| !known.contains(id)).copied().collect();
        for deployment in gone {
            match self.remove(deployment).await {
                Ok(()) => {
                    tracing::info!(deployment.id = %deployment, "the route of a deployment that is no more was removed")
                }
                Err(error) => warn("the route of a deployment that is no more is left", &error),
            }
        }
    }

    /// Asks the edge, and the next one should it end meanwhile: all requests may be made twice.
    async fn ask(&mut self, request: &Request) -> Result<Answer, Error> {
        for _ in 0..MAX_ATTEMPTS {
            let reply = self.ensure().await.ask(request, ASK_DEADLINE).await;
            match reply {
                Ok(Err(Refusal::Leaving)) => self.lose(&io::Error::other("it is being replaced or ends")),
                Ok(reply) => return reply.map_err(Error::from),
                Err(error) => self.lose(&error),
            }
        }
        Err(Error::Restarting {
            actor: super::actor::PATH.to_owned(),
        })
    }
}

async fn list(client: &mut Client) -> io::Result<Vec<RouteStats>> {
    match client.ask(&Request::List, ASK_DEADLINE).await? {
        Ok(Answer::Routes(routes)) => Ok(routes),
        other => Err(io::Error::other(format!(
            "the edge does not tell its routes: {other:?}"
        ))),
    }
}

async fn is_other_build(spawner: &Spawner, running: &str) -> bool {
    let program = spawner.program.clone();
    let ours = spawn_blocking(move || build::of_file(&program))
        .await
        .map_err(io::Error::other)
        .flatten();
    match ours {
        Ok(ours) => ours != running,
        Err(error) => {
            warn("the program of the edge cannot be looked at", &error);
            false
        }
    }
}

/// Tells whether nobody listens on the control socket.
pub(super) fn is_absence(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

pub(super) fn unexpected(answer: &Answer) -> Error {
    Error::Internal(format!("the edge gave the wrong answer: {answer:?}"))
}

fn warn(message: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "{message}: {error}");
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.to_string();
        match refusal {
            Refusal::PortInUse { listen, holder } => match Port::try_from(i64::from(listen.port())) {
                Ok(port) => Self::PortInUse { port, holder },
                Err(_) => Self::Internal(reason),
            },
            Refusal::Outdated { .. } => Self::Conflict {
                code: "ROUTE_OUTDATED",
                reason,
            },
            Refusal::StillRouted { .. } => Self::Conflict {
                code: TARGET_IN_USE,
                reason,
            },
            Refusal::NotListening { .. } => Self::Impossible {
                code: "PORT_NOT_USABLE",
                reason,
            },
            Refusal::Impossible(_) => Self::Impossible {
                code: "ROUTE_IMPOSSIBLE",
                reason,
            },
            Refusal::Malformed(_) | Refusal::NotKept(_) | Refusal::Leaving => Self::Internal(reason),
        }
    }
}
