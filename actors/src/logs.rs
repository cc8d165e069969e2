//! What deployments print, kept by us so that it outlives the instances that printed it.
//!
//! ```text
//! <data directory>/logs/7/    deployment 7
//!     3.log 3.1.log           release 3, newest in the first; each line is `time generation stream text`
//! ```
//!
//! The deployment's actor owns a keeper, which reads the output of each instance from its runtime and writes it here,
//! without the secrets of the release's environment. A flood loses its middle and never grows beyond the two files of a
//! release. Readers look at the files alone.

mod keeper;
mod line;
mod view;
mod writing;

pub(crate) use keeper::{Drained, Keeper};
pub use line::LogLine;
pub use view::{Selection, View};

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{Error, id::DeploymentId, rotation::Pair};

/// How long the file system may take for one step.
const FILE_DEADLINE: Duration = Duration::from_secs(10);
/// The logs of so many releases of a deployment are kept.
const NUM_KEPT: usize = 10;

/// Where the logs are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Logs(Arc<PathBuf>);

impl Logs {
    /// Takes a place below the data directory, which need not be there yet.
    pub fn new(data_dir: &Path) -> Self {
        Self(Arc::new(data_dir.join("logs")))
    }

    /// Lists the deployments that have logs.
    ///
    /// # Errors
    /// Fails when the file system does.
    pub(crate) async fn deployments(&self) -> Result<BTreeSet<DeploymentId>, Error> {
        let root = self.0.clone();
        let numbers = blocking(move || numbers(&root, "")).await?;
        Ok(numbers.into_iter().map(DeploymentId).collect())
    }

    /// Removes the logs of a deployment.
    ///
    /// # Errors
    /// Fails when the file system does.
    pub(crate) async fn remove(&self, deployment: DeploymentId) -> Result<(), Error> {
        let directory = self.directory(deployment);
        blocking(move || absent_is_fine(fs::remove_dir_all(directory))).await
    }

    fn directory(&self, deployment: DeploymentId) -> PathBuf {
        self.0.join(deployment.to_string())
    }

    fn files(&self, deployment: DeploymentId, release: i64) -> Pair {
        let directory = self.directory(deployment);
        Pair {
            newest: directory.join(format!("{release}.log")),
            older: directory.join(format!("{release}.1.log")),
        }
    }

    /// Lists the releases that have a log. Blocks.
    fn releases(&self, deployment: DeploymentId) -> io::Result<BTreeSet<i64>> {
        let directory = self.directory(deployment);
        // While the files take turns there is only the older one.
        let mut releases = numbers(&directory, ".log")?;
        releases.extend(numbers(&directory, ".1.log")?);
        Ok(releases)
    }

    /// Makes room for another release's log. Those in use stay, however many came after them. Blocks.
    fn make_room(&self, deployment: DeploymentId, release: i64, in_use: &BTreeSet<i64>) -> io::Result<()> {
        let mut private = DirBuilder::new();
        private.mode(0o700).recursive(true).create(self.directory(deployment))?;
        let mut others = self.releases(deployment)?;
        others.remove(&release);
        let old = others.into_iter().rev().skip(NUM_KEPT - 1);
        for old in old.filter(|old| !in_use.contains(old)) {
            let Pair { newest, older } = self.files(deployment, old);
            absent_is_fine(fs::remove_file(newest))?;
            absent_is_fine(fs::remove_file(older))?;
        }
        Ok(())
    }
}

/// Lists the entries of a directory whose name is a number and this ending.
fn numbers(directory: &Path, ending: &str) -> io::Result<BTreeSet<i64>> {
    let entries = match fs::read_dir(directory) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut numbers = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(ending));
        numbers.extend(number.and_then(|number| number.parse::<i64>().ok()));
    }
    Ok(numbers)
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Does file work off the async threads, within the deadline.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Error> {
    match tokio::time::timeout(FILE_DEADLINE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(cause))) => Err(Error::Internal(format!("the logs cannot be read or written: {cause}"))),
        Ok(Err(panic)) => Err(Error::Internal(format!("a file task ended early: {panic}"))),
        Err(_) => Err(Error::Timeout {
            actor: "the file system".to_owned(),
            after: FILE_DEADLINE,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_releases_keep_their_logs_and_so_does_one_that_serves() {
        let directory = tempfile::tempdir().unwrap();
        let logs = Logs::new(directory.path());
        let deployment = DeploymentId(7);
        for release in 1..=12 {
            logs.make_room(deployment, release, &[2].into()).unwrap();
            let files = logs.files(deployment, release);
            fs::write(&files.newest, "").unwrap();
            fs::write(&files.older, "").unwrap();
        }
        assert_eq!(logs.releases(deployment).unwrap(), (2..=12).collect());
        assert_eq!(fs::read_dir(logs.directory(deployment)).unwrap().count(), 22);
    }

    #[tokio::test]
    async fn the_logs_of_a_deployment_go_together() {
        let directory = tempfile::tempdir().unwrap();
        let logs = Logs::new(directory.path());
        assert!(logs.deployments().await.unwrap().is_empty());
        for id in [7, 8] {
            logs.make_room(DeploymentId(id), 1, &BTreeSet::new()).unwrap();
        }
        logs.remove(DeploymentId(7)).await.unwrap();
        logs.remove(DeploymentId(7)).await.unwrap();
        assert_eq!(logs.deployments().await.unwrap(), [DeploymentId(8)].into());
    }
}
