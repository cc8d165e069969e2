//! Reads the logs of a deployment: the last lines, and those that come.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::sleep;

use super::{LogLine, Logs, blocking};
use crate::{
    Error,
    id::DeploymentId,
    rotation::{Reader, Start},
};

/// How often it is looked for lines that have come.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So many bytes of each release's last lines are shown at once.
const MAX_SHOWN_BYTES: usize = 2 * 1024 * 1024;
/// A line is seldom longer; where they are, fewer are shown than were asked for.
const USUAL_LINE_BYTES: u64 = 1024;

/// Which lines are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// Of this release, or of all.
    pub release: Option<i64>,
    /// At most so many of the last.
    pub tail: usize,
    /// Not older than this.
    pub since: Option<DateTime<Utc>>,
}

/// A look at the logs of one deployment, which can go on.
#[derive(Debug)]
pub struct View {
    logs: Logs,
    deployment: DeploymentId,
    selection: Selection,
    readers: BTreeMap<i64, Reader>,
}

impl View {
    /// Begins with the last lines, oldest first.
    ///
    /// # Errors
    /// Fails when the file system does.
    pub async fn begin(
        logs: Logs,
        deployment: DeploymentId,
        selection: Selection,
    ) -> Result<(Self, Vec<LogLine>), Error> {
        let view = Self {
            logs,
            deployment,
            selection,
            readers: BTreeMap::new(),
        };
        blocking(move || {
            let mut view = view;
            let lines = view.read_first()?;
            Ok((view, lines))
        })
        .await
    }

    /// Waits until lines have come and returns them; none when none came within `patience`.
    ///
    /// # Errors
    /// Fails when the file system does.
    pub async fn next(mut self, patience: Duration) -> Result<(Self, Vec<LogLine>), Error> {
        let mut waited = Duration::ZERO;
        loop {
            let lines;
            (self, lines) = blocking(move || {
                let lines = self.read_more()?;
                Ok((self, lines))
            })
            .await?;
            if !lines.is_empty() || waited >= patience {
                return Ok((self, lines));
            }
            sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
    }

    fn read_first(&mut self) -> std::io::Result<Vec<LogLine>> {
        let start = match self.selection.since {
            Some(_) => Start::Beginning,
            None => Start::Last(self.selection.tail as u64 * USUAL_LINE_BYTES),
        };
        let mut lines = Vec::new();
        for release in self.unopened()? {
            let mut reader = Reader::open(self.logs.files(self.deployment, release), start)?;
            lines.extend(self.read_last(release, &mut reader)?);
            self.readers.insert(release, reader);
        }
        // One release may have gone on printing while the next one began.
        lines.sort_by_key(|line| line.at);
        Ok(lines.split_off(lines.len().saturating_sub(self.selection.tail)))
    }

    /// Reads all that is there of one release, and keeps the end.
    fn read_last(&self, release: i64, reader: &mut Reader) -> std::io::Result<VecDeque<LogLine>> {
        let (mut kept, mut num_bytes) = (VecDeque::new(), 0);
        loop {
            let read = reader.read()?;
            if read.is_empty() {
                return Ok(kept);
            }
            for line in read.iter().filter_map(|line| self.select(release, line)) {
                num_bytes += line.message.len();
                kept.push_back(line);
                while kept.len() > self.selection.tail || num_bytes > MAX_SHOWN_BYTES {
                    let dropped: Option<LogLine> = kept.pop_front();
                    num_bytes -= dropped.map_or(0, |line| line.message.len());
                }
            }
        }
    }

    /// Reads one piece of each release.
    fn read_more(&mut self) -> std::io::Result<Vec<LogLine>> {
        for release in self.unopened()? {
            let reader = Reader::open(self.logs.files(self.deployment, release), Start::Beginning)?;
            self.readers.insert(release, reader);
        }
        let mut readers = std::mem::take(&mut self.readers);
        let mut lines = Vec::new();
        for (release, reader) in &mut readers {
            let read = reader.read()?;
            lines.extend(read.iter().filter_map(|line| self.select(*release, line)));
        }
        self.readers = readers;
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    /// Lists the releases that are wanted and not open, and lets go of those that are gone.
    fn unopened(&mut self) -> std::io::Result<Vec<i64>> {
        let mut there = self.logs.releases(self.deployment)?;
        there.retain(|release| self.selection.release.is_none_or(|wanted| wanted == *release));
        self.readers.retain(|release, _| there.contains(release));
        there.retain(|release| !self.readers.contains_key(release));
        Ok(there.into_iter().collect())
    }

    fn select(&self, release: i64, line: &str) -> Option<LogLine> {
        let line = LogLine::parse(release, line)?;
        self.selection
            .since
            .is_none_or(|since| line.at >= since)
            .then_some(line)
    }
}
