//! Copies the output of a deployment's instances from their runtime into our files.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    Logs, blocking,
    line::{self, LogLine},
};
use crate::{
    Error,
    id::DeploymentId,
    rotation::{MAX_FILE_BYTES, Writer},
    runtime::{InstanceRef, InstanceState, Line, Observation, Runtime},
    value::Secrets,
};

/// So many batches may wait to be written. Those who read wait then, and the programs do not.
const CAPACITY: usize = 16;
/// How long the end of an instance's output is waited for before the instance is removed.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3);

/// Keeps the logs of one deployment. Ends with its owner; the next one goes on after the last line that was written.
pub(crate) struct Keeper {
    logs: Logs,
    deployment: DeploymentId,
    runtime: Arc<dyn Runtime>,
    writer: mpsc::Sender<Batch>,
    tasks: JoinSet<()>,
    following: HashMap<InstanceRef, Following>,
}

struct Following {
    task: AbortHandle,
    progress: watch::Receiver<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more.
    Reading,
    /// All that there is has been written.
    Drained,
    /// The runtime cannot be read from now.
    Broken,
}

/// Lines of one release, or the end of an instance's.
struct Batch {
    release: i64,
    text: String,
    /// Is told once the lines are written, if they are the last.
    drained: Option<watch::Sender<Progress>>,
}

/// Waits for the end of an instance's output.
#[derive(Debug)]
pub(crate) struct Drained(Option<watch::Receiver<Progress>>);

impl Drained {
    /// Returns when all that an instance which has ended said is written, or cannot be read, or that takes too long.
    pub(crate) async fn wait(self) {
        if let Some(mut progress) = self.0 {
            let end = progress.wait_for(|progress| *progress != Progress::Reading);
            let is_over = matches!(timeout(DRAIN_PATIENCE, end).await, Ok(Ok(_)));
            tracing::debug!(is_over, "waited for the end of an instance's output");
        }
    }
}

impl Keeper {
    /// Begins to keep logs; nothing is followed yet.
    pub(crate) fn new(logs: Logs, deployment: DeploymentId, runtime: Arc<dyn Runtime>) -> Self {
        let (writer, batches) = mpsc::channel(CAPACITY);
        let mut tasks = JoinSet::new();
        tasks.spawn(write(logs.clone(), deployment, batches));
        Self {
            logs,
            deployment,
            runtime,
            writer,
            tasks,
            following: HashMap::new(),
        }
    }

    /// Forgets the instances that are gone, and returns those that are not followed and say something.
    pub(crate) fn unfollowed<'a>(&mut self, instances: &'a [Observation]) -> Vec<&'a Observation> {
        let there: HashSet<&InstanceRef> = instances.iter().map(|seen| &seen.instance).collect();
        self.following.retain(|instance, following| {
            let is_there = there.contains(instance);
            if !is_there {
                following.task.abort();
            }
            is_there
        });
        while self.tasks.try_join_next().is_some() {}
        instances.iter().filter(|seen| self.is_to_be_followed(seen)).collect()
    }

    fn is_to_be_followed(&self, seen: &Observation) -> bool {
        let progress = self
            .following
            .get(&seen.instance)
            .map(|following| *following.progress.borrow());
        match (progress, &seen.state) {
            (_, InstanceState::Created) | (Some(Progress::Reading), _) => false,
            (None | Some(Progress::Broken), _) => true,
            // The engine ends streams early at times.
            (Some(Progress::Drained), state) => matches!(state, InstanceState::Running { .. }),
        }
    }

    /// Follows an instance. What is secret does not get into the log.
    pub(crate) fn follow(&mut self, seen: &Observation, secrets: Secrets) {
        let (sender, progress) = watch::channel(Progress::Reading);
        let source = Source {
            logs: self.logs.clone(),
            deployment: self.deployment,
            runtime: self.runtime.clone(),
            instance: seen.instance.clone(),
            release: seen.release,
            generation: seen.generation.0,
            secrets,
        };
        let task = self.tasks.spawn(copy(source, self.writer.clone(), sender));
        self.following
            .insert(seen.instance.clone(), Following { task, progress });
    }

    /// Returns what waits for the end of an instance's output.
    pub(crate) fn drained(&self, instance: &InstanceRef) -> Drained {
        Drained(self.following.get(instance).map(|following| following.progress.clone()))
    }
}

struct Source {
    logs: Logs,
    deployment: DeploymentId,
    runtime: Arc<dyn Runtime>,
    instance: InstanceRef,
    release: i64,
    generation: i64,
    secrets: Secrets,
}

async fn copy(source: Source, writer: mpsc::Sender<Batch>, progress: watch::Sender<Progress>) {
    if let Err(error) = try_copy(&source, &writer, &progress).await {
        let Source {
            deployment, instance, ..
        } = &source;
        tracing::debug!(deployment.id = %deployment, ?instance, %error, "output cannot be read");
        progress.send_replace(Progress::Broken);
    }
}

async fn try_copy(
    source: &Source,
    writer: &mpsc::Sender<Batch>,
    progress: &watch::Sender<Progress>,
) -> Result<(), Error> {
    let mut output = source.runtime.output(&source.instance, source.last().await?);
    while let Some(lines) = output.next().await {
        source.send(writer, &lines?, None).await;
    }
    source.send(writer, &[], Some(progress.clone())).await;
    Ok(())
}

impl Source {
    /// Finds the time of the last line that was written of this instance.
    async fn last(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let files = self.logs.files(self.deployment, self.release);
        let (release, generation) = (self.release, self.generation);
        blocking(move || {
            let written = files.read_end(2 * MAX_FILE_BYTES)?;
            let lines = written.rsplit(|byte| *byte == b'\n');
            let mut lines = lines.filter_map(|line| LogLine::parse(release, &String::from_utf8_lossy(line)));
            Ok(lines.find(|line| line.generation == generation).map(|line| line.at))
        })
        .await
    }

    async fn send(&self, writer: &mpsc::Sender<Batch>, lines: &[Line], drained: Option<watch::Sender<Progress>>) {
        let write = |line: &Line| line::write(line, self.generation, &self.secrets.mask(&line.text));
        let batch = Batch {
            release: self.release,
            text: lines.iter().map(write).collect(),
            drained,
        };
        // The writer ends with the keeper, as this does.
        let _ = writer.send(batch).await;
    }
}

/// Writes what comes, for all instances: two of one release share its files.
async fn write(logs: Logs, deployment: DeploymentId, mut batches: mpsc::Receiver<Batch>) {
    let mut open: HashMap<i64, Writer> = HashMap::new();
    while let Some(batch) = batches.recv().await {
        let Batch { release, text, drained } = batch;
        if !text.is_empty() {
            let writer = open.remove(&release);
            match written(logs.clone(), deployment, release, writer, text).await {
                Ok(writer) => {
                    open.retain(|other, _| (release - other).abs() <= 1);
                    open.insert(release, writer);
                }
                Err(error) => {
                    tracing::warn!(deployment.id = %deployment, %error, "output is lost");
                }
            }
        }
        if let Some(progress) = drained {
            progress.send_replace(Progress::Drained);
        }
    }
}

async fn written(
    logs: Logs,
    deployment: DeploymentId,
    release: i64,
    writer: Option<Writer>,
    text: String,
) -> Result<Writer, Error> {
    blocking(move || {
        let mut writer = match writer {
            Some(writer) => writer,
            None => {
                logs.make_room(deployment, release)?;
                Writer::new(logs.files(deployment, release))
            }
        };
        writer.write(text.as_bytes());
        Ok(writer)
    })
    .await
}
