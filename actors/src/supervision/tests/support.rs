//! An actor that does as it is told, and what the tests need around it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::mpsc;

use crate::supervision::{
    ActorState, ActorView, ChildSpec, Children, Handle, Happening, Lifecycle, Limit, Message, Observer, Restart,
    Strategy, SupervisorSpec, Tree, lock,
};

/// How many messages a probe's handle takes.
pub(super) const CAPACITY: usize = 2_000;

/// What a probe is told to do.
pub(super) enum Order {
    Note(String),
    Answer(RpcReplyPort<u32>),
    End,
    Fail,
    Panic,
    /// Waits for a second.
    Nap,
    /// Waits for ever.
    Hang,
    /// Holds its thread until the flag is set.
    Block(Arc<AtomicBool>),
    /// Keeps the reply port and never answers.
    Keep(RpcReplyPort<u32>),
}

impl Message for Order {
    fn kind(&self) -> &'static str {
        match self {
            Self::Note(_) => "note",
            Self::Answer(_) => "answer",
            Self::End => "end",
            Self::Fail => "fail",
            Self::Panic => "panic",
            Self::Nap => "nap",
            Self::Hang => "hang",
            Self::Block(_) => "block",
            Self::Keep(_) => "keep",
        }
    }
}

/// Keeps a thread busy until it is lifted, at the latest when the test ends.
#[derive(Default)]
pub(super) struct Blockade(Arc<AtomicBool>);

impl Blockade {
    /// Makes a probe hold its thread.
    pub(super) async fn impose(&self, tree: &Tree, subject: &Subject) {
        subject
            .handle
            .call(Duration::from_secs(30), Order::Answer)
            .await
            .expect("it answers");
        subject.tell(Order::Block(self.flag()));
        eventually("it blocks", || {
            view(tree, &subject.path).current_message == Some("block")
        })
        .await;
    }

    /// For [`block_until`].
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }

    pub(super) fn lift(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Drop for Blockade {
    fn drop(&mut self) {
        self.lift();
    }
}

/// Holds the thread.
pub(super) fn block_until(is_lifted: &AtomicBool) {
    while !is_lifted.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
}

/// What goes wrong in a probe's lifecycle.
#[derive(Default)]
pub(super) struct Faults {
    /// So many starts fail from now on.
    pub(super) failing_starts: AtomicU32,
    pub(super) panics_in_pre_start: AtomicBool,
    pub(super) hangs_in_pre_start: AtomicBool,
    pub(super) panics_in_post_stop: AtomicBool,
    pub(super) hangs_in_post_stop: AtomicBool,
}

/// What the probes wrote down, in order.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(super) fn write(&self, line: impl Into<String>) {
        lock(&self.0).push(line.into());
    }

    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }

    pub(super) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|written| *written == line).count()
    }
}

pub(super) struct Probe {
    path: String,
    journal: Journal,
    faults: Arc<Faults>,
}

/// Counts the incarnations that exist, down to their drop.
pub(super) struct Alive {
    journal: Journal,
    path: String,
    kept: Vec<RpcReplyPort<u32>>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.journal.write(format!("{} dropped", self.path));
    }
}

impl Actor for Probe {
    type Msg = Order;
    type State = Alive;
    type Arguments = ();

    async fn pre_start(&self, _myself: ActorRef<Order>, (): ()) -> Result<Alive, ActorProcessingErr> {
        let decrement = |left: u32| left.checked_sub(1);
        if self
            .faults
            .failing_starts
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, decrement)
            .is_ok()
        {
            self.journal.write(format!("{} failed to start", self.path));
            return Err("told to fail".into());
        }
        assert!(
            !self.faults.panics_in_pre_start.load(Ordering::SeqCst),
            "told to panic in pre_start"
        );
        if self.faults.hangs_in_pre_start.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.journal.write(format!("{} started", self.path));
        Ok(Alive {
            journal: self.journal.clone(),
            path: self.path.clone(),
            kept: Vec::new(),
        })
    }

    async fn handle(&self, myself: ActorRef<Order>, order: Order, state: &mut Alive) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Note(line) => self.journal.write(line),
            Order::Answer(reply) => reply.send(42)?,
            Order::End => myself.stop(None),
            Order::Fail => return Err("told to fail".into()),
            Order::Panic => panic!("told to panic"),
            Order::Nap => tokio::time::sleep(Duration::from_secs(1)).await,
            Order::Hang => std::future::pending::<()>().await,
            Order::Block(is_lifted) => {
                // With its thread an actor also holds whom it has just woken there, such as its supervisor at its start.
                tokio::task::yield_now().await;
                block_until(&is_lifted);
            }
            Order::Keep(reply) => state.kept.push(reply),
        }
        Ok(())
    }

    async fn post_stop(&self, _myself: ActorRef<Order>, _state: &mut Alive) -> Result<(), ActorProcessingErr> {
        assert!(
            !self.faults.panics_in_post_stop.load(Ordering::SeqCst),
            "told to panic in post_stop"
        );
        if self.faults.hangs_in_post_stop.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.journal.write(format!("{} stopped", self.path));
        Ok(())
    }
}

