//! The output of an instance as it comes, read from what its keeper writes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::sleep;

use super::{blocking, log::files, observe::observe, record::Record};
use crate::{
    rotation::{Reader, Start},
    runtime::{Error, InstanceState, Line, lines::Stamped},
};

const LOOK_EVERY: Duration = Duration::from_millis(250);

struct Follow {
    record: Record,
    /// Out of the hands of a read that was given up.
    reader: Option<Reader>,
    after: Option<DateTime<Utc>>,
    /// Whether the instance had ended before the last read.
    has_ended: bool,
}

/// Streams batches of lines that are younger than `after`, until the instance has ended and all was read.
pub(super) fn output(record: Record, after: Option<DateTime<Utc>>) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    let follow = Follow {
        record,
        reader: None,
        after,
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
            text: text.to_owned(),
        })
    }
}
