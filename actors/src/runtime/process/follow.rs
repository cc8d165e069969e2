//! Reads what an app prints while it prints it, across the turns of its two files.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::log::NEWEST;

/// So much is read at a time. What is further behind is skipped: a flood must not hold up who reads.
const MAX_CHUNK_BYTES: u64 = 512 * 1024;

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// With the first line.
    Start,
    /// With what is printed next.
    End,
}

/// What was printed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The output, with lines that may go on in the next chunk.
    pub(crate) bytes: Vec<u8>,
    /// Whether something before it was skipped.
    pub(crate) has_gap: bool,
    /// Whether there is more to read at once.
    pub(crate) has_more: bool,
}

/// A place in the output of one instance. All of it blocks.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    from: From,
    file: Option<File>,
}

impl Follower {
    pub(super) fn new(directory: &Path, from: From) -> Self {
        Self {
            path: directory.join(NEWEST),
            from,
            file: None,
        }
    }

    /// Reads what is new.
    pub(crate) fn read(&mut self) -> io::Result<Chunk> {
        let Some(mut file) = self.current()? else {
            return Ok(Chunk::default());
        };
        // Looked at before the rest is read: after its turn is over nothing is written to a file.
        let is_over = self.is_over(&file)?;
        let position = file.stream_position()?;
        let size = file.metadata()?.len();
        let start = position.max(size.saturating_sub(MAX_CHUNK_BYTES));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.by_ref().take(MAX_CHUNK_BYTES).read_to_end(&mut bytes)?;
        if !is_over {
            self.file = Some(file);
        }
        Ok(Chunk {
            bytes,
            has_gap: start > position,
            has_more: is_over,
        })
    }

    /// Returns the file that was read last, else the newest.
    fn current(&mut self) -> io::Result<Option<File>> {
        if let Some(file) = self.file.take() {
            return Ok(Some(file));
        }
        match File::open(&self.path) {
            Ok(mut file) => {
                if self.from == From::End {
                    file.seek(SeekFrom::End(0))?;
                }
                self.from = From::Start;
                Ok(Some(file))
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                self.from = From::Start;
                Ok(None)
            }
            Err(cause) => Err(cause),
        }
    }

    fn is_over(&self, file: &File) -> io::Result<bool> {
        match self.path.metadata() {
            Ok(newest) => Ok(newest.ino() != file.metadata()?.ino()),
            // Between two turns, or removed: the next look tells.
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::process::log::RotatedLog;

    #[test]
    fn output_is_read_once_across_turns_and_a_flood_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let mut follower = Follower::new(directory.path(), From::Start);
        assert_eq!(follower.read().unwrap(), Chunk::default());
        let mut log = RotatedLog::new(directory.path());
        log.write(b"a\n");
        assert_eq!(follower.read().unwrap().bytes, b"a\n");
        assert_eq!(follower.read().unwrap().bytes, b"");
        log.write(b"b\n");
        // The next turn begins with this chunk.
        log.write(&vec![b'x'; 5 * 1024 * 1024]);
        let first = follower.read().unwrap();
        assert_eq!((first.bytes.as_slice(), first.has_more), (b"b\n".as_slice(), true));
        let flood = follower.read().unwrap();
        assert!(flood.has_gap && flood.bytes.len() as u64 == MAX_CHUNK_BYTES);
        let mut late = Follower::new(directory.path(), From::End);
        assert_eq!(late.read().unwrap().bytes, b"");
        // And the next with this one.
        log.write(b"c\n");
        for follower in [&mut late, &mut follower] {
            assert!(follower.read().unwrap().has_more);
            assert_eq!(follower.read().unwrap().bytes, b"c\n");
        }
    }
}
