//! Starts: each one is a task, since it may take long, and it always reports.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use ractor::{ActorCell, ActorRef, SpawnErr};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use super::{Exit, Message, Phase, State};
use crate::{
    error::chain,
    supervision::{
        launch::Seat,
        observer::Happening,
        record::{Rank, Record},
    },
};

/// How a start ended: the incarnation, or why there is none.
pub(super) type Outcome = Result<ActorCell, String>;

impl State {
    /// Starts a child. Its messages are held back until it runs.
    pub(super) fn begin_start(&mut self, rank: Rank, is_ordered: bool) {
        while self.tasks.try_join_next().is_some() {}
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        child.next_epoch();
        child.verdict = None;
        child.record.begin_start();
        child.record.door().park();
        let (cancel, cancelled) = oneshot::channel();
        child.phase = Phase::Starting {
            cancel: Some(cancel),
            is_ordered,
        };
        let seat = Seat {
            board: self.board.clone(),
            record: child.record.clone(),
            supervisor: Some(self.myself.get_cell()),
        };
        let start = Start {
            record: child.record.clone(),
            launch: child.spec.launch.launch(seat),
            limit: child.spec.stall,
            cancelled,
        };
        self.num_starting += 1;
        self.tasks.spawn(start.run(self.myself.clone(), rank));
    }

    pub(super) fn record_start(&mut self, rank: Rank, outcome: Outcome) {
        self.num_starting -= 1;
        match outcome {
            Ok(cell) => self.welcome(rank, cell),
            Err(reason) => self.after_exit(
                rank,
                Exit {
                    reason,
                    is_abnormal: true,
                },
            ),
        }
        if self.num_starting == 0 {
            self.early_exits.clear();
        }
    }

    fn welcome(&mut self, rank: Rank, cell: ActorCell) {
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        let id = cell.get_id();
        self.actors.insert(id, rank);
        child.phase = Phase::Up { cell };
        child.record.mark_running();
        child.restarts.succeed();
        self.board.tell(&child.record, Happening::Started);
        if let Some(verdict) = child.verdict {
            self.begin_end(rank, verdict, None);
        }
        if let Some(exit) = self.early_exits.remove(&id) {
            self.record_exit(id, exit);
        }
    }
}

/// One attempt to start a child.
struct Start {
    record: Arc<Record>,
    launch: BoxFuture<'static, Result<ActorCell, SpawnErr>>,
    limit: Option<Duration>,
    cancelled: oneshot::Receiver<()>,
}

impl Start {
    async fn run(self, supervisor: ActorRef<Message>, rank: Rank) {
        let Self {
            record,
            launch,
            limit,
            cancelled,
        } = self;
        let outcome = tokio::select! {
            biased;
            outcome = attempt(&record, launch, limit) => outcome,
            _ = cancelled => Err("its start was cancelled".to_owned()),
        };
        // A supervisor that was cut off while it started its children does run, and must be ended as such.
        let outcome = record.cell().map_or(outcome, Ok);
        // An error means that the supervisor has ended.
        let _ = supervisor.cast(Message::RecordStart { rank, outcome });
    }
}

async fn attempt(
    record: &Record,
    launch: BoxFuture<'static, Result<ActorCell, SpawnErr>>,
    limit: Option<Duration>,
) -> Outcome {
    Predecessor::of(record).ended().await;
    // The actor's own steps are caught by ractor; this is for the closure that makes it.
    let launch = AssertUnwindSafe(launch).catch_unwind();
    let launched = match limit {
        Some(limit) => timeout(limit, launch)
            .await
            .map_err(|_| format!("it did not start within {limit:?}"))?,
        None => launch.await,
    };
    match launched {
        Ok(Ok(cell)) => Ok(cell),
        Ok(Err(SpawnErr::StartupFailed(error))) => Err(format!("it could not start: {}", chain(&*error))),
        Ok(Err(error)) => Err(format!("it could not start: {error}")),
        Err(_) => Err("it panicked while it was made".to_owned()),
    }
}

/// The task of the incarnation before. The next one waits for it to be gone with all that it held; if that wait is cut
/// short, the task goes back to the record for the next attempt.
struct Predecessor<'a> {
    record: &'a Record,
    task: Option<JoinHandle<()>>,
}

impl<'a> Predecessor<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            record,
            task: record.take_task(),
        }
    }

    async fn ended(mut self) {
        if let Some(task) = &mut self.task {
            // However it ended, it has ended.
            let _ = task.await;
            self.task = None;
        }
    }
}

impl Drop for Predecessor<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            self.record.put_task(task);
        }
    }
}
