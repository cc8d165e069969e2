//! How an incarnation comes to be and is asked to end: the part of a child spec that knows the actor's type.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use ractor::{Actor, ActorCell, ActorRef, SpawnErr};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    board::Board,
    handle::{Door, Handle, Queued},
    record::Record,
    spec::{SupervisorSpec, Table},
    supervisor::{self, Supervisor},
    worker::{Message, Supervised},
};

/// Where an incarnation goes.
pub(super) struct Seat {
    pub(super) board: Arc<Board>,
    pub(super) record: Arc<Record>,
    /// Only the root has none.
    pub(super) supervisor: Option<ActorCell>,
}

/// What comes after an actor that is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// The next incarnation: messages are held back for it.
    Return,
    /// Nothing.
    Leave,
}

/// Makes and ends incarnations of one child.
pub(super) trait Launch: Send + Sync {
    /// Starts an incarnation, links it to its supervisor and opens its handle. A supervisor is started when all its
    /// children are. Dropping the future before the incarnation is attached to its record leaves nothing behind.
    fn launch(&self, seat: Seat) -> BoxFuture<'static, Result<ActorCell, SpawnErr>>;

    /// Asks an incarnation to work off what it has accepted, and to end.
    fn ask_to_end(&self, cell: &ActorCell, afterwards: Afterwards);

    fn door(&self) -> Arc<dyn Door>;

    /// Returns the supervisor's table, if the child is one.
    fn table(&self) -> Option<&Table>;
}

/// Launches a worker.
pub(super) struct Worker<A: Actor, F> {
    handle: Handle<A::Msg>,
    start: Arc<F>,
}

impl<A: Actor, F> Worker<A, F> {
    pub(super) fn new(handle: Handle<A::Msg>, start: F) -> Self {
        Self {
            handle,
            start: Arc::new(start),
        }
    }
}

impl<A, F> Launch for Worker<A, F>
where
    A: Actor,
    A::Msg: Message,
    F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
{
    fn launch(&self, seat: Seat) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> {
        let (handle, start) = (self.handle.clone(), self.start.clone());
        async move {
            let (actor, args) = start();
            spawn(actor, args, &handle, &seat).await
        }
        .boxed()
    }

    fn ask_to_end(&self, cell: &ActorCell, _afterwards: Afterwards) {
        // An error means that the actor is dead, which its supervisor is about to be told.
        let _ = cell.drain();
    }

    fn door(&self) -> Arc<dyn Door> {
        self.handle.door()
    }

    fn table(&self) -> Option<&Table> {
        None
    }
}

/// Launches a supervisor.
pub(super) struct Subtree {
    table: Arc<Table>,
}

impl Subtree {
    pub(super) fn new(spec: SupervisorSpec) -> Self {
        Self {
            table: Arc::new(spec.into()),
        }
    }
}

impl Launch for Subtree {
    fn launch(&self, seat: Seat) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> {
        let table = self.table.clone();
        async move {
            let handle = table.group.handle().clone();
            let (is_up, up) = oneshot::channel();
            let args = supervisor::Args {
                board: seat.board.clone(),
                record: seat.record.clone(),
                table,
                is_up,
            };
            let cell = spawn(Supervisor, args, &handle, &seat).await?;
            // An error means that it ended before its children were up; whoever supervises it is told of the end itself.
            let _ = up.await;
            Ok(cell)
        }
        .boxed()
    }

    fn ask_to_end(&self, cell: &ActorCell, afterwards: Afterwards) {
        let supervisor: ActorRef<supervisor::Message> = cell.clone().into();
        // An error means that it is dead, which its own supervisor is about to be told.
        let _ = supervisor.cast(supervisor::Message::Shutdown { afterwards });
    }

    fn door(&self) -> Arc<dyn Door> {
        self.table.group.handle().door()
    }

    fn table(&self) -> Option<&Table> {
        Some(&self.table)
    }
}

async fn spawn<A>(actor: A, args: A::Arguments, handle: &Handle<A::Msg>, seat: &Seat) -> Result<ActorCell, SpawnErr>
where
    A: Actor,
    A::Msg: Message,
{
    let queued = Queued::default();
    let supervised = Supervised::new(actor, seat.record.clone(), queued.clone());
    // Without a name: ractor's registry is global to the process.
    let (actor_ref, task): (ActorRef<A::Msg>, JoinHandle<()>) = match &seat.supervisor {
        Some(supervisor) => Actor::spawn_linked(None, supervised, args, supervisor.clone()).await?,
        None => Actor::spawn(None, supervised, args).await?,
    };
    seat.record.attach(actor_ref.get_cell(), task);
    handle.open(actor_ref.clone(), queued);
    Ok(actor_ref.get_cell())
}
