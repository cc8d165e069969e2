//! The key of access tokens: a file in the data directory that only its owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::credentials::secret::random_bytes;

const FILE: &str = "access-token.key";
const NUM_BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(in crate::credentials) enum Error {
    /// The file cannot be read or written.
    #[error("the key of access tokens in {} cannot be used", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// Others can read the file, so others may have it.
    #[error("others can read the key of access tokens in {}; remove the file, and another one is made", .0.display())]
    Exposed(PathBuf),
    /// The file holds something else.
    #[error("the key of access tokens in {} is damaged; remove the file, and another one is made", .0.display())]
    Damaged(PathBuf),
    /// There are no random numbers.
    #[error("the key of access tokens cannot be made")]
    Random(#[source] crate::Error),
}

/// Reads the key, or makes it.
pub(super) fn load(data_dir: &Path) -> Result<Vec<u8>, Error> {
    let path = data_dir.join(FILE);
    let unusable = |cause| Error::File {
        path: path.clone(),
        cause,
    };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = random_bytes().map_err(Error::Random)?;
            write(&path, &key).map_err(unusable)?;
            return Ok(key.to_vec());
        }
        opened => opened.map_err(unusable)?,
    };
    if file.metadata().map_err(unusable)?.mode() & 0o077 != 0 {
        return Err(Error::Exposed(path));
    }
    let mut key = Vec::new();
    file.take(NUM_BYTES as u64 + 1)
        .read_to_end(&mut key)
        .map_err(unusable)?;
    match key.len() {
        NUM_BYTES => Ok(key),
        _ => Err(Error::Damaged(path)),
    }
}

/// Writes the key beside its place and puts it there whole.
fn write(path: &Path, key: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&draft)?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent()
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_each_installation_has_its_own() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = load(here.path()).unwrap();
        assert_eq!(load(here.path()).unwrap(), key);
        assert_ne!(load(there.path()).unwrap(), key);
        let mode = fs::metadata(here.path().join(FILE)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_damaged_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        load(directory.path()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(directory.path()), Err(Error::Exposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "short", &"x".repeat(33)] {
            fs::write(&path, text).unwrap();
            assert!(matches!(load(directory.path()), Err(Error::Damaged(_))), "{text}");
        }
    }
}
