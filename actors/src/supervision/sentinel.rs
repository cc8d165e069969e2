//! Finds actors that hang, in two ways for the two ways to hang (see [`super::meter`]).
//!
//! - [`sweep`] runs as a task: an actor that is too long at one message is killed, and its supervisor starts it again.
//! - [`Sentinel`] is a plain thread, which runs even when no task does: it sees an actor that holds its runtime thread,
//!   and a runtime that does not get to run at all. Neither can be mended from here, so it says so and health shows it.
//!
//! A blocked thread can hold more than its own actor: the task that was woken there last waits with it, since tokio lets
//! no other thread take that one over (tokio-rs/tokio#4941). That may be the sweep or a supervisor, so only the thread's
//! word counts.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use tracing::{error, info};

use super::{board::Board, observer::Happening, view::ActorState};
use crate::Error;

/// How often the actors are looked at from within the runtime.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_millis(500);
/// One round of the thread.
const TICK: Duration = Duration::from_millis(250);
/// An actor that runs that long without an await blocks its thread: two seconds.
const BLOCKED_TICKS: u64 = 8;
/// A runtime that has not swept for that long does not run: five seconds.
const SILENT_TICKS: u64 = 20;

/// Kills the actors that are stuck. One is killed once; if that does not end it, it stays [`ActorState::Stuck`]. Those
/// that are starting or ending have deadlines of their own.
pub(super) fn sweep(board: &Board) {
    board.beat();
    for record in board.all() {
        if record.state() != ActorState::Running {
            continue;
        }
        let Some(busy) = record.stuck_at() else { continue };
        if let Some(cell) = record.mark_stuck() {
            board.tell(
                &record,
                Happening::Stuck {
                    message: busy.kind.to_owned(),
                },
            );
            cell.kill();
        }
    }
    board.note_stuck();
}

/// The watching thread. It ends when this is dropped.
pub(super) struct Sentinel {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sentinel {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no thread left.
    pub(super) fn start(board: Arc<Board>) -> Result<Self, Error> {
        let (stop, stopped) = sync_channel(0);
        let thread = std::thread::Builder::new()
            .name("sentinel".to_owned())
            .spawn(move || watch(&board, &stopped))
            .map_err(|error| Error::Internal(format!("the sentinel thread could not be started: {error}")))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It wakes as its channel closes. An error means that it panicked, which the panic hook has shown.
            let _ = thread.join();
        }
    }
}

fn watch(board: &Board, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
        let now = board.ticks().advance();
        report(board, find_fault(board, now));
    }
}

fn find_fault(board: &Board, now: u64) -> Option<String> {
    let blocked = board
        .all()
        .into_iter()
        .find(|record| record.meter().ticks_polled() >= BLOCKED_TICKS);
    if let Some(record) = blocked {
        let kind = record.meter().busy().map_or("a message", |busy| busy.kind);
        return Some(format!("`{}` blocks a runtime thread in `{kind}`", record.path()));
    }
    (now.saturating_sub(board.last_beat()) >= SILENT_TICKS).then(|| "the runtime does not get to run".to_owned())
}

/// Logs a fault once, when it appears and when it is gone.
fn report(board: &Board, fault: Option<String>) {
    let before = board.complaint();
    if before == fault {
        return;
    }
    match &fault {
        Some(fault) => error!("{fault}"),
        None => info!("the runtime is well again"),
    }
    board.complain(fault);
}
