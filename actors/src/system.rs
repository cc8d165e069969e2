//! The whole of BorgOS below its front end: the tree, wired together, and what the front end may ask.
//!
//! ```text
//! root (rest_for_one)
//! ├─ store-watch           database reachable, retention
//! └─ app (one_for_one)
//!    ├─ event-bus          offsets and fan-out
//!    ├─ journal            publishes what happens to actors
//!    ├─ metrics            samples the machine
//!    ├─ credentials        knows tokens and users
//!    ├─ edge               keeps the process that holds the ports
//!    ├─ scanner            scans what was asked for and what changed
//!    ├─ search-index       finds code and projects
//!    ├─ agent-zero         keeps Agent Zero running when it is wanted
//!    ├─ deployments (one_for_one)
//!    │  ├─ reconciler      one actor for each deployment, nothing running for anything else
//!    │  └─ deployment/…    one for each deployment
//!    ├─ task-queue         claims what is due, and keeps the attempts
//!    └─ webhooks           tells other systems what happens
//! ```

mod table;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use table::{Handles, Parts};

use crate::{
    Error,
    agent_zero::{self, AgentZero},
    checkouts::{Checkouts, Protocol},
    credentials::Credentials,
    deployments::{Deployments, Directory, Runtimes, reconciler},
    edge, event_bus,
    id::ProjectId,
    journal,
    logs::Logs,
    metrics::{self, Sample},
    plan::Images,
    push::{self, Hooks},
    runtime::{self, Docker, Kind, Processes, Runtime},
    scanner::{self, Scans, Snapshots},
    search::code::{CodeIndex, Damaged},
    search_index::{self, Search},
    store::{self, OpenError, Store, deployments},
    store_watch,
    supervision::{self, Children, Handle, Lifecycle, Observer, Tree},
    tasks::{self, AgentSettings, Agents, Tasks},
    value::Network,
    webhooks::{self, Webhooks},
};

/// As many lifecycle events may wait for the journal.
const LIFECYCLE_CAPACITY: usize = 10_000;
/// The engine gets this long to answer when `auto` decides.
const ENGINE_PATIENCE: Duration = Duration::from_secs(3);
/// How long the database may take to close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Which runtime new deployments get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeChoice {
    /// Docker where the engine answers, else processes.
    Auto,
    /// This one, whether it answers now or not.
    Fixed(Kind),
}

/// What the system is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database.
    pub database: store::Settings,
    /// Where records of processes are kept, and whose file system is measured.
    pub data_dir: PathBuf,
    /// How deployments run.
    pub runtime: RuntimeChoice,
    /// Who carries out tasks.
    pub agents: Vec<AgentSettings>,
    /// The program that keeps processes and holds the ports: this one.
    pub program: PathBuf,
    /// Where the projects of Zenith are.
    pub zenith_dir: Option<PathBuf>,
    /// Where Agent Zero is, and how it is started.
    pub agent_zero: agent_zero::Settings,
    /// Inner networks to which webhooks may be sent.
    pub webhook_allow: Vec<Network>,
    /// What written Dockerfiles stand on.
    pub images: Images,
    /// By which protocols commits are fetched.
    pub git_protocols: Vec<Protocol>,
}

