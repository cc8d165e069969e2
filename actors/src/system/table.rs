//! The tree as one table: who is started, in which order, under which rules.

use std::time::Duration;

use ractor::Actor;

use crate::{
    agent_zero, credentials,
    deployments::reconciler,
    edge, event_bus, journal, metrics, push, scanner, search_index,
    store::ANSWER_TIMEOUT,
    store_watch,
    supervision::{self, ChildSpec, Children, Handle, Limit, Strategy, SupervisorSpec},
    tasks::queue as task_queue,
    webhooks,
};

/// As many nudges and subscriptions may wait for the event bus.
const EVENT_BUS_CAPACITY: usize = 10_000;
/// As many messages may wait for any other of the static actors.
const CAPACITY: usize = 1000;
/// Who waits for the database is told after [`ANSWER_TIMEOUT`] that it does not answer, and must not be taken for stuck
/// before that, nor right then.
const STORE_STALL: Duration = ANSWER_TIMEOUT.saturating_mul(2);
/// Removing a long backlog of events may take this long.
const PRUNE_STALL: Duration = Duration::from_secs(600);
/// The root gives up soon: what is wrong then needs a fresh process.
const ROOT: Limit = Limit::Escalate {
    max_restarts: 3,
    within: Duration::from_secs(60),
};
/// Static actors that fail more often than this bring their supervisor down.
const APP: Limit = Limit::Escalate {
    max_restarts: 10,
    within: Duration::from_secs(60),
};
/// A deployment's actor that fails is tried for ever and takes nobody with it.
const TENANTS: Limit = Limit::BackOff {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(300),
    reset_after: Duration::from_secs(60),
};

/// The addresses of the static actors. They outlive the actors, so those hold each other's.
pub(super) struct Handles {
    store_watch: Handle<store_watch::Message>,
    metrics: Handle<metrics::Message>,
    pub(super) credentials: Handle<credentials::Message>,
    pub(super) events: Handle<event_bus::Message>,
    pub(super) journal: Handle<journal::Message>,
    pub(super) edge: Handle<edge::Message>,
    pub(super) scanner: Handle<scanner::Message>,
    pub(super) search_index: Handle<search_index::Message>,
    pub(super) task_queue: Handle<task_queue::Message>,
    pub(super) agent_zero: Handle<agent_zero::Message>,
    pub(super) push: Handle<push::actor::Message>,
    pub(super) reconciler: Handle<reconciler::Message>,
    pub(super) webhooks: Handle<webhooks::Message>,
}

impl Handles {
    pub(super) fn new() -> Self {
        Self {
            store_watch: Handle::new("store-watch", CAPACITY),
            metrics: Handle::new("metrics", CAPACITY),
            credentials: Handle::new(credentials::PATH, CAPACITY),
            events: Handle::new(event_bus::PATH, EVENT_BUS_CAPACITY),
            journal: Handle::new("journal", CAPACITY),
            edge: Handle::new(edge::PATH, CAPACITY),
            scanner: Handle::new(scanner::PATH, CAPACITY),
            search_index: Handle::new(search_index::PATH, CAPACITY),
            task_queue: Handle::new(task_queue::PATH, CAPACITY),
            agent_zero: Handle::new(agent_zero::PATH, CAPACITY),
            push: Handle::new(push::actor::PATH, CAPACITY),
            reconciler: Handle::new("reconciler", CAPACITY),
            webhooks: Handle::new(webhooks::PATH, CAPACITY),
        }
    }
}

/// What the static actors are given.
pub(super) struct Parts {
    pub(super) events: event_bus::Args,
    pub(super) store_watch: store_watch::Args,
    pub(super) journal: journal::Args,
    pub(super) metrics: metrics::Args,
    pub(super) credentials: credentials::Args,
    pub(super) edge: edge::Args,
    pub(super) scanner: scanner::Args,
    pub(super) search_index: search_index::Args,
    pub(super) task_queue: task_queue::Args,
    pub(super) agent_zero: agent_zero::Args,
    pub(super) push: push::actor::Args,
    pub(super) reconciler: reconciler::Args,
    pub(super) webhooks: webhooks::Args,
}

impl Parts {
    /// The table.
    pub(super) fn root(self, handles: &Handles) -> SupervisorSpec {
        let deployments = SupervisorSpec {
            group: self.reconciler.children.clone(),
            ..supervisor(
                "deployments",
                Strategy::OneForOne,
                TENANTS,
                vec![
                    worker(
                        &handles.reconciler,
                        "reconciler",
                        || reconciler::Reconciler,
                        self.reconciler,
                    )
                    .stall(STORE_STALL),
                ],
            )
        };
        let app = supervisor(
            "app",
            Strategy::OneForOne,
            APP,
            vec![
                worker(&handles.events, "event-bus", || event_bus::Bus, self.events),
                worker(&handles.journal, "journal", || journal::Journal, self.journal).stall(STORE_STALL),
                worker(&handles.metrics, "metrics", || metrics::Metrics, self.metrics),
                worker(
                    &handles.credentials,
                    "credentials",
                    || credentials::Keeper,
                    self.credentials,
                )
                .stall(STORE_STALL),
                worker(&handles.edge, "edge", || edge::EdgeActor, self.edge),
                worker(&handles.scanner, "scanner", || scanner::Scanner, self.scanner),
                worker(
                    &handles.search_index,
                    "search-index",
                    || search_index::SearchIndex,
                    self.search_index,
                ),
                worker(
                    &handles.agent_zero,
                    "agent-zero",
                    || agent_zero::AgentZeroActor,
                    self.agent_zero,
                ),
                ChildSpec::supervisor(deployments),
                worker(&handles.push, "push", || push::actor::PushActor, self.push).stall(STORE_STALL),
                worker(
                    &handles.task_queue,
                    "task-queue",
                    || task_queue::TaskQueue,
                    self.task_queue,
                ),
                worker(&handles.webhooks, "webhooks", || webhooks::WebhooksActor, self.webhooks).stall(STORE_STALL),
            ],
        );
        supervisor(
            "root",
            Strategy::RestForOne,
            ROOT,
            vec![
                worker(
                    &handles.store_watch,
                    "store-watch",
                    || store_watch::StoreWatch,
                    self.store_watch,
                )
                .stall(PRUNE_STALL),
                ChildSpec::supervisor(app),
            ],
        )
    }
}

fn worker<A>(handle: &Handle<A::Msg>, kind: &'static str, actor: fn() -> A, args: A::Arguments) -> ChildSpec
where
    A: Actor,
    A::Msg: supervision::Message,
    A::Arguments: Clone + Sync,
{
    ChildSpec::worker(handle.path(), kind, handle, move || (actor(), args.clone()))
}

fn supervisor(path: &str, strategy: Strategy, limit: Limit, children: Vec<ChildSpec>) -> SupervisorSpec {
    SupervisorSpec {
        path: path.to_owned(),
        strategy,
        limit,
        children,
        group: Children::new(path),
    }
}
