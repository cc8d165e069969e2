//! Reads indexed files as they are now, and nothing else: no link out of the project, no pipe that would block.

use std::{
    fs::File,
    io::{self, Read},
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    prepare::{self, MAX_FILE_BYTES},
    shard::FileRecord,
};

/// The folder of a project.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

/// An indexed file as it is now.
#[derive(Debug)]
pub(super) enum Found {
    /// It is as it was indexed.
    Same(File),
    /// It has changed; this is what it holds now.
    Changed(Vec<u8>),
    /// It is gone, or is no text file any more.
    Gone,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?))
    }

    /// Looks for a file. The scanner follows no link, so neither does this.
    pub(super) fn find(&self, path: &Path, record: &FileRecord) -> io::Result<Found> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let file = match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO) => return Ok(Found::Gone),
            Err(error) => return Err(error.into()),
        };
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Ok(Found::Gone);
        }
        match facts.len() == record.size && mtime_ns(&facts) == record.mtime_ns {
            true => Ok(Found::Same(file)),
            false => read_changed(&file),
        }
    }
}

/// Reads part of a file that is as it was indexed; says `false` if it has become shorter meanwhile.
pub(super) fn read_part(file: &File, start: u32, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact_at(buffer, u64::from(start)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// Reads all of a file that is not as it was indexed.
pub(super) fn read_changed(file: &File) -> io::Result<Found> {
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut content)?;
    match prepare::is_text(&content) {
        true => Ok(Found::Changed(content)),
        false => Ok(Found::Gone),
    }
}

fn mtime_ns(facts: &std::fs::Metadata) -> i64 {
    facts
        .mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(facts.mtime_nsec())
}
