//! Copies the output of a deployment's instances from their runtime into our files.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    Logs, blocking,
    line::{self, LogLine},
    writing::{Batch, Writing},
};
use crate::{
    Error,
    id::DeploymentId,
    runtime::{self, InstanceRef, InstanceState, Line, Observation, Runtime},
    value::Secrets,
};

/// So many batches may wait to be written. Those who read wait then, and the programs do not.
const CAPACITY: usize = 16;
/// So much may a line seem to be older than its instance.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(1);
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
    in_use: watch::Sender<BTreeSet<i64>>,
    problem: watch::Receiver<Option<String>>,
}

struct Following {
    task: AbortHandle,
    progress: watch::Receiver<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more.
    Reading,
    /// All that there is has been written.
    Drained,
    /// The runtime cannot be read from now.
    Broken,
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
        let (in_use, used) = watch::channel(BTreeSet::new());
        let (told, problem) = watch::channel(None);
        let writing = Writing {
            logs: logs.clone(),
            deployment,
            in_use: used,
            problem: told,
        };
        tasks.spawn(writing.run(batches));
        Self {
            logs,
            deployment,
            runtime,
            writer,
            tasks,
            following: HashMap::new(),
            in_use,
            problem,
        }
    }

    /// Names the releases whose logs are not to make room for others.
    pub(crate) fn keep(&self, in_use: BTreeSet<i64>) {
        self.in_use.send_replace(in_use);
    }

    /// Returns why what was printed last could not be written, if it could not.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.borrow().clone()
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
            instance: seen.instance.clone(),
            release: seen.release,
            generation: seen.generation.0,
            since: match &seen.state {
                InstanceState::Running { since } => Some(*since),
                InstanceState::Created | InstanceState::Exited(_) => None,
            },
        };
        let (runtime, instance) = (self.runtime.clone(), seen.instance.clone());
        let output: Output = Box::new(move |after| runtime.output(&instance, after, secrets));
        let task = self.tasks.spawn(copy(source, output, self.writer.clone(), sender));
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
    instance: InstanceRef,
    release: i64,
    generation: i64,
    /// When the instance was started, if that is known.
    since: Option<DateTime<Utc>>,
}

/// Reads what an instance prints after a time.
type Output = Box<dyn FnOnce(Option<DateTime<Utc>>) -> BoxStream<'static, Result<Vec<Line>, runtime::Error>> + Send>;

/// Copies until there is no more to read. That it is so is told after all that was read is written, or else whoever goes on
/// from there would read some of it twice.
async fn copy(source: Source, output: Output, writer: mpsc::Sender<Batch>, progress: watch::Sender<Progress>) {
    let how = match source.read(output, &writer).await {
        Ok(()) => Progress::Drained,
        Err(error) => {
            let id = source.deployment;
            tracing::debug!(deployment.id = %id, instance = ?source.instance, %error, "output cannot be read");
            Progress::Broken
        }
    };
    source.send(&writer, &[], Some((progress, how))).await;
}

impl Source {
    async fn read(&self, output: Output, writer: &mpsc::Sender<Batch>) -> Result<(), Error> {
        let mut lines_read = output(self.last().await?);
        while let Some(lines) = lines_read.next().await {
            self.send(writer, &lines?, None).await;
        }
        Ok(())
    }

    /// Finds the time of the last line that was written of this instance. None is older than the instance.
    async fn last(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let files = self.logs.files(self.deployment, self.release);
        let (release, generation) = (self.release, self.generation);
        let oldest = self.since.map(|since| since - CLOCK_SLACK);
        blocking(move || {
            let found = files.find_last(|line| match LogLine::parse(release, &String::from_utf8_lossy(line)) {
                Some(line) if line.generation == generation => ControlFlow::Break(Some(line.at)),
                Some(line) if oldest.is_some_and(|oldest| line.at < oldest) => ControlFlow::Break(None),
                _ => ControlFlow::Continue(()),
            })?;
            Ok(found.flatten())
        })
        .await
    }

    async fn send(
        &self,
        writer: &mpsc::Sender<Batch>,
        lines: &[Line],
        end: Option<(watch::Sender<Progress>, Progress)>,
    ) {
        let batch = Batch {
            release: self.release,
            text: lines.iter().map(|line| line::write(line, self.generation)).collect(),
            end,
        };
        // The writer ends with the keeper, as this does.
        let _ = writer.send(batch).await;
    }
}

#[cfg(test)]
mod tests;
