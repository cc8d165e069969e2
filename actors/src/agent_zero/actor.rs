//! The actor `agent-zero` under `app`: keeps Agent Zero running when it is wanted, and tells how it is.
//!
//! It owns the process, and not what the process works on: a task is its queue's. After a crash a new incarnation finds
//! the process by its record and keeps it; so does the next BorgOS. While the actor is away the process runs on, and
//! callers get `RESTARTING`.
//!
//! It waits for nothing itself. One job, `Life`, starts and ends the process and takes its orders one after the other;
//! another, `Output`, reads what the process prints.

use std::{
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use super::{
    Settings,
    client::{self, Arrival},
    intent::IntentFile,
    life::{self, Life, Parts},
    output::{self, Output},
    process::Process,
    publish::Publisher,
    status::Status,
};
use crate::{
    Error, event_bus,
    runtime::Processes,
    store::Store,
    supervision::{self, Handle},
};

/// The actor's path in the tree.
pub const PATH: &str = "agent-zero";
/// As many orders may wait for each of the jobs.
const MAX_WAITING: usize = 64;
/// So many chats may be ended at a time; more are left to the next stop.
const MAX_ENDING_CHATS: usize = 64;
const END_CHAT_DEADLINE: Duration = Duration::from_secs(10);
/// How long a message can be on its way: a server all of whose threads are held takes it up when one is free.
const ARRIVAL_DEADLINE: Duration = Duration::from_secs(120);

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Have Agent Zero run.
    Start {
        /// Receives success once it was started, which is before it is ready, or what stands in the way.
        reply: RpcReplyPort<Result<(), Error>>,
    },
    /// Have it not run.
    Stop {
        /// Receives success once nothing of it is left.
        reply: RpcReplyPort<Result<(), Error>>,
    },
    /// Stop it, and start it again.
    Restart {
        /// As that of a start.
        reply: RpcReplyPort<Result<(), Error>>,
    },
    /// Show what it printed last.
    Logs {
        /// At most so many lines.
        num_lines: usize,
        /// Receives them, oldest first.
        reply: RpcReplyPort<Result<Vec<String>, Error>>,
    },
    /// End a chat that nobody waits for any more.
    EndChat {
        /// Its id.
        chat: String,
        /// Whether it may be begun only now.
        arrival: Arrival,
    },
    /// A job has ended, which it never should.
    JobEnded,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Restart { .. } => "restart",
            Self::Logs { .. } => "logs",
            Self::EndChat { .. } => "end_chat",
            Self::JobEnded => "job_ended",
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    pub(super) settings: Settings,
    /// Below this it has a directory of its own.
    data_dir: PathBuf,
    /// The program that keeps the process when it is started with `keeper`: this one.
    program: PathBuf,
    /// This installation, whose processes are ended and nobody else's.
    node: Uuid,
    store: Store,
    events: Handle<event_bus::Message>,
    /// Shows how Agent Zero is; it stays the same over restarts of the actor.
    pub(super) status: watch::Sender<Status>,
    /// Counts the prompts that are worked on.
    pub(super) num_in_flight: Arc<AtomicUsize>,
}

impl Args {
    /// Brings together what the actor needs: what the operator says, where to keep records, the program that keeps a
    /// process when it is started with `keeper`, the id of this installation, and where errors and events are written.
    pub fn new(
        settings: Settings,
        data_dir: PathBuf,
        program: PathBuf,
        node: Uuid,
        store: Store,
        events: Handle<event_bus::Message>,
    ) -> Self {
        Self {
            settings,
            data_dir,
            program,
            node,
            store,
            events,
            status: watch::Sender::new(Status::unknown()),
            num_in_flight: Arc::default(),
        }
    }
}

/// The actor.
pub struct AgentZeroActor;

/// What the actor holds.
pub struct State {
    /// Takes orders to the job that has the process.
    life: mpsc::Sender<life::Order>,
    /// Takes orders to the job that reads the output.
    output: mpsc::Sender<output::Order>,
    /// Says how to talk to the process.
    status: watch::Receiver<Status>,
    /// Ends chats, each on its own.
    chats: JoinSet<()>,
    /// Aborts the jobs when the actor goes. The process stays.
    _jobs: JoinSet<()>,
}

