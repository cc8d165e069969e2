//! A queue with a database of its own, and an agent that a test leads step by step.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use crate::{
    id::TaskId,
    store::{
        Settings, Store,
        tasks::{self, NewTask, Outcome, Owner, Progress, Room, State, Task},
    },
    supervision::Handle,
    tasks::{
        Agent, Agents, Attempt, Control, Entry, Failure, Health, Limits, Output, Stop,
        line::{Line, Order},
        queue::Args,
        runner::Runner,
        worker::Worker,
    },
    value::Secrets,
};

pub(super) const AGENT: &str = "scripted";
/// What the agent must not show.
pub(super) const SECRET: &str = "correct-horse";
const DEADLINE: Duration = Duration::from_secs(20);

/// What the agent is to do next with a task, which is known by its description.
pub(super) enum Act {
    Report(&'static str),
    Complete(Value),
    Fail(Failure),
    Panic,
    IgnoreStops,
}

type Acts = mpsc::Receiver<Act>;

#[derive(Default)]
struct Scripted {
    senders: Mutex<HashMap<String, mpsc::Sender<Act>>>,
    receivers: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Acts>>>>,
    stops: Mutex<Vec<(String, Stop)>>,
}

impl Scripted {
    fn prepare(&self, name: &str) {
        let (sender, receiver) = mpsc::channel(8);
        self.senders.lock().unwrap().insert(name.to_owned(), sender);
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        self.receivers.lock().unwrap().insert(name.to_owned(), receiver);
    }
}

#[async_trait]
impl Agent for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    async fn health(&self) -> Health {
        Health::Available
    }

    async fn secrets(&self) -> Secrets {
        Secrets::among([("MY_KEY", SECRET)])
    }

    async fn run(&self, attempt: Attempt, control: Control) -> Result<Output, Failure> {
        let acts = self.receivers.lock().unwrap()[&attempt.description].clone();
        let mut acts = acts.lock().await;
        let mut is_stubborn = false;
        loop {
            let act = tokio::select! {
                biased;
                act = acts.recv() => act.expect("the scene outlives its tasks"),
                stop = control.stopped(), if !is_stubborn => {
                    self.stops.lock().unwrap().push((attempt.description, stop));
                    return Err(Failure::stopped());
                }
            };
            match act {
                Act::Report(message) => control.report(Progress::new(message)).await,
                Act::Complete(output) => return Ok(Output(output)),
                Act::Fail(failure) => return Err(failure),
                Act::Panic => panic!("as the test wants it"),
                Act::IgnoreStops => is_stubborn = true,
            }
        }
    }
}

/// Everything but the worker.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) node: Uuid,
    agent: Arc<Scripted>,
    agents: Agents,
    directory: TempDir,
}

/// A worker. Dropping it is as good as killing it.
pub(super) struct Working {
    line: Line,
    job: JoinSet<()>,
}

impl Scene {
    pub(super) async fn new(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::sqlite(directory.path().to_owned()).unwrap();
        let agent = Arc::new(Scripted::default());
        let entry = Entry {
            agent: agent.clone(),
            limits,
        };
        Self {
            store: Store::open(&settings).await.unwrap(),
            node: Uuid::new_v4(),
            agent,
            agents: Agents::new([(AGENT.to_owned(), entry)]),
            directory,
        }
    }

    pub(super) fn work(&self) -> Working {
        let args = Args {
            store: self.store.clone(),
            agents: self.agents.clone(),
            node: self.node,
            events: Handle::new("event-bus", 1),
        };
        let (line, end) = Line::open(8);
        let mut job = JoinSet::new();
        job.spawn(Worker::new(args).run(end));
        Working { line, job }
    }

    /// Creates a task that the agent knows by its description.
    pub(super) async fn create(&self, description: &str) -> TaskId {
        self.agent.prepare(description);
        let new = NewTask {
            project_id: None,
            agent_type: AGENT.to_owned(),
            task_type: "test".to_owned(),
            description: description.to_owned(),
            priority: 1,
            input_data: json!({}),
            run_at: None,
            max_attempts: self.agents.entry(AGENT).unwrap().limits.max_attempts,
            timeout_s: None,
            unique_key: None,
            idempotency_key: None,
        };
        tasks::create(&self.store, &new, 100).await.unwrap().task.id
    }

    pub(super) async fn act(&self, name: &str, act: Act) {
        let sender = self.agent.senders.lock().unwrap()[name].clone();
        assert!(sender.send(act).await.is_ok());
    }

    pub(super) fn stops(&self) -> Vec<(String, Stop)> {
        self.agent.stops.lock().unwrap().clone()
    }

    /// Runs an attempt at a task that nobody else looks after, with a lease that is over in a moment, and this reason to
    /// stop.
    pub(super) async fn run_unwatched(&self, task: TaskId, stop: Option<Stop>) -> Outcome {
        let owner = Owner::new(self.node);
        let room = Room {
            agent_type: AGENT.to_owned(),
            num_tasks: 1,
        };
        let claimed = tasks::claim(&self.store, &owner, &[room], 1, DEADLINE).await.unwrap();
        let details = claimed.into_iter().find(|details| details.task.id == task).unwrap();
        let (_until, trusted_until) = watch::channel(Instant::now() + Duration::from_millis(50));
        let runner = Runner {
            details,
            owner,
            store: self.store.clone(),
            agents: self.agents.clone(),
            reports: mpsc::channel(8).0,
            stop: watch::channel(stop).0,
            trusted_until,
        };
        timeout(DEADLINE, runner.run()).await.unwrap()
    }

    /// Keeps everybody else from writing, as long as the connection is open.
    pub(super) async fn hold_database(&self) -> DatabaseConnection {
        let file = self.directory.path().join("borgos.db");
        let mut options = ConnectOptions::new(format!("sqlite://{}", file.display()));
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.unwrap();
        connection.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
        connection
    }

    pub(super) async fn num_running(&self) -> u64 {
        let loads = tasks::loads(&self.store).await.unwrap();
        loads.get(AGENT).map_or(0, |load| load.running)
    }

    pub(super) async fn attempts(&self, task: TaskId) -> Vec<tasks::Attempt> {
        tasks::attempts(&self.store, task).await.unwrap()
    }

    pub(super) async fn output(&self, task: TaskId) -> Option<Value> {
        tasks::details(&self.store, task).await.unwrap().output
    }

    pub(super) async fn until(&self, task: TaskId, state: State) -> Task {
        let mut seen = None;
        let reached = timeout(DEADLINE, async {
            loop {
                let row = tasks::task(&self.store, task).await.unwrap();
                if row.state == state {
                    return row;
                }
                seen = Some(row);
                sleep(Duration::from_millis(10)).await;
            }
        });
        reached.await.unwrap_or_else(|_| panic!("not {state:?}: {seen:?}"))
    }
}

impl Working {
    pub(super) fn cancel(&self, task: TaskId) {
        self.line.give(Order::Cancel(task)).unwrap();
    }

    /// Ends it in order.
    pub(super) async fn end(mut self) {
        drop(self.line);
        self.job.join_next().await.unwrap().unwrap();
    }
}
