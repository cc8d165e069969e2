//! The key in the data directory, for its owner's eyes only.
//!
//! While the key is being changed there are two files. Which of them counts is said by the database, where everything is
//! sealed anew and the id of the new key is written in one transaction: before its commit the old one, after it the new one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{Key, new_key};

const NAME: &str = "secret.key";
const NEXT_NAME: &str = "secret.key.next";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the key file `{}` cannot be used", path.display())]
    Unusable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("the key file `{}` holds no key: it {reason}", path.display())]
    NoKey {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        reason: super::NoKey,
    },
    /// The database is sealed, and the file is gone.
    #[error(
        "the database is sealed with key `{wanted}`, and there is no `{}`: put it back, or set BORGOS_SECRET_KEY",
        path.display()
    )]
    Missing {
        /// The id of the key.
        wanted: String,
        /// Where it should be.
        path: PathBuf,
    },
}

/// The files of one data directory. All of it blocks.
#[derive(Debug, Clone)]
pub(crate) struct KeyFiles {
    data_dir: PathBuf,
}

impl KeyFiles {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.data_dir.join(NAME)
    }

    fn next_path(&self) -> PathBuf {
        self.data_dir.join(NEXT_NAME)
    }

    /// Returns the key, which the database says is `wanted`; a new one where it says nothing and there is none. Ends a change
    /// of the key that was cut off.
    pub(crate) fn load(&self, wanted: Option<&str>) -> Result<Key, Error> {
        let next = read(&self.next_path())?;
        let is_changed = next.as_ref().is_some_and(|next| Some(next.id()) == wanted);
        match next {
            Some(next) if is_changed => {
                self.promote()?;
                return Ok(next);
            }
            Some(_) => remove(&self.next_path())?,
            None => {}
        }
        match (read(&self.path())?, wanted) {
            (Some(key), _) => Ok(key),
            (None, Some(wanted)) => Err(Error::Missing {
                wanted: wanted.to_owned(),
                path: self.path(),
            }),
            (None, None) => self.create(),
        }
    }

    /// Makes the first key. Of several programs that do so at the same time, one wins.
    fn create(&self) -> Result<Key, Error> {
        let path = self.path();
        let draft = self.data_dir.join(format!("{NAME}.{}", Uuid::new_v4()));
        write(&draft, &new_key())?;
        let linked = match fs::hard_link(&draft, &path) {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(unusable(&path)(cause)),
            _ => self.sync(),
        };
        remove(&draft)?;
        linked?;
        read(&path)?.ok_or_else(|| unusable(&path)(ErrorKind::NotFound.into()))
    }

    /// Writes the key that is to take the place of the one in use.
    pub(crate) fn prepare_next(&self) -> Result<Key, Error> {
        let path = self.next_path();
        remove(&path)?;
        write(&path, &new_key())?;
        self.sync()?;
        read(&path)?.ok_or_else(|| unusable(&path)(ErrorKind::NotFound.into()))
    }

    /// Puts the next key in the place of the one before, once everything is sealed with it.
    pub(crate) fn promote(&self) -> Result<(), Error> {
        fs::rename(self.next_path(), self.path()).map_err(unusable(&self.path()))?;
        self.sync()
    }

    fn sync(&self) -> Result<(), Error> {
        let directory = File::open(&self.data_dir).and_then(|directory| directory.sync_all());
        directory.map_err(unusable(&self.data_dir))
    }
}

fn read(path: &Path) -> Result<Option<Key>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Key::parse(&text).map(Some).map_err(|reason| Error::NoKey {
            path: path.to_owned(),
            reason,
        }),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(unusable(path)(cause)),
    }
}

fn write(path: &Path, key: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(key.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        });
    written.map_err(unusable(path))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(unusable(path)(cause)),
        _ => Ok(()),
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |cause| Error::Unusable { path, cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyFiles::of(directory.path());
        let key = files.load(None).unwrap();
        assert_eq!(files.load(None).unwrap().id(), key.id());
        assert_eq!(files.load(Some(key.id())).unwrap().id(), key.id());
        let mode = fs::metadata(files.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_is_gone_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let missing = KeyFiles::of(directory.path()).load(Some("abcd1234")).unwrap_err();
        assert!(missing.to_string().contains("`abcd1234`"), "{missing}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        fs::write(directory.path().join(NAME), "canary").unwrap();
        let refused = KeyFiles::of(directory.path()).load(None).unwrap_err().to_string();
        assert!(
            refused.contains("holds no key") && !refused.contains("canary"),
            "{refused}"
        );
    }

    #[test]
    fn a_change_that_was_cut_off_is_ended_as_the_database_says() {
        for is_committed in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let files = KeyFiles::of(directory.path());
            let (old, next) = (files.load(None).unwrap(), files.prepare_next().unwrap());
            let wanted = if is_committed { &next } else { &old };
            for _ in 0..2 {
                assert_eq!(files.load(Some(wanted.id())).unwrap().id(), wanted.id());
            }
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }
}
