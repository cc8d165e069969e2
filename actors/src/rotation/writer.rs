//! Writes a log of two files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
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
    /// Why something was dropped, until something is written again.
    problem: Option<String>,
}

impl Writer {
    /// Makes a writer that goes on after what is there.
    pub(crate) fn new(pair: Pair) -> Self {
        Self {
            pair,
            file: None,
            num_bytes: 0,
            num_lost_bytes: 0,
            problem: None,
        }
    }

    /// Returns why what came last was dropped, if it was.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Returns how many bytes were dropped since something was last written.
    pub(crate) fn num_lost_bytes(&self) -> u64 {
        self.num_lost_bytes
    }

    /// Writes a chunk of whole lines, or counts it as lost.
    pub(crate) fn write(&mut self, chunk: &[u8]) {
        match self.append(chunk) {
            Ok(()) => {
                self.num_lost_bytes = 0;
                self.problem = None;
            }
            Err(cause) => {
                self.lose(chunk.len(), &cause);
                // A fresh descriptor next time: the old one may be what is broken.
                self.file = None;
            }
        }
    }

    /// Counts what is lost.
    pub(crate) fn lose(&mut self, num_bytes: usize, cause: &io::Error) {
        self.problem = Some(cause.to_string());
        self.num_lost_bytes += num_bytes as u64;
    }

    /// Writes all of it, or nothing.
    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        if self.num_bytes + chunk.len() as u64 > MAX_FILE_BYTES && self.num_bytes > 0 {
            fs::rename(&self.pair.newest, &self.pair.older)?;
            file = self.open()?;
        }
        if let Err(cause) = file.write_all(chunk) {
            // There is always room for less. Half a line would be read as one.
            file.set_len(self.num_bytes)?;
            return Err(cause);
        }
        self.num_bytes += chunk.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file, and ends the line that a writer which was killed may have left.
    fn open(&mut self) -> io::Result<File> {
        let newest = &self.pair.newest;
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(newest)?;
        self.num_bytes = file.metadata()?.len();
        if self.num_bytes > 0 {
            let mut last = [0];
            file.read_exact_at(&mut last, self.num_bytes - 1)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                self.num_bytes += 1;
            }
        }
        Ok(file)
    }
}
