//! The actor `task-queue` under `app`: sees to it that whatever is due is worked on.
//!
//! It owns nothing that matters: tasks, leases and results are rows. A job, `Worker`, claims the tasks, keeps the attempts
//! and writes down what comes of them, so that the actor itself waits for nothing. When the actor goes the attempts go
//! with it; a new incarnation ends what they have left behind and takes their leases back before it claims anything.
//! While it is away tasks are accepted and wait.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::mpsc::error::TrySendError, task::JoinSet, time::timeout};
use uuid::Uuid;

use super::{
    Agents,
    line::{Line, Order},
    worker::{LONGEST_END, Worker},
};
use crate::{event_bus, id::TaskId, store::Store, supervision, supervision::Handle};

/// The actor's path in the tree.
pub const PATH: &str = "task-queue";
/// As many orders may wait for the worker; hints that find no place are no loss, since it looks by itself.
const MAX_ORDERS: usize = 256;
/// How long the worker may take to hand back what it has, and a moment more. BorgOS has ten seconds for its whole end.
const STOP_PATIENCE: Duration = LONGEST_END.saturating_add(Duration::from_millis(100));

/// What the actor can be asked.
#[derive(Debug)]
pub enum Message {
    /// Look for tasks now: there is a new one, or an agent may work again.
    Wake,
    /// End the attempt at a task that was called off.
    Cancel {
        /// The task.
        task: TaskId,
    },
    /// The job has ended, which it does only when the actor does.
    WorkerEnded,
}

impl supervision::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Cancel { .. } => "cancel",
            Self::WorkerEnded => "worker_ended",
        }
    }
}

/// What the actor is given.
#[derive(Debug, Clone)]
pub struct Args {
    /// The database.
    pub store: Store,
    /// Who can carry out tasks.
    pub agents: Agents,
    /// This installation, whose earlier workers are known to be gone.
    pub node: Uuid,
    /// Is told of new events.
    pub events: Handle<event_bus::Message>,
}

/// The actor.
pub struct TaskQueue;

/// What the actor holds.
pub struct State {
    /// Takes orders to the job; without it the job hands back what it has and ends.
    line: Option<Line>,
    /// Aborts the job, and with it all attempts, when the actor goes.
    job: JoinSet<()>,
}

impl Actor for TaskQueue {
    type Msg = Message;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, myself: ActorRef<Message>, args: Args) -> Result<State, ActorProcessingErr> {
        let (line, end) = Line::open(MAX_ORDERS);
        let mut job = JoinSet::new();
        job.spawn(async move {
            let ended = AssertUnwindSafe(Worker::new(args).run(end)).catch_unwind().await;
            tracing::debug!(has_panicked = ended.is_err(), "the worker of the task queue has ended");
            // An error means that the actor is gone.
            let _ = myself.cast(Message::WorkerEnded);
        });
        Ok(State { line: Some(line), job })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Wake => state.pass_on(Order::Wake),
            Message::Cancel { task } => state.pass_on(Order::Cancel(task)),
            Message::WorkerEnded => Err("the worker has ended".into()),
        }
    }

    async fn post_stop(&self, _myself: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.line = None;
        if timeout(STOP_PATIENCE, state.job.join_next()).await.is_err() {
            tracing::warn!("some tasks could not be handed back in time and will be taken back at the next start");
        }
        Ok(())
    }
}

impl State {
    /// What is not passed on is seen by the worker's next look, or with its next heartbeat.
    fn pass_on(&self, order: Order) -> Result<(), ActorProcessingErr> {
        match self.line.as_ref().map(|line| line.give(order)) {
            None | Some(Ok(())) | Some(Err(TrySendError::Full(_))) => Ok(()),
            Some(Err(TrySendError::Closed(_))) => Err("the worker has ended".into()),
        }
    }
}
