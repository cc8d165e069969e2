//! One process per data directory.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use borgos_actors::lock_file::{self, Refusal};

/// The data directory, held by this process until dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Why a data directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("data directory {} is in use by another BorgOS{holder}", path.display())]
    Held {
        /// The data directory.
        path: PathBuf,
        /// ` (process 123)`, where it can be read.
        holder: String,
    },
    /// The directory cannot be made or written to.
    #[error("data directory {} cannot be used", path.display())]
    Unusable {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Makes the data directory, readable by its owner only, and takes it.
///
/// # Errors
/// Says who holds it, or what the system refused.
pub fn take(data_dir: &Path) -> Result<DataLock, Error> {
    let unusable = |cause| Error::Unusable {
        path: data_dir.to_owned(),
        cause,
    };
    make(data_dir)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(data_dir.join("borgos.lock")).map_err(unusable)?;
    match lock_file::take(file) {
        Ok(file) => Ok(DataLock { _file: file }),
        Err(Refusal::Held { holder }) => Err(Error::Held {
            path: data_dir.to_owned(),
            holder,
        }),
        Err(Refusal::Unusable(cause)) => Err(unusable(cause)),
    }
}

/// Makes the data directory, readable by its owner only, if it is not there.
///
/// # Errors
/// Says what the system refused.
pub fn make(data_dir: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.map_err(|cause| Error::Unusable {
        path: data_dir.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("a/b");
        let first = take(&data_dir).unwrap();
        let refused = take(&data_dir).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("(process {})", std::process::id())),
            "{refused}"
        );
        drop(first);
        take(&data_dir).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(take(&file.join("data")), Err(Error::Unusable { .. })));
    }
}
