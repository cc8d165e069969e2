//! The actor `scanner` under `app`: decides which project is scanned next.
//!
//! It owns the order of the scans and what is watched; the work itself is a job's, one at a time, since each scan takes
//! all cores but one. What is asked for is in rows, which the actor reads when it starts and every half a minute, so a
//! crash loses nothing but the time that a scan had taken. While the actor is away requests are still accepted.

use std::{
    collections::{HashSet, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};

use super::{
    Snapshots,
    job::{Ended, Job},
    watcher::Watcher,
};
use crate::{
    Error, event_bus,
    id::ProjectId,
    search::code::CodeIndex,
    store::{Store, projects, scans},
    supervision::{self, Handle},
};

/// The actor's path in the tree.
pub const PATH: &str = "scanner";
/// How often the rows are looked at, whatever hints there were.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// When a scan is tried again that something other than its project stood in the way of.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Make the scans that were asked for, in rows.
    Scan(Vec<ProjectId>),
    /// Scan a project whose files have changed.
    Rescan {
        /// Which project.
        project: ProjectId,
    },
    /// Read everything of a project anew, since what is kept of it is damaged.
    Rebuild {
        /// Which project.
        project: ProjectId,
    },
    /// Let go of a project that was deleted.
    Forget {
        /// Which project.
        project: ProjectId,
    },
    /// Look at the rows.
    Sweep,
    /// Take up the work after a start.
    Recover {
        /// The active projects that were scanned before; they may have changed since.
        scanned: Vec<ProjectId>,
        /// All projects.
        known: HashSet<ProjectId>,
    },
    /// Go on after a scan.
    Finish {
        /// Which project it scanned.
        project: ProjectId,
        /// How that ended.
        ended: Ended,
    },
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Scan(_) => "scan",
            Self::Rescan { .. } => "rescan",
            Self::Rebuild { .. } => "rebuild",
            Self::Forget { .. } => "forget",
            Self::Sweep => "sweep",
            Self::Recover { .. } => "recover",
            Self::Finish { .. } => "finish",
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// All rows.
    pub store: Store,
    /// Fed by the scans.
    pub index: Arc<CodeIndex>,
    /// What scans leave for the next ones.
    pub snapshots: Snapshots,
    /// BorgOS's own directory, which is never scanned.
    pub data_dir: PathBuf,
    /// Told that there are events.
    pub events: Handle<event_bus::Message>,
}

/// The actor.
pub struct Scanner;

/// What the actor holds.
pub struct State {
    args: Args,
    /// The projects whose scans somebody waits for; they are scanned first.
    asked: VecDeque<ProjectId>,
    /// The projects that may have changed.
    changed: VecDeque<ProjectId>,
    /// Those of which nothing kept is to be trusted.
    damaged: HashSet<ProjectId>,
    /// The project that is being scanned, and how that is ended.
    running: Option<(ProjectId, AbortHandle)>,
    /// Whether someone asked for the running scan meanwhile, who gets no answer if it finds nothing new.
    is_joined: bool,
    watcher: Watcher,
    /// The scan and the looks at the rows; they end with the actor.
    jobs: JoinSet<()>,
}

impl Actor for Scanner {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let watched = myself.clone();
        let watcher = Watcher::start(move |project| {
            // An error means that the actor is gone.
            let _ = watched.cast(Message::Rescan { project });
        })?;
        let mut jobs = JoinSet::new();
        jobs.spawn(recover(args.store.clone(), myself));
        Ok(State {
            args,
            asked: VecDeque::new(),
            changed: VecDeque::new(),
            damaged: HashSet::new(),
            running: None,
            is_joined: false,
            watcher,
            jobs,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        while state.jobs.try_join_next().is_some() {}
        match message {
            Message::Scan(projects) => state.scan(projects),
            Message::Rescan { project } => put(&mut state.changed, project),
            Message::Rebuild { project } => state.rebuild(project),
            Message::Forget { project } => state.forget(project),
            Message::Sweep => state.sweep(&myself),
            Message::Recover { scanned, known } => state.recover(scanned, &known),
            Message::Finish { project, ended } => state.finish(&myself, project, ended),
        }
        state.start_next(&myself);
        Ok(())
    }
}

impl State {
    /// A scan that is under way is joined: its end answers all who asked.
    fn scan(&mut self, projects: Vec<ProjectId>) {
        for project in projects {
            match self.is_running(project) {
                true => self.is_joined = true,
                false => put(&mut self.asked, project),
            }
        }
    }

