//! Work directories of commits: releases can be built from a commit rather than from the project's directory, which is
//! neither changed nor locked by that.
//!
//! A commit that the project's own repository has is read from there; any other one is fetched from its remote, by a
//! protocol that the configuration allows. Git writes only below our data directory, in a repository of ours with settings
//! of ours. A work directory ends with the build that it is for; what a crash leaves is removed at the next start.

mod remote;
mod repository;
mod work;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::{runtime::Handle, task::spawn_blocking};
use uuid::Uuid;

use self::work::Work;
use crate::{Error, cancel::CancelOnDrop, git::Limits, value::GitRef};

/// How long it may take to have a commit; most of it is the remote's.
const CHECKOUT_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// How long a look into the project's repository may take.
const LOOK_DEADLINE: Duration = Duration::from_secs(10);

/// A way to fetch commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Over TLS.
    Https,
    /// Over SSH, with the keys of whoever BorgOS runs as.
    Ssh,
    /// From another directory of this machine, whoever it belongs to.
    File,
}

/// Makes work directories. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Checkouts {
    root: Arc<PathBuf>,
    protocols: Arc<[Protocol]>,
}

/// A work directory with the files of a commit.
#[derive(Debug)]
pub(crate) struct Checkout {
    directory: WorkDirectory,
    commit: String,
    /// What is not as in the commit.
    remarks: Vec<String>,
}

/// A directory that ends with its owner.
#[derive(Debug)]
struct WorkDirectory(PathBuf);

impl Checkouts {
    /// Prepares work directories below the data directory, and removes what a crash has left there.
    ///
    /// # Errors
    /// Fails when the directory cannot be made or cleared.
    pub fn below(data_dir: &Path, protocols: Vec<Protocol>) -> io::Result<Self> {
        let root = std::path::absolute(data_dir)?.join("checkouts");
        match fs::remove_dir_all(&root) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&root)?;
        Ok(Self {
            root: Arc::new(root),
            protocols: protocols.into(),
        })
    }

    /// Checks that a project has commits which could be built.
    ///
    /// # Errors
    /// `NOT_A_REPOSITORY`, and `SOURCE_REF_NOT_FOUND` for a name that the repository does not know and has no remote to ask
    /// for.
    pub(crate) async fn check(&self, project: &Path, name: &GitRef) -> Result<(), Error> {
        let (project, name, protocols) = (project.to_owned(), name.clone(), Arc::clone(&self.protocols));
        let cancel = CancelOnDrop::default();
        let flag = cancel.flag();
        let looking = spawn_blocking(move || {
            let limits = Limits {
                deadline: Instant::now() + LOOK_DEADLINE,
                cancel: &flag,
            };
            repository::check(&project, &name, &protocols, limits)
        });
        looking.await.map_err(|cause| Error::Internal(cause.to_string()))?
    }

    /// Makes a work directory with the files of the project in a commit. Dropping the future ends git.
    ///
    /// # Errors
    /// Says why there is none.
    pub(crate) async fn checkout(&self, project: &Path, name: &GitRef) -> Result<Checkout, String> {
        let directory = WorkDirectory(self.root.join(Uuid::new_v4().to_string()));
        let (project, name, protocols) = (project.to_owned(), name.clone(), Arc::clone(&self.protocols));
        let cancel = CancelOnDrop::default();
        let flag = cancel.flag();
        let working = spawn_blocking(move || {
            let limits = Limits {
                deadline: Instant::now() + CHECKOUT_DEADLINE,
                cancel: &flag,
            };
            let work = Work::begin(&directory.0, limits).map_err(|cause| cause.to_string())?;
            let made = work.make(&project, &name, &protocols)?;
            // The thread owns the directory until all is there: nobody removes it under git's hands.
            Ok::<_, String>((directory, made))
        });
        let (directory, made) = working.await.map_err(|cause| cause.to_string())??;
        Ok(Checkout {
            directory,
            commit: made.commit,
            remarks: made.remarks,
        })
    }
}

impl Checkout {
    /// Returns where the files are.
    pub(crate) fn files(&self) -> PathBuf {
        work::files(&self.directory.0)
    }

    /// Returns the id of the commit.
    pub(crate) fn commit(&self) -> &str {
        &self.commit
    }

    /// Returns what is not as in the commit.
    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

impl Drop for WorkDirectory {
    /// Removes the directory on a thread for such work, since a large one takes a while. Should the program end before,
    /// the next start removes it.
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.0);
        match Handle::try_current() {
            Ok(handle) => drop(handle.spawn_blocking(move || remove(&path))),
            Err(_) => remove(&path),
        }
    }
}

fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(error = %cause, path = %path.display(), "a work directory could not be removed");
        }
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests;
