//! What is written down about one instance: a directory that the runtime creates and its keeper fills.
//!
//! ```text
//! <data directory>/processes/7-3/    deployment 7, generation 3
//!     spec.json                      written by the runtime, last of all: a directory without it is no instance
//!     state.json                     written by the keeper, replaced as a whole
//!     lock                           locked by the keeper for as long as it lives
//!     output.log output.1.log        what the app printed, newest in the first
//!     keeper.log                     why the keeper itself failed, if it did
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::identity::Identity;
use crate::{
    id::{DeploymentId, Generation},
    runtime::{Exit, InstanceRef},
    value::Command,
};

/// What is to run. Its environment is not in here: it may hold secrets, so the keeper is told it through a pipe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) deployment: DeploymentId,
    pub(super) release: i64,
    pub(super) generation: Generation,
    pub(super) command: Command,
    pub(super) directory: PathBuf,
    pub(super) port: u16,
    pub(super) memory_limit_bytes: Option<u64>,
}

/// How far the keeper has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) keeper: Identity,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "lowercase")]
pub(super) enum Phase {
    /// The keeper is about to start the app.
    Starting,
    /// The app could not be started.
    Failed { reason: String, at: DateTime<Utc> },
    /// The app was started.
    Running { app: Identity, since: DateTime<Utc> },
    /// The app has ended, and all that it left behind was killed.
    Exited { exit: Exit },
}

/// The directory of one instance.
#[derive(Debug, Clone)]
pub(super) struct Record {
    directory: PathBuf,
}

impl Record {
    /// Takes a directory for a record, whatever is in it.
    pub(super) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Finds the place of an instance. A name that is none of ours has no place.
    pub(super) fn of(root: &Path, instance: &InstanceRef) -> Option<Self> {
        parse_name(&instance.0)?;
        Some(Self::at(root.join(&instance.0)))
    }

    /// Lists the places of all instances, or of those of one deployment. Those without a spec are among them.
    pub(super) fn list(root: &Path, of: Option<DeploymentId>) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(root) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut records = Vec::new();
        for entry in entries {
            let entry = entry?;
            let deployment = entry.file_name().to_str().and_then(parse_name);
            if deployment.is_some_and(|deployment| of.is_none_or(|of| of == deployment)) {
                records.push(Self::at(entry.path()));
            }
        }
        Ok(records)
    }

    /// Writes a new record. Fails with `AlreadyExists` when there is one of this deployment and generation.
    pub(super) fn create(root: &Path, spec: &Spec) -> io::Result<Self> {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        private.recursive(true).create(root)?;
        let record = Self::at(root.join(format!("{}-{}", spec.deployment, spec.generation.0)));
        private.recursive(false).create(&record.directory)?;
        private_file(&record.path("lock"))?;
        record.replace("spec.json", spec)?;
        Ok(record)
    }

    pub(super) fn instance(&self) -> InstanceRef {
        let name = self.directory.file_name().unwrap_or_default();
        InstanceRef(name.to_string_lossy().into_owned())
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    /// Returns what is to run, or nothing if this is no instance (any more).
    pub(super) fn spec(&self) -> io::Result<Option<Spec>> {
        self.read("spec.json")
    }

    /// Returns what the keeper wrote last, or nothing if it wrote nothing yet.
    pub(super) fn state(&self) -> io::Result<Option<State>> {
        self.read("state.json")
    }

    pub(super) fn write_state(&self, state: &State) -> io::Result<()> {
        self.replace("state.json", state)
    }

    /// Locks the record as its keeper does, waiting for the others that look.
    pub(super) fn lock(&self) -> io::Result<File> {
        let file = File::open(self.path("lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    /// Locks the record unless its keeper lives.
    pub(super) fn try_lock(&self) -> io::Result<Option<File>> {
        self.lock_at_once(FlockOperation::NonBlockingLockExclusive)
    }

    /// Tells whether the keeper lives: then it holds the lock.
    pub(super) fn is_kept(&self) -> io::Result<bool> {
        match self.lock_at_once(FlockOperation::NonBlockingLockShared) {
            Ok(lock) => Ok(lock.is_none()),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    fn lock_at_once(&self, operation: FlockOperation) -> io::Result<Option<File>> {
        let file = File::open(self.path("lock"))?;
        match flock(&file, operation) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Deletes the record. The spec goes first, so that a half-deleted record is no instance, and a keeper that still
    /// waits for the lock finds nothing to start.
    pub(super) fn delete(&self) -> io::Result<()> {
        absent_is_fine(fs::remove_file(self.path("spec.json")))?;
        absent_is_fine(fs::remove_dir_all(&self.directory))
    }

    fn read<T: DeserializeOwned>(&self, file: &str) -> io::Result<Option<T>> {
        read_json(&self.path(file))
    }

    fn replace(&self, file: &str, content: &impl Serialize) -> io::Result<()> {
        replace_json(&self.path(file), content)
    }
}

/// Reads a file, or nothing if there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(serde_json::from_slice(&content)?)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Replaces a file in one step, so that a reader sees the old content or the new, after a power failure too.
pub(crate) fn replace_json(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let draft_path = path.with_added_extension("new");
    let mut draft = private_file(&draft_path)?;
    draft.write_all(&serde_json::to_vec(content)?)?;
    draft.sync_all()?;
    fs::rename(draft_path, path)
}

/// Creates a file that only this user can read.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Reads the deployment out of a record's name, `<deployment>-<generation>`.
fn parse_name(name: &str) -> Option<DeploymentId> {
    let (deployment, generation) = name.split_once('-')?;
    generation.parse::<u64>().ok()?;
    deployment.parse::<u32>().ok().map(|id| DeploymentId(id.into()))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_of_ours_has_no_place() {
        for name in ["", "7", "7-", "-3", "../7-3", "7-3/..", "7-3-1", "a-b", "7--3"] {
            assert!(
                Record::of(Path::new("/root"), &InstanceRef(name.to_owned())).is_none(),
                "{name}"
            );
        }
        assert!(Record::of(Path::new("/root"), &InstanceRef("7-3".to_owned())).is_some());
    }

    #[test]
    fn a_record_is_kept_while_its_lock_is_held_and_gone_once_deleted() {
        let root = tempfile::tempdir().unwrap();
        let spec = Spec {
            deployment: DeploymentId(7),
            release: 1,
            generation: Generation(3),
            command: Command::try_from(vec!["app".to_owned()]).unwrap(),
            directory: "/".into(),
            port: 1,
            memory_limit_bytes: None,
        };
        let record = Record::create(root.path(), &spec).unwrap();
        assert_eq!(
            Record::create(root.path(), &spec).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert!(!record.is_kept().unwrap());
        let lock = record.lock().unwrap();
        assert!(record.is_kept().unwrap());
        assert!(record.try_lock().unwrap().is_none());
        drop(lock);
        assert!(!record.is_kept().unwrap());
        assert_eq!(Record::list(root.path(), Some(DeploymentId(7))).unwrap().len(), 1);
        assert!(Record::list(root.path(), Some(DeploymentId(8))).unwrap().is_empty());
        record.delete().unwrap();
        record.delete().unwrap();
        assert!(record.spec().unwrap().is_none());
    }
}
