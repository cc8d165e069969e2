//! Reads a log of two files, and goes on reading while it grows and its files take turns.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::{Pair, open};

const READ_BYTES: usize = 64 * 1024;
/// Lines are no longer than that; what is longer is none of ours.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Where a reader begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// With all that is there.
    Beginning,
    /// With about so many of the last bytes, from the first whole line on.
    Last(u64),
}

/// Follows a log. A reader that is slower than the writer loses what was written over meanwhile, no more.
#[derive(Debug)]
pub(crate) struct Reader {
    pair: Pair,
    file: Option<File>,
    /// What was read after the last whole line.
    rest: Vec<u8>,
    /// Whether the next line is only the end of one.
    is_amid_line: bool,
}

impl Reader {
    /// Opens a log, which need not be there yet.
    pub(crate) fn open(pair: Pair, start: Start) -> io::Result<Self> {
        let mut reader = Self {
            pair,
            file: None,
            rest: Vec::new(),
            is_amid_line: false,
        };
        reader.file = match (open(&reader.pair.older)?, start) {
            (Some(older), Start::Beginning) => Some(older),
            (older, Start::Last(num_bytes)) => reader.seek(older, num_bytes)?,
            (None, Start::Beginning) => open(&reader.pair.newest)?,
        };
        Ok(reader)
    }

    fn seek(&mut self, older: Option<File>, num_bytes: u64) -> io::Result<Option<File>> {
        let newest = open(&self.pair.newest)?;
        let len = newest
            .as_ref()
            .map_or(Ok(0), |file| file.metadata().map(|data| data.len()))?;
        let (chosen, num_bytes) = match older {
            Some(older) if len < num_bytes => (Some(older), num_bytes - len),
            _ => (newest, num_bytes),
        };
        let Some(mut file) = chosen else { return Ok(None) };
        // From the byte before: where that ends a line, only an empty rest of one is left out.
        let start = file.metadata()?.len().saturating_sub(num_bytes).saturating_sub(1);
        file.seek(SeekFrom::Start(start))?;
        self.is_amid_line = start > 0;
        Ok(Some(file))
    }

    /// Reads the next whole lines; none when there are no more for now. Blocks on the file system.
    pub(crate) fn read(&mut self) -> io::Result<Vec<String>> {
        loop {
            let Some(file) = &mut self.file else {
                self.file = open(&self.pair.newest)?;
                match self.file {
                    Some(_) => continue,
                    None => return Ok(Vec::new()),
                }
            };
            // Looked up before the read: after that nothing more comes into a file that is no longer the newest.
            let is_newest = is_at(file, &self.pair.newest)?;
            let mut chunk = vec![0; READ_BYTES];
            match file.read(&mut chunk)? {
                0 if is_newest => return Ok(Vec::new()),
                0 => self.turn()?,
                num_bytes => {
                    let lines = self.take(&chunk[..num_bytes]);
                    if !lines.is_empty() {
                        return Ok(lines);
                    }
                }
            }
        }
    }

    /// Goes on with the file that was begun after this one.
    fn turn(&mut self) -> io::Result<()> {
        let was_older = match &self.file {
            Some(file) => is_at(file, &self.pair.older)?,
            None => true,
        };
        let next = if was_older { &self.pair.newest } else { &self.pair.older };
        self.file = open(next)?;
        Ok(())
    }

    fn take(&mut self, chunk: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(chunk);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            if self.rest.len() > MAX_LINE_BYTES {
                self.rest.clear();
                self.is_amid_line = true;
            }
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let lines = whole[..end].split(|byte| *byte == b'\n');
        let skipped = usize::from(std::mem::take(&mut self.is_amid_line));
        let lines = lines.skip(skipped);
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}

/// Whether the file is the one that has this name now.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => {
            let here = file.metadata()?;
            Ok((here.dev(), here.ino()) == (there.dev(), there.ino()))
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::{MAX_FILE_BYTES, Writer};

    fn pair(directory: &Path) -> Pair {
        Pair {
            newest: directory.join("newest"),
            older: directory.join("older"),
        }
    }

    fn read_all(reader: &mut Reader) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            match reader.read().unwrap() {
                lines if lines.is_empty() => return all,
                lines => all.extend(lines),
            }
        }
    }

    #[test]
    fn a_reader_that_keeps_up_misses_nothing_while_the_files_take_turns() {
        let directory = tempfile::tempdir().unwrap();
        let mut reader = Reader::open(pair(directory.path()), Start::Beginning).unwrap();
        assert!(reader.read().unwrap().is_empty());
        let mut writer = Writer::new(pair(directory.path()));
        let mut seen = Vec::new();
        for number in 0..300_000 {
            writer.write(format!("{number:0>40}\n").as_bytes());
            if number % 1000 == 0 {
                seen.extend(read_all(&mut reader));
            }
        }
        seen.extend(read_all(&mut reader));
        assert_eq!(seen.len(), 300_000);
        assert!(seen.is_sorted());
    }

    #[test]
    fn a_late_reader_begins_with_what_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(pair(directory.path()));
        for number in 0..400_000 {
            writer.write(format!("{number:0>40}\n").as_bytes());
        }
        let all = read_all(&mut Reader::open(pair(directory.path()), Start::Beginning).unwrap());
        assert!(all.len() as u64 * 41 <= 2 * MAX_FILE_BYTES && all.len() > 130_000);
        let end = read_all(&mut Reader::open(pair(directory.path()), Start::Last(100)).unwrap());
        assert_eq!(end, all[all.len() - 2..]);
        let long = read_all(&mut Reader::open(pair(directory.path()), Start::Last(MAX_FILE_BYTES)).unwrap());
        assert!(long.len() as u64 >= MAX_FILE_BYTES / 41 - 1 && all.ends_with(&long));
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(pair(directory.path()));
        let mut reader = Reader::open(pair(directory.path()), Start::Beginning).unwrap();
        writer.write(b"one\ntw");
        assert_eq!(read_all(&mut reader), ["one"]);
        writer.write(b"o\n");
        assert_eq!(read_all(&mut reader), ["two"]);
    }
}
