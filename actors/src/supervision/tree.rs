//! The whole tree: starts it, shows it, restarts one actor, says whether it is well, stops it.

use std::{sync::Arc, time::Duration};

use ractor::{ActorRef, ActorStatus};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::warn;

use super::{
    board::Board,
    handle::Away,
    launch::{Afterwards, Seat},
    observer::Observer,
    record::{Place, Record},
    sentinel::{self, SWEEP_INTERVAL, Sentinel},
    spec::{ChildSpec, SupervisorSpec},
    supervisor::{self, KILL_GRACE},
    view::{ActorState, ActorView},
};
use crate::Error;

/// How long a supervisor may take to start all its children again when it is restarted on request.
const SUBTREE_START_LIMIT: Duration = Duration::from_secs(30);

/// A running tree of actors. When the last clone is dropped, whatever still runs is killed.
#[derive(Clone)]
pub struct Tree {
    inner: Arc<Inner>,
}

struct Inner {
    board: Arc<Board>,
    root: Arc<Record>,
    ended: watch::Receiver<bool>,
    /// Sweeps until the root has ended; cancelled with the tree.
    _keeper: JoinSet<()>,
    _actors: KillOnDrop,
}

/// Leaves no actor behind, also when the start of the tree is cut short.
struct KillOnDrop(Arc<Board>);

/// Whether the tree works as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Well,
    /// It does not, for this reason.
    Unwell(String),
}

impl Tree {
    /// Starts all actors of the table, in order, and returns when they run. A tenant that fails to start does not count.
    ///
    /// # Errors
    /// [`Error::Internal`] when the root gave up on a child that does not start, or the table contradicts itself.
    pub async fn start(root: SupervisorSpec, observer: Observer) -> Result<Self, Error> {
        let board = Board::new(observer);
        let spec = ChildSpec::supervisor(root);
        let root = board.enrol(
            &spec,
            Place {
                parent: None,
                rank: 0,
                allowance: None,
            },
        )?;
        root.begin_start();
        let sentinel = Sentinel::start(board.clone())?;
        let actors = KillOnDrop(board.clone());
        let seat = Seat {
            board: board.clone(),
            record: root.clone(),
            supervisor: None,
        };
        let cell = spec.launch.launch(seat).await.map_err(not_started)?;
        let (ended_sender, ended) = watch::channel(false);
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(board.clone(), root.clone(), ended_sender, sentinel));
        let tree = Self {
            inner: Arc::new(Inner {
                board,
                root,
                ended,
                _keeper: keeper,
                _actors: actors,
            }),
        };
        if cell.get_status() < ActorStatus::Stopping {
            tree.inner.root.mark_running();
            return Ok(tree);
        }
        tree.ended().await;
        let exit = tree.inner.root.last_exit();
        Err(not_started(
            exit.map_or("its root ended".to_owned(), |exit| exit.reason),
        ))
    }

    /// Returns all actors, depth first, siblings in the order of their start. Asks none of them, so it answers whatever
    /// they are doing.
    pub fn view(&self) -> Vec<ActorView> {
        self.inner.board.view()
    }

    /// Returns the actor at `path`.
    pub fn actor(&self, path: &str) -> Option<ActorView> {
        self.inner.board.find(path).map(|record| record.view())
    }

    /// Replaces one actor and returns the new one. Its messages are held back meanwhile, and it works off what it has
    /// accepted before it ends, so none is lost; only if it has not ended after `patience` is it killed, with what it
    /// still has. An actor that backs off or has ended is started. A supervisor is restarted with everything below it,
    /// in order. The restart counts against no limit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for the root, whose restart is the program's, and for an actor that is
    /// being stopped; [`Error::Restarting`] when the new one fails to start; [`Error::Busy`], [`Error::Timeout`].
    pub async fn restart(&self, path: &str, patience: Duration) -> Result<ActorView, Error> {
        let not_found = || Error::NotFound {
            kind: "Actor",
            id: path.to_owned(),
        };
        let record = self.inner.board.find(path).ok_or_else(not_found)?;
        let parent = record.parent().ok_or_else(|| Error::Conflict {
            code: "ACTOR_NOT_RESTARTABLE",
            reason: format!("`{path}` is the root of the tree: restart the program instead"),
        })?;
        let supervisor = self.inner.board.find(parent).ok_or_else(not_found)?;
        let group = supervisor.group().ok_or_else(not_found)?;
        group
            .restart(path, patience, record.stall().unwrap_or(SUBTREE_START_LIMIT))
            .await?;
        self.actor(path).ok_or_else(not_found)
    }

    /// Returns whether the tree works: its root runs, no actor is stuck beyond help and none blocks a runtime thread. A
    /// tenant that backs off does not make it unwell.
    pub fn health(&self) -> Health {
        if *self.inner.ended.borrow() {
            return Health::Unwell("the root supervisor has ended".to_owned());
        }
        if let Some(complaint) = self.inner.board.complaint() {
            return Health::Unwell(complaint);
        }
        match self.inner.board.stuck() {
            Some(path) => Health::Unwell(format!("`{path}` is stuck")),
            None => Health::Well,
        }
    }

    /// Stops all actors in reverse order: each works off what it has accepted. Whatever has not ended after `deadline` is
    /// killed. Returns when all have ended; one that blocks its thread cannot be ended and is left behind.
    pub async fn stop(&self, deadline: Duration) {
        if let Some(cell) = self.inner.root.cell() {
            let root: ActorRef<supervisor::Message> = cell.into();
            // An error means that it has ended.
            let _ = root.cast(supervisor::Message::Shutdown {
                afterwards: Afterwards::Leave,
            });
        }
        if timeout(deadline, self.ended()).await.is_err() {
            warn!("some actors had not ended after {deadline:?} and are killed");
            self.kill_all().await;
        }
    }

    /// Returns when the root has ended: because it gave up, or because the tree was stopped.
    pub async fn ended(&self) {
        // An error means that the keeper is gone, and it goes last.
        let _ = self.inner.ended.clone().wait_for(|is_ended| *is_ended).await;
    }

    /// Returns the live incarnation of an actor, for tests that do to it what nobody in the program does.
    #[cfg(test)]
    pub(super) fn cell(&self, path: &str) -> Option<ractor::ActorCell> {
        self.inner.board.find(path)?.cell()
    }

    async fn kill_all(&self) {
        let cells = self.inner.board.kill_all();
        let all_ended = async {
            for cell in cells {
                // Without a limit it cannot time out.
                let _ = cell.wait(None).await;
            }
            self.ended().await;
        };
        if timeout(KILL_GRACE, all_ended).await.is_err() {
            warn!("some actors block their threads and are left behind");
        }
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill_all();
    }
}

/// Sweeps for stuck actors until the root has ended, then closes what is left of the tree.
async fn keep(board: Arc<Board>, root: Arc<Record>, ended: watch::Sender<bool>, sentinel: Sentinel) {
    let mut ticker = interval(SWEEP_INTERVAL);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(mut task) = root.take_task() {
        loop {
            tokio::select! {
                // However the root ended, it has ended.
                _ = &mut task => break,
                _ = ticker.tick() => sentinel::sweep(&board),
            }
        }
    }
    drop(sentinel);
    board.bury_below(root.path());
    board.close_below(root.path());
    root.door().close(Away::Restarting);
    if root.state() != ActorState::GaveUp {
        root.mark_exited("it ended", false);
        root.mark_stopped();
    }
    // An error means that nobody is interested any more.
    let _ = ended.send(true);
}

fn not_started(reason: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the tree did not start: {reason}"))
}
