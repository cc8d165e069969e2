//! What an app prints: two files that take turns, so that a flood never fills the disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::runtime::lines::last_lines;

/// How large one of the two files may become.
pub(super) const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// How much of the end is looked at for the last lines.
const MAX_TAIL_BYTES: u64 = 1024 * 1024;
pub(super) const NEWEST: &str = "output.log";
const OLDER: &str = "output.1.log";

/// Writes what comes, and drops what cannot be written: the app must not wait for a full disk.
#[derive(Debug)]
pub(super) struct RotatedLog {
    directory: PathBuf,
    file: Option<File>,
    num_bytes: u64,
    /// What was dropped since something was last written.
    num_lost_bytes: u64,
}

impl RotatedLog {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            file: None,
            num_bytes: 0,
            num_lost_bytes: 0,
        }
    }

    /// Writes a chunk, or counts it as lost.
    pub(super) fn write(&mut self, chunk: &[u8]) {
        if self.try_write(chunk).is_err() {
            self.num_lost_bytes += chunk.len() as u64;
            // A fresh descriptor next time: the old one may be what is broken.
            self.file = None;
        }
    }

    fn try_write(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.num_lost_bytes > 0 {
            let notice = format!(
                "\n[borgos: {} bytes of output could not be written]\n",
                self.num_lost_bytes
            );
            self.append(notice.as_bytes())?;
            self.num_lost_bytes = 0;
        }
        self.append(chunk)
    }

    fn append(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.num_bytes + chunk.len() as u64 > MAX_FILE_BYTES && self.num_bytes > 0 {
            fs::rename(self.directory.join(NEWEST), self.directory.join(OLDER))?;
            self.file = None;
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        file.write_all(chunk)?;
        self.num_bytes += chunk.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<File> {
        let path = self.directory.join(NEWEST);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        self.num_bytes = file.metadata()?.len();
        Ok(file)
    }
}

/// Reads the last lines of both files, oldest first.
pub(super) fn tail(directory: &Path, num_lines: usize) -> io::Result<Vec<String>> {
    let newest = read_end(&directory.join(NEWEST), MAX_TAIL_BYTES)?;
    let older = read_end(&directory.join(OLDER), MAX_TAIL_BYTES - newest.len() as u64)?;
    Ok(last_lines(&[older, newest].concat(), num_lines))
}

fn read_end(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let start = file.metadata()?.len().saturating_sub(max_bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut content = Vec::new();
    file.take(max_bytes).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_stays_below_the_cap_and_its_end_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = RotatedLog::new(directory.path());
        for number in 0..400_000 {
            log.write(format!("{number:0>40}\n").as_bytes());
        }
        let sizes = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len());
        assert!(sizes.sum::<u64>() <= 2 * MAX_FILE_BYTES);
        let lines = tail(directory.path(), 3).unwrap();
        assert_eq!(
            lines
                .iter()
                .map(|line| line.trim_start_matches('0'))
                .collect::<Vec<_>>(),
            ["399997", "399998", "399999"]
        );
    }

    #[test]
    fn lines_reach_over_both_files() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(OLDER), "a\nb\n").unwrap();
        fs::write(directory.path().join(NEWEST), "c\r\nd").unwrap();
        assert_eq!(tail(directory.path(), 3).unwrap(), ["b", "c", "d"]);
        assert_eq!(tail(directory.path(), 9).unwrap(), ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_could_not_be_written_is_said_once_it_can_be_again() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("later");
        let mut log = RotatedLog::new(&place);
        log.write(b"lost\n");
        fs::create_dir(&place).unwrap();
        log.write(b"kept\n");
        let lines = tail(&place, 9).unwrap();
        assert_eq!(lines, ["", "[borgos: 5 bytes of output could not be written]", "kept"]);
    }
}
