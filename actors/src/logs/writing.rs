//! Writes the logs of one deployment, for all its instances: two of one release share its files.

use std::collections::{BTreeSet, HashMap};

use chrono::Utc;
use tokio::sync::{mpsc, watch};

use super::{Logs, blocking, keeper::Progress, line};
use crate::{Error, id::DeploymentId, rotation::Writer, runtime::Line};

/// Lines of one release, or the end of an instance's.
pub(super) struct Batch {
    pub(super) release: i64,
    pub(super) text: String,
    /// How reading has ended, for who is to know once all before that is written.
    pub(super) end: Option<(watch::Sender<Progress>, Progress)>,
}

/// What the writer is told, and what it tells.
pub(super) struct Writing {
    pub(super) logs: Logs,
    pub(super) deployment: DeploymentId,
    /// The releases whose logs stay in any case.
    pub(super) in_use: watch::Receiver<BTreeSet<i64>>,
    /// Why what was printed last could not be written.
    pub(super) problem: watch::Sender<Option<String>>,
}

/// The log of a release.
struct Open {
    writer: Writer,
    /// Whether older ones have made room for it.
    has_room: bool,
}

impl Writing {
    /// Writes what comes.
    pub(super) async fn run(self, mut batches: mpsc::Receiver<Batch>) {
        let mut open: HashMap<i64, Open> = HashMap::new();
        while let Some(Batch { release, text, end }) = batches.recv().await {
            if !text.is_empty() {
                let log = open.remove(&release);
                match self.write(release, log, text).await {
                    Ok(log) => {
                        self.tell(log.writer.problem());
                        open.retain(|other, _| (release - other).abs() <= 1);
                        open.insert(release, log);
                    }
                    Err(error) => self.tell(Some(&error.to_string())),
                }
            }
            if let Some((progress, how)) = end {
                progress.send_replace(how);
            }
        }
    }

    async fn write(&self, release: i64, log: Option<Open>, text: String) -> Result<Open, Error> {
        let (logs, deployment) = (self.logs.clone(), self.deployment);
        let in_use = self.in_use.borrow().clone();
        blocking(move || {
            let mut log = log.unwrap_or_else(|| Open {
                writer: Writer::new(logs.files(deployment, release)),
                has_room: false,
            });
            if !log.has_room {
                match logs.make_room(deployment, release, &in_use) {
                    Ok(()) => log.has_room = true,
                    Err(cause) => {
                        log.writer.lose(text.len(), &cause);
                        return Ok(log);
                    }
                }
            }
            let missing = notice(log.writer.num_lost_bytes());
            log.writer.write(format!("{missing}{text}").as_bytes());
            Ok(log)
        })
        .await
    }

    /// Tells once that lines are lost, and once that they are not any more.
    fn tell(&self, problem: Option<&str>) {
        let id = self.deployment;
        let was_well = self.problem.borrow().is_none();
        match problem {
            Some(problem) if was_well => {
                tracing::warn!(deployment.id = %id, problem, "what deployment {id} prints cannot be written");
            }
            None if !was_well => tracing::info!(deployment.id = %id, "what deployment {id} prints is written again"),
            _ => {}
        }
        self.problem.send_if_modified(|told| {
            let is_new = told.as_deref() != problem;
            *told = problem.map(str::to_owned);
            is_new
        });
    }
}

/// Says in the log itself what is missing there, as no instance's line.
fn notice(num_lost_bytes: u64) -> String {
    if num_lost_bytes == 0 {
        return String::new();
    }
    let text = format!("[borgos: {num_lost_bytes} bytes of output could not be written]");
    let said = Line {
        at: Utc::now(),
        stream: None,
        text,
    };
    line::write(&said, 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_could_not_be_written_is_told_until_it_can_be_again() {
        let directory = tempfile::tempdir().unwrap();
        let logs = Logs::new(directory.path());
        let in_the_way = directory.path().join("logs");
        fs::write(&in_the_way, "").unwrap();
        let (_in_use, in_use) = watch::channel(BTreeSet::new());
        let (problem, told) = watch::channel(None);
        let (sender, batches) = mpsc::channel(1);
        let writing = Writing {
            logs: logs.clone(),
            deployment: DeploymentId(7),
            in_use,
            problem,
        };
        let writer = tokio::spawn(writing.run(batches));
        let send = async |text: &str| {
            let (progress, mut ended) = watch::channel(Progress::Reading);
            let batch = Batch {
                release: 1,
                text: text.to_owned(),
                end: Some((progress, Progress::Broken)),
            };
            assert!(sender.send(batch).await.is_ok());
            ended.wait_for(|progress| *progress == Progress::Broken).await.unwrap();
        };
        send("lost\n").await;
        assert!(told.borrow().is_some());
        fs::remove_file(&in_the_way).unwrap();
        send("kept\n").await;
        send("kept too\n").await;
        assert!(told.borrow().is_none());
        let written = fs::read_to_string(logs.files(DeploymentId(7), 1).newest).unwrap();
        assert!(
            written.contains("5 bytes of output could not be written]\nkept\nkept too\n"),
            "{written}"
        );
        drop(sender);
        writer.await.unwrap();
    }
}
