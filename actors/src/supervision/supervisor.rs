//! The supervisor: an actor that starts its children, hears of their ends and decides what comes next.
//!
//! It never waits for a child inside a message. What takes time (a start, a pause, a deadline) is a task that reports
//! back, so that the other children stay supervised meanwhile. What needs an order (boot, rest_for_one, stop) is not a
//! script but a level: each child says what it still has to do, and [`State::advance`] does the next possible step
//! after whatever happened.
//!
//! It owns nothing that must survive it: records are on the board, children that were added later are on the roster of
//! its [`Children`](super::Children) handle. When it dies ractor kills its children, and its own supervisor starts all of
//! it again.

mod child;
mod ending;
mod exit;
mod order;
mod request;
mod starting;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    board::Board,
    launch::Afterwards,
    record::{Place, Rank, Record},
    spec::{ChildSpec, Table},
    worker,
};
use crate::Error;
use child::{Child, Phase};
use exit::Exit;
use starting::Outcome;

/// How long a killed actor may take to reach an await. One that does not is blocking its thread.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(1);

/// Where the answer to a request goes.
pub(super) type Reply = RpcReplyPort<Result<(), Error>>;

/// What a supervisor is asked and told.
pub(super) enum Message {
    /// Take and start another child.
    StartChild { spec: Arc<ChildSpec>, reply: Reply },
    /// End a child for good.
    StopChild { path: String, reply: Reply },
    /// Replace a child by a new incarnation. The old one is killed if it has not ended after `patience`.
    RestartChild {
        path: String,
        patience: Duration,
        reply: Reply,
    },
    /// End all children in order, then yourself.
    Shutdown { afterwards: Afterwards },
    /// A start came to its end.
    RecordStart { rank: Rank, outcome: Outcome },
    /// A pause or a deadline is over, if the child is still at the same `epoch`.
    RecordDue { rank: Rank, epoch: u64 },
}

impl worker::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::StartChild { .. } => "start_child",
            Self::StopChild { .. } => "stop_child",
            Self::RestartChild { .. } => "restart_child",
            Self::Shutdown { .. } => "shutdown",
            Self::RecordStart { .. } => "record_start",
            Self::RecordDue { .. } => "record_due",
        }
    }
}

pub(super) struct Args {
    pub(super) board: Arc<Board>,
    pub(super) record: Arc<Record>,
    pub(super) table: Arc<Table>,
    /// Told once all children of the table have been started.
    pub(super) is_up: oneshot::Sender<()>,
}

pub(super) struct State {
    myself: ActorRef<Message>,
    board: Arc<Board>,
    record: Arc<Record>,
    table: Arc<Table>,
    is_up: Option<oneshot::Sender<()>>,
    goal: Goal,
    children: BTreeMap<Rank, Child>,
    ranks: HashMap<String, Rank>,
    /// Which child an incarnation belongs to.
    actors: HashMap<ActorId, Rank>,
    /// Ends that overtook the news of their start: ractor delivers ends first.
    early_exits: HashMap<ActorId, Exit>,
    num_starting: usize,
    next_rank: Rank,
    /// Whether a child may have to wait for another one's start or end.
    is_ordering: bool,
    /// Starts, pauses and deadlines; they end with the supervisor.
    tasks: JoinSet<()>,
}

/// What a supervisor is about.
enum Goal {
    /// Keep the children running.
    Run,
    /// End them all, then itself.
    Stop(Afterwards),
    /// End them all, then fail for that reason.
    GiveUp(String),
}

/// See the module.
pub(super) struct Supervisor;

impl Actor for Supervisor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        Ok(State::new(myself, args)?)
    }

    async fn post_start(&self, _myself: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.boot();
        state.advance()
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::StartChild { spec, reply } => state.start_child(spec, reply),
            Message::StopChild { path, reply } => state.stop_child(&path, reply),
            Message::RestartChild { path, patience, reply } => state.restart_child(&path, patience, reply),
            Message::Shutdown { afterwards } => state.shutdown(afterwards),
            Message::RecordStart { rank, outcome } => state.record_start(rank, outcome),
            Message::RecordDue { rank, epoch } => state.record_due(rank, epoch),
        }
        state.advance()
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(cell, last_state, reason) => {
                // Before anything else is started: it may hold what the next incarnation needs.
                drop(last_state);
                state.record_exit(cell.get_id(), Exit::terminated(reason));
            }
            SupervisionEvent::ActorFailed(cell, error) => state.record_exit(cell.get_id(), Exit::failed(&*error)),
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        state.advance()
    }
}

impl State {
    fn new(myself: ActorRef<Message>, args: Args) -> Result<Self, Error> {
        let Args {
            board,
            record,
            table,
            is_up,
        } = args;
        if let Some(allowance) = &table.allowance {
            allowance.reset();
        }
        let mut state = Self {
            myself,
            board,
            record,
            table: table.clone(),
            is_up: Some(is_up),
            goal: Goal::Run,
            children: BTreeMap::new(),
            ranks: HashMap::new(),
            actors: HashMap::new(),
            early_exits: HashMap::new(),
            num_starting: 0,
            next_rank: 0,
            is_ordering: true,
            tasks: JoinSet::new(),
        };
        for (rank, spec) in (0..).zip(&table.children) {
            state.admit(rank, spec, false)?;
        }
        for (rank, spec) in table.group.roster() {
            state.admit(rank, &spec, true)?;
        }
        Ok(state)
    }

    /// Makes a place for a child, without starting it.
    fn admit(&mut self, rank: Rank, spec: &Arc<ChildSpec>, is_dynamic: bool) -> Result<(), Error> {
        let allowance = self.table.allowance.clone();
        let record = self.board.enrol(
            spec,
            Place {
                parent: Some(&self.table.path),
                rank,
                allowance,
            },
        )?;
        self.ranks.insert(spec.path.clone(), rank);
        self.children.insert(rank, Child::new(spec.clone(), record, is_dynamic));
        self.next_rank = self.next_rank.max(rank + 1);
        Ok(())
    }

    /// Begins with the children that owe nobody an order. Those of the table follow one by one.
    fn boot(&mut self) {
        let dynamic: Vec<Rank> = self
            .children
            .iter()
            .filter(|(_, child)| child.is_dynamic)
            .map(|(rank, _)| *rank)
            .collect();
        for rank in dynamic {
            self.begin_start(rank, false);
        }
    }

    /// Arranges for [`Message::RecordDue`] after `delay`, unless the child goes on to something else before.
    fn set_timer(&mut self, rank: Rank, delay: Duration) {
        while self.tasks.try_join_next().is_some() {}
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        let epoch = child.next_epoch();
        let myself = self.myself.clone();
        let timer = self.tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            // An error means that this supervisor has ended.
            let _ = myself.cast(Message::RecordDue { rank, epoch });
        });
        child.set_timer(timer);
    }
}