    /// Each search that meets the damage says so, until it is mended.
    fn rebuild(&mut self, project: ProjectId) {
        if self.damaged.insert(project) {
            put(&mut self.changed, project);
        }
    }

    fn forget(&mut self, project: ProjectId) {
        self.asked.retain(|waiting| *waiting != project);
        self.changed.retain(|waiting| *waiting != project);
        self.damaged.remove(&project);
        self.watcher.leave(project);
        if let Some((_, scan)) = self.running.take_if(|(running, _)| *running == project) {
            scan.abort();
        }
        let Args { index, snapshots, .. } = self.args.clone();
        self.jobs.spawn(async move {
            // What is left over is found when the actor starts next.
            let removed = spawn_blocking(move || {
                index.remove(project).map_err(|error| error.to_string())?;
                snapshots.remove(project).map_err(|error| error.to_string())
            });
            if let Ok(Err(error)) = removed.await {
                tracing::warn!(project.id = %project, error, "what was kept of project {project} is still there");
            }
        });
    }

    fn sweep(&mut self, myself: &ActorRef<Message>) {
        self.look_for_requests(myself.clone());
        myself.send_after(SWEEP_EVERY, || Message::Sweep);
    }

    fn look_for_requests(&mut self, myself: ActorRef<Message>) {
        let store = self.args.store.clone();
        self.jobs.spawn(async move {
            match scans::requested(&store).await {
                Ok(projects) => drop(myself.cast(Message::Scan(projects))),
                Err(error) => tracing::debug!(%error, "the requested scans could not be read"),
            }
        });
    }

    fn recover(&mut self, scanned: Vec<ProjectId>, known: &HashSet<ProjectId>) {
        for project in self.args.index.projects() {
            if !known.contains(&project) {
                self.forget(project);
            }
        }
        for project in scanned {
            put(&mut self.changed, project);
        }
    }

    fn finish(&mut self, myself: &ActorRef<Message>, project: ProjectId, ended: Ended) {
        if self.running.take_if(|(running, _)| *running == project).is_none() {
            // It was forgotten meanwhile.
            return;
        }
        match ended {
            Ended::Kept(directories) => {
                self.damaged.remove(&project);
                self.watcher.watch(project, directories);
            }
            Ended::Idle => self.watcher.leave(project),
            Ended::Failed => {}
            Ended::Later => drop(myself.send_after(RETRY_AFTER, move || Message::Rescan { project })),
        }
        if std::mem::take(&mut self.is_joined) {
            self.look_for_requests(myself.clone());
        }
    }

    fn start_next(&mut self, myself: &ActorRef<Message>) {
        if self.running.is_some() {
            return;
        }
        let Some(project) = self.asked.pop_front().or_else(|| self.changed.pop_front()) else {
            return;
        };
        self.changed.retain(|waiting| *waiting != project);
        let job = Job {
            args: self.args.clone(),
            project,
            is_full: self.damaged.contains(&project),
        };
        let myself = myself.clone();
        let scan = self.jobs.spawn(async move {
            let ended = job.run().await;
            // An error means that the actor is gone.
            let _ = myself.cast(Message::Finish { project, ended });
        });
        self.running = Some((project, scan));
    }

    fn is_running(&self, project: ProjectId) -> bool {
        self.running.as_ref().is_some_and(|(running, _)| *running == project)
    }
}

/// Adds a project to those that wait, once.
fn put(waiting: &mut VecDeque<ProjectId>, project: ProjectId) {
    if !waiting.contains(&project) {
        waiting.push_back(project);
    }
}

/// Looks at the rows until the database answers, and begins the sweeps.
async fn recover(store: Store, myself: ActorRef<Message>) {
    loop {
        match look(&store).await {
            Ok(recovered) => {
                // An error means that the actor is gone.
                let _ = myself.cast(Message::Sweep);
                let _ = myself.cast(recovered);
                return;
            }
            Err(error) => {
                tracing::debug!(%error, "the projects could not be read");
                tokio::time::sleep(SWEEP_EVERY).await;
            }
        }
    }
}

async fn look(store: &Store) -> Result<Message, Error> {
    let active = projects::paths(store, None).await?;
    let scanned = scans::scanned(store).await?;
    Ok(Message::Recover {
        scanned: scanned.into_iter().filter(|id| active.contains_key(id)).collect(),
        known: projects::ids(store).await?,
    })
}
