//! The files of projects, as scans saw them: where their snapshots are, and how a file is opened for a stranger.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};

use crate::{Error, id::ProjectId, scan::Snapshot};

/// A larger file is not shown.
const MAX_SHOWN_BYTES: u64 = 8 * 1024 * 1024;

/// Where the snapshots of all projects are.
#[derive(Debug, Clone)]
pub struct Snapshots {
    directory: PathBuf,
}

impl Snapshots {
    /// Keeps them in a directory of their own below this one.
    ///
    /// # Errors
    /// Fails when that directory cannot be made.
    pub fn below(data_dir: &Path) -> io::Result<Self> {
        let directory = data_dir.join("scans");
        std::fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    pub(super) fn path(&self, project: ProjectId) -> PathBuf {
        self.directory.join(format!("{project}.snapshot"))
    }

    pub(super) fn load(&self, project: ProjectId) -> Option<Snapshot> {
        Snapshot::load(&self.path(project))
    }

    /// Removes the snapshot of a project, if there is one.
    pub(super) fn remove(&self, project: ProjectId) -> io::Result<()> {
        match std::fs::remove_file(self.path(project)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Reads a file of a project. The kernel itself sees to it that no link is followed, even one that is made meanwhile: it could
/// lead out of the project, or to what the project ignores. What is no plain file is not waited for.
pub(super) fn read(root: &Path, path: &str) -> Result<Vec<u8>, Error> {
    let absent = || absent(path);
    let opened = match open_beneath(root, path) {
        Ok(opened) => opened,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::ACCESS | Errno::INVAL) => {
            return Err(absent());
        }
        Err(cause) => return Err(Error::Internal(format!("`{path}` cannot be opened: {cause}"))),
    };
    let file = File::from(opened);
    let metadata = file.metadata().map_err(|_| absent())?;
    if !metadata.is_file() {
        return Err(absent());
    }
    if metadata.len() > MAX_SHOWN_BYTES {
        return Err(Error::Impossible {
            code: "FILE_TOO_LARGE",
            reason: format!(
                "`{path}` has {} bytes; at most {MAX_SHOWN_BYTES} are shown",
                metadata.len()
            ),
        });
    }
    let mut content = Vec::new();
    // It may grow while it is read.
    file.take(MAX_SHOWN_BYTES)
        .read_to_end(&mut content)
        .map_err(|_| absent())?;
    Ok(content)
}

/// There is no such file, or none that anyone may see.
pub(super) fn absent(path: &str) -> Error {
    Error::NotFound {
        kind: "File",
        id: path.to_owned(),
    }
}

fn open_beneath(root: &Path, path: &str) -> rustix::io::Result<OwnedFd> {
    let directory = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(directory, path, flags, Mode::empty(), inside)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_plain_files_inside_the_project_are_read() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let root = outside.path().join("project");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.txt"), "a").unwrap();
        symlink("a.txt", root.join("inner")).unwrap();
        symlink("../secret", root.join("outer")).unwrap();
        symlink(outside.path().join("secret"), root.join("absolute")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        for path in ["a.txt", "./a.txt"] {
            assert_eq!(read(&root, path).unwrap(), b"a", "{path}");
        }
        for path in [
            "inner",
            "outer",
            "absolute",
            "../secret",
            "/etc/passwd",
            "fifo",
            ".",
            "",
            "none",
        ] {
            assert!(matches!(read(&root, path), Err(Error::NotFound { .. })), "{path}");
        }
    }
}