impl Actor for AgentZeroActor {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let (life_sender, life_orders) = mpsc::channel(MAX_WAITING);
        let (output_sender, output_orders) = mpsc::channel(MAX_WAITING);
        let publisher = Publisher::new(args.store.clone(), args.events.clone());
        let status = args.status.subscribe();
        let life = Life::new(parts(args, publisher.clone(), output_sender.clone())?);
        let mut jobs = JoinSet::new();
        spawn(&mut jobs, &myself, life.run(life_orders));
        spawn(&mut jobs, &myself, Output::new(publisher).run(output_orders));
        Ok(State {
            life: life_sender,
            output: output_sender,
            status,
            chats: JoinSet::new(),
            _jobs: jobs,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Start { reply } => state.order(life::Order::Start(reply)),
            Message::Stop { reply } => state.order(life::Order::Stop(reply)),
            Message::Restart { reply } => state.order(life::Order::Restart(reply)),
            Message::Logs { num_lines, reply } => state.logs(num_lines, reply),
            Message::EndChat { chat, arrival } => state.end_chat(chat, arrival),
            Message::JobEnded => return Err("a job of `agent-zero` has ended".into()),
        }
        Ok(())
    }
}

impl State {
    fn order(&self, order: life::Order) {
        let (order, error) = match self.life.try_send(order) {
            Ok(()) => return,
            Err(TrySendError::Full(order)) => (order, Error::Busy { actor: PATH.to_owned() }),
            Err(TrySendError::Closed(order)) => (order, Error::Restarting { actor: PATH.to_owned() }),
        };
        let (life::Order::Start(reply) | life::Order::Stop(reply) | life::Order::Restart(reply)) = order;
        // An error means that nobody waits any more.
        let _ = reply.send(Err(error));
    }

    fn logs(&self, num_lines: usize, reply: RpcReplyPort<Result<Vec<String>, Error>>) {
        // A reply that is dropped says that the actor is restarting, which it is about to.
        if let Err(TrySendError::Full(output::Order::Tail { reply, .. })) =
            self.output.try_send(output::Order::Tail { num_lines, reply })
        {
            // An error means that nobody waits any more.
            let _ = reply.send(Err(Error::Busy { actor: PATH.to_owned() }));
        }
    }

    fn end_chat(&mut self, chat: String, arrival: Arrival) {
        while self.chats.try_join_next().is_some() {}
        let Some(api) = self.status.borrow().api.clone() else {
            return;
        };
        if self.chats.len() >= MAX_ENDING_CHATS {
            tracing::warn!("chat {chat} of Agent Zero is left to its next stop: too many are being ended");
            return;
        }
        let patience = match arrival {
            Arrival::Known => END_CHAT_DEADLINE,
            Arrival::Unknown => ARRIVAL_DEADLINE,
        };
        self.chats.spawn(async move {
            if timeout(patience, client::see_ended(&api, &chat, arrival))
                .await
                .is_err()
            {
                tracing::warn!("chat {chat} of Agent Zero was not seen to end within {patience:?}");
            }
        });
    }
}

fn parts(args: Args, publisher: Publisher, output: mpsc::Sender<output::Order>) -> std::io::Result<Parts> {
    let directory = args.data_dir.join(PATH);
    let runtime = Processes::new(&directory, args.program, vec!["keeper".into()])?;
    let marker = args.node.to_string();
    Ok(Parts {
        settings: args.settings,
        process: Process::new(runtime, marker, directory.join("workdir")),
        intent: IntentFile::within(&directory),
        publisher,
        output,
        status: args.status,
        num_in_flight: args.num_in_flight,
    })
}

/// Starts a job; its end, a panic included, is told to the actor.
fn spawn(jobs: &mut JoinSet<()>, myself: &ActorRef<Message>, job: impl Future<Output = ()> + Send + 'static) {
    let myself = myself.clone();
    jobs.spawn(async move {
        let ended = AssertUnwindSafe(job).catch_unwind().await;
        tracing::debug!(has_panicked = ended.is_err(), "a job of `agent-zero` has ended");
        // An error means that the actor is gone.
        let _ = myself.cast(Message::JobEnded);
    });
}
