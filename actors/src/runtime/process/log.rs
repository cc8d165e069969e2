//! What an app prints, as its keeper writes it down: each line with its time, and without the secrets of the app's
//! environment, so that those never reach the disk.

use std::{io, path::Path};

use chrono::{DateTime, TimeDelta, Utc};

use super::follow::without_time;
use crate::{
    rotation::{Pair, Writer},
    runtime::lines::{Lines, MAX_LINE_BYTES, Stamped, last_lines},
    value::Secrets,
};

/// What is longer is cut into several lines; each has its time in front of it.
const MAX_PIECE_BYTES: usize = MAX_LINE_BYTES - 64;
/// How much of the end is looked at for the last lines.
const MAX_TAIL_BYTES: u64 = 1024 * 1024;

/// Returns the files that the output is kept in.
pub(super) fn files(directory: &Path) -> Pair {
    Pair {
        newest: directory.join("output.log"),
        older: directory.join("output.1.log"),
    }
}

/// Takes output as it comes and writes whole lines. What is longer than a line may be is cut into several.
#[derive(Debug)]
pub(super) struct OutputLog {
    writer: Writer,
    lines: Lines,
    /// The time of the last line; those of the others are greater, so that a reader knows where it was.
    last: DateTime<Utc>,
}

impl OutputLog {
    pub(super) fn new(directory: &Path, secrets: Secrets) -> Self {
        Self {
            writer: Writer::new(files(directory)),
            lines: Lines::new(secrets, MAX_PIECE_BYTES),
            last: DateTime::UNIX_EPOCH,
        }
    }

    /// Takes a chunk of output.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let lines = self.lines.push(chunk);
        self.write(&lines);
    }

    /// Writes what is left, once nothing more comes.
    pub(super) fn end(&mut self) {
        let lines = self.lines.end();
        self.write(&lines);
    }

    fn write(&mut self, lines: &[String]) {
        let mut written = self.notice();
        for line in lines {
            written.push_str(&self.stamp(line));
        }
        if !written.is_empty() {
            self.writer.write(written.as_bytes());
        }
    }

    /// Says what is missing, if anything is.
    fn notice(&mut self) -> String {
        match self.writer.num_lost_bytes() {
            0 => String::new(),
            lost => self.stamp(&format!("[borgos: {lost} bytes of output could not be written]")),
        }
    }

    fn stamp(&mut self, text: &str) -> String {
        self.last = Utc::now().max(self.last + TimeDelta::nanoseconds(1));
        Stamped { at: self.last, text }.to_string()
    }
}

/// Reads the last lines, oldest first, without their times and without these secrets too.
pub(super) fn tail(directory: &Path, num_lines: usize, secrets: &Secrets) -> io::Result<Vec<String>> {
    let end = files(directory).read_end(MAX_TAIL_BYTES)?;
    let lines = last_lines(&end, num_lines, secrets).into_iter();
    Ok(lines.map(without_time).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::rotation::MAX_FILE_BYTES;

    #[test]
    fn a_flood_stays_below_the_cap_and_its_end_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = OutputLog::new(directory.path(), Secrets::default());
        for number in 0..200_000 {
            log.push(format!("{number:0>40}\n").as_bytes());
        }
        let sizes = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len());
        assert!(sizes.sum::<u64>() <= 2 * MAX_FILE_BYTES);
        let lines = tail(directory.path(), 3, &Secrets::default()).unwrap();
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_start_matches('0')).collect();
        assert_eq!(lines, ["199997", "199998", "199999"]);
    }

    #[test]
    fn lines_are_whole_masked_and_in_the_order_of_their_times() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = OutputLog::new(directory.path(), Secrets::among([("API_KEY", "canary")]));
        for chunk in ["a ca", "nary\r\nb", "", "\n", "c"] {
            log.push(chunk.as_bytes());
        }
        assert_eq!(tail(directory.path(), 9, &Secrets::default()).unwrap(), ["a ***", "b"]);
        log.end();
        log.end();
        assert_eq!(tail(directory.path(), 2, &Secrets::default()).unwrap(), ["b", "c"]);
        let written = fs::read_to_string(files(directory.path()).newest).unwrap();
        let times: Vec<_> = written.lines().map(|line| Stamped::parse(line).unwrap().at).collect();
        assert!(times.is_sorted_by(|one, next| one < next), "{written}");
    }

    #[test]
    fn a_secret_that_a_cut_would_divide_is_masked() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = OutputLog::new(directory.path(), Secrets::among([("API_KEY", "canary")]));
        log.push(&[&[b'x'; MAX_PIECE_BYTES - 3], b"canary and more\n".as_slice()].concat());
        let lines = tail(directory.path(), 9, &Secrets::default()).unwrap();
        assert_eq!(lines[1..], ["*** and more"]);
    }

    #[test]
    fn a_line_without_an_end_is_cut_into_several() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = OutputLog::new(directory.path(), Secrets::default());
        log.push(&vec![b'x'; 2 * MAX_PIECE_BYTES + 1]);
        log.end();
        let lengths: Vec<usize> = tail(directory.path(), 9, &Secrets::default())
            .unwrap()
            .iter()
            .map(String::len)
            .collect();
        assert_eq!(lengths, [MAX_PIECE_BYTES, MAX_PIECE_BYTES, 1]);
    }

    #[test]
    fn what_could_not_be_written_is_said_once_it_can_be_again() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("later");
        let mut log = OutputLog::new(&place, Secrets::default());
        log.push(b"lost\n");
        fs::create_dir(&place).unwrap();
        log.push(b"kept\n");
        log.push(b"kept too\n");
        let lines = tail(&place, 9, &Secrets::default()).unwrap();
        assert_eq!(
            lines,
            ["[borgos: 36 bytes of output could not be written]", "kept", "kept too"]
        );
    }
}
