//! What the edge keeps in the data directory.
//!
//! ```text
//! <data directory>/edge/     for its owner only
//!     lock                   locked by the edge for as long as it lives, with its process id for people
//!     control.sock           where it takes requests
//!     routes.json            what it was told last, replaced as a whole
//!     edge.log edge.1.log    what it has to say, newest in the first
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::route::Route;
use crate::lock_file::{self, Refusal};

/// Once the log is larger it is set aside, and what was set aside before is deleted.
const MAX_LOG_BYTES: u64 = 1024 * 1024;

/// The directory of the edge.
#[derive(Debug, Clone)]
pub(super) struct Directory(PathBuf);

/// The control socket.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) listener: tokio::net::UnixListener,
    /// Of the name in the directory, which another process may take over.
    inode: u64,
}

/// Why the edge cannot have its directory.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("another edge runs on {}{holder}", path.display())]
    Held {
        path: PathBuf,
        /// ` (process 123)`, where it can be read.
        holder: String,
    },
    #[error("{} cannot be used", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    routes: Vec<Route>,
}

impl Directory {
    /// Takes the place in a data directory, which need not exist.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("edge"))
    }

    pub(super) fn control_path(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Makes the directory and takes it, until the returned file is closed here and wherever it was handed to.
    pub(super) fn take(&self) -> Result<File, Error> {
        let unusable = |cause| Error::Unusable {
            path: self.0.clone(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(unusable)?;
        fs::set_permissions(&self.0, PermissionsExt::from_mode(0o700)).map_err(unusable)?;
        let file = private().truncate(false).open(self.0.join("lock")).map_err(unusable)?;
        lock_file::take(file).map_err(|refusal| match refusal {
            Refusal::Held { holder } => Error::Held {
                path: self.0.clone(),
                holder,
            },
            Refusal::Unusable(cause) => unusable(cause),
        })
    }

    /// Reads the routes. A file that cannot be understood is set aside: who knows the routes will tell them again.
    pub(super) fn routes(&self) -> io::Result<Vec<Route>> {
        let path = self.0.join("routes.json");
        let content = match fs::read(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            content => content?,
        };
        match serde_json::from_slice(&content) {
            Ok(Stored { routes }) => Ok(routes),
            Err(error) => {
                tracing::error!(%error, "the file of the routes is damaged and was set aside");
                fs::rename(&path, self.0.join("routes.json.damaged"))?;
                Ok(Vec::new())
            }
        }
    }

    /// Replaces the routes in one step; they are on the disk when this returns.
    pub(super) fn write_routes(&self, routes: Vec<Route>) -> io::Result<()> {
        let draft_path = self.0.join("routes.json.new");
        let mut draft = private().truncate(true).open(&draft_path)?;
        draft.write_all(&serde_json::to_vec(&Stored { routes })?)?;
        draft.sync_all()?;
        fs::rename(draft_path, self.0.join("routes.json"))?;
        File::open(&self.0)?.sync_all()
    }

    /// Listens for requests, in the place of whoever did before.
    pub(super) fn bind_control(&self) -> io::Result<Control> {
        // The directory lets nobody else in, so it does not matter that the socket's own mode comes a moment later.
        let draft_path = self.0.join("control.sock.new");
        match fs::remove_file(&draft_path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let listener = UnixListener::bind(&draft_path)?;
        fs::set_permissions(&draft_path, PermissionsExt::from_mode(0o600))?;
        let inode = fs::metadata(&draft_path)?.ino();
        fs::rename(draft_path, self.control_path())?;
        listener.set_nonblocking(true)?;
        Ok(Control {
            listener: tokio::net::UnixListener::from_std(listener)?,
            inode,
        })
    }

    /// Tells whether clients still reach this listener, and not that of another process.
    pub(super) fn leads_to(&self, control: &Control) -> bool {
        fs::metadata(self.control_path()).is_ok_and(|found| found.ino() == control.inode)
    }

    /// Sends what this process prints, its panics included, to the log.
    pub(super) fn redirect_output(&self) -> io::Result<()> {
        let log = self.open_log()?;
        rustix::stdio::dup2_stdout(&log)?;
        rustix::stdio::dup2_stderr(&log)?;
        Ok(())
    }

    /// Begins a new log once the old one is large.
    pub(super) fn trim_log(&self) -> io::Result<()> {
        let path = self.0.join("edge.log");
        if fs::metadata(&path)?.len() > MAX_LOG_BYTES {
            fs::rename(path, self.0.join("edge.1.log"))?;
            self.redirect_output()?;
        }
        Ok(())
    }

    fn open_log(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .append(true)
            .create(true)
            .mode(0o600)
            .open(self.0.join("edge.log"))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DeploymentId;

    #[test]
    fn a_second_edge_is_told_who_the_first_is() {
        let data_dir = tempfile::tempdir().unwrap();
        let directory = Directory::of(data_dir.path());
        let lock = directory.take().unwrap();
        let refused = directory.take().unwrap_err().to_string();
        assert!(
            refused.ends_with(&format!("(process {})", std::process::id())),
            "{refused}"
        );
        let handed_over = lock.try_clone().unwrap();
        drop(lock);
        assert!(matches!(directory.take(), Err(Error::Held { .. })));
        drop(handed_over);
        directory.take().unwrap();
    }

    #[test]
    fn routes_are_read_as_they_were_written_and_a_damaged_file_is_set_aside() {
        let data_dir = tempfile::tempdir().unwrap();
        let directory = Directory::of(data_dir.path());
        let _lock = directory.take().unwrap();
        assert_eq!(directory.routes().unwrap(), []);
        let route = Route {
            deployment: DeploymentId(7),
            listen: "0.0.0.0:8080".parse().unwrap(),
            targets: vec!["127.0.0.1:9000".parse().unwrap()],
            revision: 3,
        };
        directory.write_routes(vec![route.clone()]).unwrap();
        assert_eq!(directory.routes().unwrap(), [route]);
        fs::write(directory.0.join("routes.json"), b"{\"routes\": [").unwrap();
        assert_eq!(directory.routes().unwrap(), []);
        assert!(directory.0.join("routes.json.damaged").exists());
    }
}
