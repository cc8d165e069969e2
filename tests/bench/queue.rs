//! Ours: the queue and the event bus as the program runs them, and an agent that does nothing.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use async_trait::async_trait;
use borgos_actors::{
    event_bus,
    store::{Settings, Store},
    supervision::{ChildSpec, Children, Handle, Limit, Observer, Strategy, SupervisorSpec, Tree},
    tasks::{
        Agent, Agents, Attempt, Control, Entry, Failure, Health, Limits, Output, TaskRequest, Tasks, USUAL_PRIORITY,
        queue,
    },
    webhooks,
};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::{sync::watch, time::sleep};
use uuid::Uuid;

use super::{BATCH, Figures, NUM_BULK, NUM_CLIENTS, NUM_PICKUPS, NUM_SINGLE};

const NAME: &str = "nothing";
const CAPACITY: usize = 1000;

/// Says when it was given a task, and is done.
struct Nothing {
    begun: watch::Sender<u64>,
}

#[async_trait]
impl Agent for Nothing {
    fn kind(&self) -> &'static str {
        NAME
    }

    async fn health(&self) -> Health {
        Health::Available
    }

    async fn run(&self, _attempt: Attempt, _control: Control) -> Result<Output, Failure> {
        self.begun.send_modify(|number| *number += 1);
        Ok(Output(json!({})))
    }
}

struct Ours {
    store: Store,
    tasks: Tasks,
    tree: Tree,
    begun: watch::Receiver<u64>,
}

/// Measures one round on this database, or on a SQLite file.
pub(super) async fn measure(url: Option<&str>, directory: &Path) -> Result<Figures> {
    let ours = Ours::start(url, directory).await?;
    ours.tasks.pause(NAME).await?;
    let since = Instant::now();
    let clients = (0..NUM_CLIENTS).map(async |_| {
        for _ in 0..NUM_SINGLE / NUM_CLIENTS {
            ours.tasks.create(request()).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(clients).await?;
    let singly = rate(NUM_SINGLE, since);

    let since = Instant::now();
    for _ in 0..NUM_BULK / BATCH {
        ours.tasks.create_all((0..BATCH).map(|_| request()).collect()).await?;
    }
    let in_bulk = rate(NUM_BULK, since);

    let since = Instant::now();
    ours.tasks.resume(NAME).await?;
    while borgos_actors::store::tasks::loads(&ours.store)
        .await?
        .contains_key(NAME)
    {
        sleep(Duration::from_millis(20)).await;
    }
    let drained = rate(NUM_SINGLE + NUM_BULK, since);

    let mut delays = ours.pick_ups().await?;
    delays.sort_by(f64::total_cmp);
    ours.tree.stop(Duration::from_secs(5)).await;
    ours.store.close().await?;
    Ok(Figures {
        singly,
        in_bulk,
        drained,
        p50_ms: *delays.get(delays.len() / 2).context("no delay")?,
        p99_ms: *delays.get(delays.len() * 99 / 100).context("no delay")?,
    })
}

impl Ours {
    async fn start(url: Option<&str>, directory: &Path) -> Result<Self> {
        let settings = match url {
            None => Settings::sqlite(directory.to_owned())?,
            Some(url) => Settings {
                url: url.to_owned(),
                data_dir: directory.to_owned(),
                secret_key: None,
            },
        };
        let store = Store::open(&settings).await?;
        let (sender, begun) = watch::channel(0);
        let entry = Entry {
            agent: Arc::new(Nothing { begun: sender }),
            limits: Limits {
                concurrency: 1024,
                max_waiting: 1_000_000,
                ..Limits::default()
            },
        };
        let agents = Agents::new([(NAME.to_owned(), entry)]);
        let events = Handle::new(event_bus::PATH, CAPACITY);
        let handle = Handle::new(queue::PATH, CAPACITY);
        let args = queue::Args {
            store: store.clone(),
            agents: agents.clone(),
            node: Uuid::new_v4(),
            events: events.clone(),
        };
        let bus = event_bus::Args {
            store: store.clone(),
            // Nobody is told: a hint that is not taken is no loss.
            webhooks: Handle::new(webhooks::PATH, 1),
        };
        let children = vec![
            ChildSpec::worker(event_bus::PATH, "event-bus", &events, move || {
                (event_bus::Bus, bus.clone())
            }),
            ChildSpec::worker(queue::PATH, "task-queue", &handle, move || {
                (queue::TaskQueue, args.clone())
            }),
        ];
        let root = SupervisorSpec {
            path: "root".to_owned(),
            strategy: Strategy::OneForOne,
            limit: Limit::Escalate {
                max_restarts: 0,
                within: Duration::from_secs(1),
            },
            children,
            group: Children::new("root"),
        };
        let tree = Tree::start(root, Observer::log_only()).await?;
        Ok(Self {
            tasks: Tasks::new(store.clone(), agents, handle, events),
            store,
            tree,
            begun,
        })
    }

    /// Returns how long each of some tasks took to be picked up, in milliseconds.
    async fn pick_ups(&self) -> Result<Vec<f64>> {
        let mut begun = self.begun.clone();
        let mut delays = Vec::new();
        for _ in 0..NUM_PICKUPS {
            sleep(Duration::from_millis(5)).await;
            begun.mark_unchanged();
            let since = Instant::now();
            self.tasks.create(request()).await?;
            begun.changed().await?;
            delays.push(since.elapsed().as_secs_f64() * 1e3);
        }
        Ok(delays)
    }
}

fn request() -> TaskRequest {
    TaskRequest {
        project_id: None,
        agent_type: NAME.to_owned(),
        task_type: "bench".to_owned(),
        description: "x".to_owned(),
        priority: USUAL_PRIORITY,
        input_data: json!({"text": "x"}),
        run_at: None,
        max_attempts: None,
        timeout_s: None,
        unique_key: None,
        idempotency_key: None,
    }
}

fn rate(count: u32, since: Instant) -> f64 {
    f64::from(count) / since.elapsed().as_secs_f64()
}
