//! Logs that never fill the disk: two files that take turns, and a reader that follows them.

mod reader;
mod writer;

pub(crate) use reader::{Reader, Start};
pub(crate) use writer::Writer;

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::ControlFlow,
    os::unix::fs::FileExt,
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

const LOOK_BYTES: u64 = 64 * 1024;
/// Longer lines are none of ours.
const MAX_LOOK_BYTES: usize = 4 * LOOK_BYTES as usize;

impl Pair {
    /// Looks at the lines from the last to the first until one is what is looked for. Reads no more than that takes.
    pub(crate) fn find_last<T>(&self, mut look: impl FnMut(&[u8]) -> ControlFlow<T>) -> io::Result<Option<T>> {
        for path in [&self.newest, &self.older] {
            if let Some(file) = open(path)?
                && let ControlFlow::Break(found) = look_back(&file, &mut look)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn look_back<T>(file: &File, look: &mut impl FnMut(&[u8]) -> ControlFlow<T>) -> io::Result<ControlFlow<T>> {
    let mut start = file.metadata()?.len();
    // The beginning of what was read, whose line may begin further ahead.
    let mut rest = Vec::new();
    while start > 0 {
        let num_bytes = start.min(LOOK_BYTES);
        start -= num_bytes;
        let mut read = vec![0; num_bytes as usize];
        file.read_exact_at(&mut read, start)?;
        read.append(&mut rest);
        let first = read.iter().position(|byte| *byte == b'\n').filter(|_| start > 0);
        let whole = match (first, start) {
            (_, 0) => &read[..],
            (Some(end), _) => &read[end + 1..],
            (None, _) => &[],
        };
        for line in whole.rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let found @ ControlFlow::Break(_) = look(line) {
                return Ok(found);
            }
        }
        let num_left = read.len() - whole.len();
        read.truncate(num_left);
        rest = if num_left > MAX_LOOK_BYTES { Vec::new() } else { read };
    }
    Ok(ControlFlow::Continue(()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_looked_at_from_the_last_to_the_first_of_both_files() {
        let directory = tempfile::tempdir().unwrap();
        let pair = Pair {
            newest: directory.path().join("newest"),
            older: directory.path().join("older"),
        };
        let numbers = |of: std::ops::Range<usize>| of.map(|number| format!("{number:0>500}\n")).collect::<String>();
        std::fs::write(&pair.older, numbers(0..1000)).unwrap();
        std::fs::write(&pair.newest, numbers(1000..2000)).unwrap();
        let mut seen = Vec::new();
        let number = |line: &[u8]| String::from_utf8_lossy(line).parse::<usize>().unwrap();
        let all = pair.find_last(|line| {
            seen.push(number(line));
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(all.unwrap(), None);
        assert_eq!(seen, (0..2000).rev().collect::<Vec<_>>());
        let found = pair.find_last(|line| match number(line) {
            700 => ControlFlow::Break("there"),
            other if other < 700 => panic!("went on to {other}"),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(found.unwrap(), Some("there"));
    }

    #[test]
    fn a_full_disk_leaves_no_half_line_and_a_killed_writer_none_that_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let pair = Pair {
            newest: directory.path().join("newest"),
            older: directory.path().join("older"),
        };
        std::fs::write(&pair.newest, "half").unwrap();
        let mut writer = Writer::new(pair.clone());
        writer.write(b"whole\n");
        assert_eq!(std::fs::read_to_string(&pair.newest).unwrap(), "half\nwhole\n");
        assert!(writer.problem().is_none());

        std::fs::remove_file(&pair.newest).unwrap();
        std::os::unix::fs::symlink("/dev/full", &pair.newest).unwrap();
        let mut writer = Writer::new(pair.clone());
        writer.write(b"lost\n");
        assert!(writer.problem().is_some());
        assert_eq!(writer.num_lost_bytes(), 5);
        std::fs::remove_file(&pair.newest).unwrap();
        writer.write(b"kept\n");
        assert_eq!(std::fs::read_to_string(&pair.newest).unwrap(), "kept\n");
        assert!(writer.problem().is_none());
    }
}