/// A probe before it is started.
pub(super) struct Subject {
    pub(super) path: String,
    pub(super) handle: Handle<Order>,
    pub(super) faults: Arc<Faults>,
    journal: Journal,
}

impl Subject {
    pub(super) fn new(path: &str, journal: &Journal) -> Self {
        Self {
            path: path.to_owned(),
            handle: Handle::new(path, CAPACITY),
            faults: Arc::default(),
            journal: journal.clone(),
        }
    }

    pub(super) fn spec(&self) -> ChildSpec {
        let (path, journal, faults) = (self.path.clone(), self.journal.clone(), self.faults.clone());
        ChildSpec::worker(&self.path, "probe", &self.handle, move || {
            (
                Probe {
                    path: path.clone(),
                    journal: journal.clone(),
                    faults: faults.clone(),
                },
                (),
            )
        })
    }

    pub(super) fn spec_that_restarts(&self, restart: Restart) -> ChildSpec {
        self.spec().restart(restart)
    }

    pub(super) fn tell(&self, order: Order) {
        self.handle.cast(order).expect("the probe takes messages");
    }
}

/// Three restarts a minute, as the root has.
pub(super) const THREE_A_MINUTE: Limit = Limit::Escalate {
    max_restarts: 3,
    within: Duration::from_secs(60),
};

pub(super) const TENANT: Limit = Limit::BackOff {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(300),
    reset_after: Duration::from_secs(60),
};

pub(super) fn supervisor(path: &str, strategy: Strategy, limit: Limit, children: Vec<ChildSpec>) -> SupervisorSpec {
    SupervisorSpec {
        path: path.to_owned(),
        strategy,
        limit,
        children,
        group: Children::new(path),
    }
}

pub(super) fn root(children: Vec<ChildSpec>) -> SupervisorSpec {
    supervisor("root", Strategy::OneForOne, THREE_A_MINUTE, children)
}

/// Starts a tree that nobody observes.
pub(super) async fn start(root: SupervisorSpec) -> Tree {
    Tree::start(root, Observer::log_only()).await.expect("the tree starts")
}

/// Starts a tree and returns what happens in it.
pub(super) async fn start_observed(root: SupervisorSpec) -> (Tree, mpsc::Receiver<Lifecycle>) {
    let (sender, receiver) = mpsc::channel(10_000);
    (
        Tree::start(root, Observer::new(sender)).await.expect("the tree starts"),
        receiver,
    )
}

/// Returns the pauses before restarts of one actor that were announced so far.
pub(super) fn pauses(happened: &mut mpsc::Receiver<Lifecycle>, path: &str) -> Vec<Duration> {
    std::iter::from_fn(|| happened.try_recv().ok())
        .filter(|lifecycle| lifecycle.path == path)
        .filter_map(|lifecycle| match lifecycle.what {
            Happening::Restarting { after } => Some(after),
            _ => None,
        })
        .collect()
}

/// Waits until something holds; fails after an hour on the test's clock, or half a minute of real time.
pub(super) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(3600);
    let real_deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        let is_late = tokio::time::Instant::now() > deadline || std::time::Instant::now() > real_deadline;
        assert!(!is_late, "it never happened that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) fn view(tree: &Tree, path: &str) -> ActorView {
    tree.actor(path).unwrap_or_else(|| panic!("`{path}` is in the tree"))
}

pub(super) fn is(tree: &Tree, path: &str, state: ActorState) -> bool {
    tree.actor(path).is_some_and(|actor| actor.state == state)
}

/// Waits until an actor runs in its `generation`.
pub(super) async fn runs_as(tree: &Tree, path: &str, generation: u64) {
    eventually(&format!("`{path}` runs as generation {generation}"), || {
        let actor = view(tree, path);
        actor.state == ActorState::Running && actor.generation == generation
    })
    .await;
}

/// Kills an actor as nobody in the program would, from outside of the layer.
pub(super) fn kill(tree: &Tree, path: &str) {
    tree.cell(path).expect("the actor runs").kill();
}
