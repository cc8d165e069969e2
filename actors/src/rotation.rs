//! Logs that never fill the disk: two files that take turns, and a reader that follows them.

mod reader;
mod writer;

pub(crate) use reader::{Reader, Start};
pub(crate) use writer::Writer;

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// How large one of the two files may become.
pub(crate) const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;

/// The two files of a log.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// What is written to.
    pub(crate) newest: PathBuf,
    /// What was written before that.
    pub(crate) older: PathBuf,
}

impl Pair {
    /// Reads the end of both files together, at most so much.
    pub(crate) fn read_end(&self, max_bytes: u64) -> io::Result<Vec<u8>> {
        let newest = read_end(&self.newest, max_bytes)?;
        let older = read_end(&self.older, max_bytes - newest.len() as u64)?;
        Ok([older, newest].concat())
    }
}

fn read_end(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let Some(mut file) = open(path)? else {
        return Ok(Vec::new());
    };
    let start = file.metadata()?.len().saturating_sub(max_bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut content = Vec::new();
    file.take(max_bytes).read_to_end(&mut content)?;
    Ok(content)
}

/// Opens a file, if it is there.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}