/// Why the system could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error("cannot use the database")]
    Store(#[from] OpenError),
    /// The database stopped answering.
    #[error("cannot read the database")]
    Database(#[source] Error),
    /// The data directory cannot be used.
    #[error("cannot use the data directory")]
    Files(#[source] io::Error),
    /// A runtime cannot be set up, such as with a malformed `DOCKER_HOST`.
    #[error("cannot set up the runtime")]
    Runtime(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The credentials cannot be read.
    #[error("cannot read the credentials")]
    Credentials(#[source] Error),
    /// An agent cannot be set up.
    #[error("cannot set up the agents")]
    Agents(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing could be sent to anybody.
    #[error("cannot set up webhooks")]
    Webhooks(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tree did not come up.
    #[error("cannot start the actors")]
    Tree(#[source] Error),
}

/// The running system. Cheap to clone.
#[derive(Clone)]
pub struct System {
    /// All rows.
    pub store: Store,
    /// All actors.
    pub tree: Tree,
    /// What people can do with deployments.
    pub deployments: Deployments,
    /// What people can do with scans.
    pub scans: Scans,
    /// Finds code and projects.
    pub search: Search,
    /// What people can do with tasks.
    pub tasks: Tasks,
    /// What people can do with Agent Zero.
    pub agent_zero: AgentZero,
    /// What people can do with webhooks.
    pub webhooks: Webhooks,
    /// Recognises callers.
    pub credentials: Credentials,
    /// What people and repositories can do with hooks.
    pub hooks: Hooks,
    /// Where events come from.
    pub events: Handle<event_bus::Message>,
    samples: watch::Receiver<Sample>,
    is_database_reachable: watch::Receiver<bool>,
    /// Passes lifecycle events on to the journal; ends with the last clone.
    _forwarder: Arc<JoinSet<()>>,
}

impl System {
    /// Opens the database, finds the runtimes and starts the tree.
    ///
    /// # Errors
    /// Says which of them failed.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let store = Store::open(&settings.database).await?;
        let runtimes = runtimes(&settings, &store).await?;
        let (index, damaged) = open_index(&settings.data_dir).await.map_err(StartError::Files)?;
        let node = tasks::node(&settings.data_dir).map_err(|error| StartError::Agents(error.into()))?;
        let handles = Handles::new();
        let directory = Directory::default();
        let logs = Logs::new(&settings.data_dir);
        let checkouts = Checkouts::below(&settings.data_dir, settings.git_protocols).map_err(StartError::Files)?;
        let prepared = Credentials::prepare(&store, &settings.data_dir, handles.credentials.clone()).await;
        let (credentials, credentials_args) = prepared.map_err(StartError::Credentials)?;
        let (sample_sender, samples) = watch::channel(Sample::default());
        let agent_zero_args = agent_zero::Args::new(
            settings.agent_zero,
            settings.data_dir.clone(),
            settings.program.clone(),
            node,
            store.clone(),
            handles.events.clone(),
        );
        let agent_zero = AgentZero::new(&agent_zero_args, handles.agent_zero.clone());
        let agents = Agents::prepare(settings.agents, &agent_zero).map_err(|error| StartError::Agents(error.into()))?;
        let (reachable_sender, is_database_reachable) = watch::channel(true);
        let scanner = scanner::Args {
            store: store.clone(),
            index: index.clone(),
            snapshots: Snapshots::below(&settings.data_dir).map_err(StartError::Files)?,
            data_dir: settings.data_dir.canonicalize().map_err(StartError::Files)?,
            events: handles.events.clone(),
        };
        let scans = Scans::new(&scanner, handles.scanner.clone(), settings.zenith_dir);
        let deployments = Deployments::new(
            store.clone(),
            runtimes.clone(),
            directory.clone(),
            handles.reconciler.clone(),
            handles.events.clone(),
            logs.clone(),
            checkouts.clone(),
        );
        let webhooks_args = webhooks::Args {
            store: store.clone(),
            sender: webhooks::Sender::new(&settings.webhook_allow)
                .map_err(|error| StartError::Webhooks(error.into()))?,
            events: handles.events.clone(),
        };
        let webhooks = Webhooks::new(&webhooks_args, handles.webhooks.clone());
        let parts = Parts {
            events: event_bus::Args {
                store: store.clone(),
                webhooks: handles.webhooks.clone(),
            },
            store_watch: store_watch::Args {
                store: store.clone(),
                is_reachable: reachable_sender,
            },
            journal: journal::Args {
                store: store.clone(),
                events: handles.events.clone(),
            },
            metrics: metrics::Args {
                data_dir: settings.data_dir.clone(),
                samples: sample_sender,
            },
            credentials: credentials_args,
            task_queue: tasks::queue::Args {
                store: store.clone(),
                agents: agents.clone(),
                node,
                events: handles.events.clone(),
            },
            agent_zero: agent_zero_args,
            edge: edge::Args {
                data_dir: settings.data_dir,
                program: settings.program,
            },
            scanner,
            search_index: search_index::Args {
                store: store.clone(),
                index,
                scanner: handles.scanner.clone(),
            },
            push: push::actor::Args {
                store: store.clone(),
                deployments: deployments.clone(),
            },
            reconciler: reconciler::Args {
                handle: handles.reconciler.clone(),
                store: store.clone(),
                runtimes,
                directory,
                children: Children::new("deployments"),
                edge: handles.edge.clone(),
                events: handles.events.clone(),
                logs,
                checkouts,
            },
            webhooks: webhooks_args,
        };
        let (lifecycles, happened) = mpsc::channel(LIFECYCLE_CAPACITY);
        let tree = Tree::start(parts.root(&handles), Observer::new(lifecycles))
            .await
            .map_err(StartError::Tree)?;
        rebuild(&handles.scanner, &damaged);
        let mut forwarder = JoinSet::new();
        forwarder.spawn(forward(happened, handles.journal));
        Ok(Self {
            tasks: Tasks::new(store.clone(), agents, handles.task_queue, handles.events.clone()),
            deployments,
            hooks: Hooks::new(store.clone(), handles.push),
            search: Search::new(store.clone(), handles.search_index),
            scans,
            agent_zero,
            webhooks,
            credentials,
            store,
            tree,
            events: handles.events,
            samples,
            is_database_reachable,
            _forwarder: Arc::new(forwarder),
        })
    }

    /// Returns what was last seen of the machine.
    pub fn sample(&self) -> Sample {
        *self.samples.borrow()
    }

    /// Returns what is wrong, if anything is.
    pub fn complaint(&self) -> Option<String> {
        if !*self.is_database_reachable.borrow() {
            return Some("the database does not answer".to_owned());
        }
        match self.tree.health() {
            supervision::Health::Well => self.sample().complaint(),
            supervision::Health::Unwell(why) => Some(why),
        }
    }

    /// Stops the actors in order and closes the database. What is deployed runs on.
    pub async fn stop(&self, deadline: Duration) {
        self.tree.stop(deadline).await;
        // Nothing that was committed is lost by a connection that is cut.
        match timeout(CLOSE_PATIENCE, self.store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database was not closed in order"),
            Err(_) => tracing::warn!("the database did not close within {CLOSE_PATIENCE:?}"),
        }
    }
}

async fn forward(mut happened: mpsc::Receiver<Lifecycle>, journal: Handle<journal::Message>) {
    let mut batch = Vec::new();
    while happened.recv_many(&mut batch, 256).await > 0 {
        if let Err(error) = journal.cast(journal::Message::Record(std::mem::take(&mut batch))) {
            tracing::debug!(%error, "the journal took no events");
        }
    }
}

async fn open_index(data_dir: &Path) -> io::Result<(Arc<CodeIndex>, Vec<Damaged>)> {
    let folder = data_dir.join("search");
    let (index, damaged) = spawn_blocking(move || CodeIndex::open(&folder))
        .await
        .map_err(io::Error::other)??;
    Ok((Arc::new(index), damaged))
}

/// Has the damaged parts of the code index built again; until then their projects answer with what is left.
fn rebuild(scanner: &Handle<scanner::Message>, damaged: &[Damaged]) {
    let projects: BTreeSet<ProjectId> = damaged.iter().map(|damaged| damaged.project).collect();
    for project in projects {
        tracing::warn!(project.id = %project, "the code index of project {project} is damaged and is built again");
        if let Err(error) = scanner.cast(scanner::Message::Rebuild { project }) {
            tracing::warn!(%error, "the scanner took no hint");
        }
    }
}

async fn runtimes(settings: &Settings, store: &Store) -> Result<Runtimes, StartError> {
    let docker = Docker::connect(store.instance()).map_err(|error| StartError::Runtime(error.into()))?;
    let docker = docker.with_images(settings.images.clone());
    let keeper_args = vec!["keeper".into()];
    let process = Processes::new(&settings.data_dir, settings.program.clone(), keeper_args)
        .map_err(|error| StartError::Runtime(error.into()))?;
    let default = match settings.runtime {
        RuntimeChoice::Fixed(kind) => kind,
        RuntimeChoice::Auto => detect(&docker).await,
    };
    tracing::info!(runtime = ?default, "new deployments run as {}", match default {
        Kind::Docker => "containers",
        Kind::Process => "processes",
    });
    let rows = deployments::wanted(store).await.map_err(StartError::Database)?;
    let is_docker_used = rows.iter().any(|row| row.runtime == Kind::Docker);
    Ok(Runtimes::new(
        Arc::new(docker),
        Arc::new(process),
        default,
        is_docker_used,
    ))
}

async fn detect(docker: &Docker) -> Kind {
    match timeout(ENGINE_PATIENCE, docker.ping()).await {
        Ok(Ok(_version)) => Kind::Docker,
        Ok(Err(runtime::Error::Unreachable(_))) | Err(_) => Kind::Process,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the container engine answers and cannot be used");
            Kind::Process
        }
    }
}
