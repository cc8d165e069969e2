//! Looks into a project's directory: few files, each of bounded size, and no links, which may lead out of it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

/// No manifest that people write is larger; lock files are only looked for.
const MAX_BYTES: u64 = 1024 * 1024;
/// So many entries of a directory are looked at.
const MAX_ENTRIES: usize = 10_000;

/// A project's directory.
pub(super) struct Tree<'a> {
    root: &'a Path,
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, path: &str) -> bool {
        let found = fs::symlink_metadata(self.root.join(path));
        found.is_ok_and(|metadata| metadata.is_file())
    }

    /// Whether there is anything but a directory, such as a link that is not followed here.
    pub(super) fn has_some(&self, path: &str) -> bool {
        let found = fs::symlink_metadata(self.root.join(path));
        found.is_ok_and(|metadata| !metadata.is_dir())
    }

    /// Whether there is such a directory.
    pub(super) fn has_directory(&self, path: &str) -> bool {
        let found = fs::symlink_metadata(self.root.join(path));
        found.is_ok_and(|metadata| metadata.is_dir())
    }

    /// Returns those of the files that are there.
    pub(super) fn existing<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        names.iter().copied().filter(|name| self.has(name)).collect()
    }

    /// Reads a file, if it is there.
    ///
    /// # Errors
    /// Says why a file that is there cannot be read.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, String> {
        match read(&self.root.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(format!("{path} cannot be read: {cause}")),
        }
    }

    /// Lists the directories and files in a directory by their names, in order.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join(path)) else {
            return Vec::new();
        };
        let names = entries.take(MAX_ENTRIES).filter_map(Result::ok);
        let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Returns the path of something in the directory.
    pub(super) fn join(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let file = open_regular(path)?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

/// Opens a regular file, and nothing that took its place since it was looked at: no link to elsewhere, no pipe.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("is no regular file"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_large_files_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", directory.path().join("link")).unwrap();
        fs::write(directory.path().join("large"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
        fs::write(directory.path().join("small"), "x").unwrap();
        let tree = Tree::new(directory.path());
        assert!(!tree.has("link") && tree.has("large"));
        assert!(tree.text("link").is_err());
        assert!(tree.text("large").unwrap_err().contains("more than"));
        assert_eq!(tree.text("small").unwrap().as_deref(), Some("x"));
        assert_eq!(tree.text("absent").unwrap(), None);
        assert_eq!(tree.names("."), ["large", "link", "small"]);
    }
}
