//! The output of an instance as it comes, read from what its keeper writes.

use std::{io, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::sleep;

use super::{blocking, log::files, observe::observe, record::Record};
use crate::{
    rotation::{Pair, Reader, Start},
    runtime::{Error, InstanceState, Line, lines::Stamped},
    value::Secrets,
};

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// So much is read at a time by who looks now and then.
const MAX_LOOK_BYTES: usize = 1024 * 1024;

/// Where one who looks now and then begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// With the first line.
    Start,
    /// With what is printed next.
    End,
}

/// The output of an instance for one who looks now and then. All of it blocks.
#[derive(Debug)]
pub(crate) struct Follower {
    pair: Pair,
    from: From,
    reader: Option<Reader>,
}

impl Follower {
    pub(super) fn new(directory: &Path, from: From) -> Self {
        Self {
            pair: files(directory),
            from,
            reader: None,
        }
    }

    /// Reads the next lines, without their times; none when there are no more for now.
    pub(crate) fn read(&mut self) -> io::Result<Vec<String>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => {
                let start = match self.from {
                    From::Start => Start::Beginning,
                    From::End => Start::Last(0),
                };
                self.reader.insert(Reader::open(self.pair.clone(), start)?)
            }
        };
        let mut lines = Vec::new();
        let mut num_bytes = 0;
        while num_bytes < MAX_LOOK_BYTES {
            let some = reader.read()?;
            if some.is_empty() {
                break;
            }
            num_bytes += some.iter().map(String::len).sum::<usize>();
            lines.extend(some.into_iter().map(without_time));
        }
        Ok(lines)
    }
}

/// Returns the text of a line as it was printed.
pub(super) fn without_time(line: String) -> String {
    match Stamped::parse(&line) {
        Some(stamped) => stamped.text.to_owned(),
        None => line,
    }
}

struct Follow {
    record: Record,
    /// Out of the hands of a read that was given up.
    reader: Option<Reader>,
    after: Option<DateTime<Utc>>,
    /// Masked beside those that its keeper knew.
    secrets: Secrets,
    /// Whether the instance had ended before the last read.
    has_ended: bool,
}

/// Streams batches of lines that are younger than `after`, until the instance has ended and all was read.
pub(super) fn output(
    record: Record,
    after: Option<DateTime<Utc>>,
    secrets: Secrets,
) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    let follow = Follow {
        record,
        reader: None,
        after,
        secrets,
        has_ended: false,
    };
    stream::unfold(Some(follow), |follow| async {
        let mut follow = follow?;
        match follow.next().await {
            Ok(Some(lines)) => Some((Ok(lines), Some(follow))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

impl Follow {
    async fn next(&mut self) -> Result<Option<Vec<Line>>, Error> {
        loop {
            let lines = self.read().await?;
            if lines.is_empty() {
                if self.has_ended {
                    return Ok(None);
                }
                self.look().await?;
                continue;
            }
            let lines: Vec<Line> = lines.iter().filter_map(|line| self.line(line)).collect();
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<String>, Error> {
        let (reader, pair) = (self.reader.take(), files(self.record.directory()));
        let (reader, lines) = blocking(move || {
            let mut reader = match reader {
                Some(reader) => reader,
                None => Reader::open(pair, Start::Beginning)?,
            };
            let lines = reader.read()?;
            Ok((reader, lines))
        })
        .await?;
        self.reader = Some(reader);
        Ok(lines)
    }

    /// Pauses, unless the instance has ended: then there is only the rest to read.
    async fn look(&mut self) -> Result<(), Error> {
        let record = self.record.clone();
        let seen = blocking(move || observe(&record)).await?;
        let is_up = seen.is_some_and(|seen| !matches!(seen.state, InstanceState::Exited(_)));
        if is_up {
            sleep(LOOK_EVERY).await;
        }
        self.has_ended = !is_up;
        Ok(())
    }

    fn line(&self, line: &str) -> Option<Line> {
        let Stamped { at, text } = Stamped::parse(line)?;
        let is_new = self.after.is_none_or(|after| at > after);
        is_new.then(|| Line {
            at,
            // The keeper reads one pipe for both, so that their order is kept.
            stream: None,
            text: self.secrets.mask(text).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rotation::MAX_FILE_BYTES, runtime::process::log::OutputLog};

    #[test]
    fn who_looks_now_and_then_reads_each_line_once_and_comes_to_the_end_of_a_flood() {
        let directory = tempfile::tempdir().unwrap();
        let mut follower = Follower::new(directory.path(), From::Start);
        assert!(follower.read().unwrap().is_empty());
        let mut log = OutputLog::new(directory.path(), Secrets::default());
        log.push(b"a\nb");
        assert_eq!(follower.read().unwrap(), ["a"]);
        log.push(b"\n");
        assert_eq!(follower.read().unwrap(), ["b"]);
        let mut late = Follower::new(directory.path(), From::End);
        assert!(late.read().unwrap().is_empty());
        log.push(b"c\n");
        assert_eq!(late.read().unwrap(), ["c"]);
        for _ in 0..2 * MAX_FILE_BYTES / 1000 {
            log.push(&[[b'x'; 999].as_slice(), b"\n"].concat());
        }
        log.push(b"end\n");
        let mut last = Vec::new();
        for _ in 0..64 {
            match follower.read().unwrap() {
                lines if lines.is_empty() => break,
                lines => last = lines,
            }
        }
        assert_eq!(last.last().unwrap(), "end");
    }
}
