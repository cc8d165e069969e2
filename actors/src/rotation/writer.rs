//! Writes a log of two files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
};

use super::{MAX_FILE_BYTES, Pair};

/// Writes what comes, and drops what cannot be written: who prints must not wait for a full disk.
#[derive(Debug)]
pub(crate) struct Writer {
    pair: Pair,
    file: Option<File>,
    num_bytes: u64,
    /// What was dropped since something was last written.
    num_lost_bytes: u64,
}

impl Writer {
    /// Makes a writer that goes on after what is there.
    pub(crate) fn new(pair: Pair) -> Self {
        Self {
            pair,
            file: None,
            num_bytes: 0,
            num_lost_bytes: 0,
        }
    }

    /// Returns how many bytes were dropped since something was last written.
    pub(crate) fn num_lost_bytes(&self) -> u64 {
        self.num_lost_bytes
    }

    /// Writes a chunk of whole lines, or counts it as lost.
    pub(crate) fn write(&mut self, chunk: &[u8]) {
        match self.append(chunk) {
            Ok(()) => self.num_lost_bytes = 0,
            Err(_) => {
                self.num_lost_bytes += chunk.len() as u64;
                // A fresh descriptor next time: the old one may be what is broken.
                self.file = None;
            }
        }
    }

    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        if self.num_bytes + chunk.len() as u64 > MAX_FILE_BYTES && self.num_bytes > 0 {
            fs::rename(&self.pair.newest, &self.pair.older)?;
            file = self.open()?;
        }
        file.write_all(chunk)?;
        self.num_bytes += chunk.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<File> {
        let newest = &self.pair.newest;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(newest)?;
        self.num_bytes = file.metadata()?.len();
        Ok(file)
    }
}
