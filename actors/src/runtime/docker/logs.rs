//! A container's output: its last lines, as far as the engine still has them, and all of it as it comes.

use std::time::Duration;

use bollard::{Docker as Client, container::LogOutput, query_parameters::LogsOptionsBuilder};
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

use super::connect::{QUICK, failed, is_absent, within};
use crate::runtime::{
    Error, Line, Stream,
    lines::{Stamped, last_lines},
};

/// How much is read at most, and how much of that is kept: the end.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
const MAX_KEPT_BYTES: usize = 1024 * 1024;
/// So many messages that have come are passed on together.
const MAX_BATCH_CHUNKS: usize = 256;
/// The engine can lose its place when its own files take turns faster than they are read, and then says nothing more. So after
/// this much, a silence of that long is a reason to ask again.
const MAX_TRUSTED_BYTES: usize = 1024 * 1024;
const SILENCE: Duration = Duration::from_secs(5);

/// Reads the last lines, standard output and error together.
pub(super) async fn tail(client: &Client, id: &str, num_lines: usize) -> Result<Vec<String>, Error> {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .tail(&num_lines.to_string())
        .build();
    let read = async {
        let mut chunks = client.logs(id, Some(options));
        let (mut output, mut num_read) = (Vec::new(), 0);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?.into_bytes();
            num_read += chunk.len();
            output.extend_from_slice(&chunk);
            if output.len() > 2 * MAX_KEPT_BYTES {
                output.drain(..output.len() - MAX_KEPT_BYTES);
            }
            if num_read > MAX_READ_BYTES {
                break;
            }
        }
        Ok(output)
    };
    match within(QUICK, read).await {
        Ok(output) => Ok(last_lines(&output, num_lines)),
        Err(cause) if is_absent(&cause) => Ok(Vec::new()),
        Err(cause) => Err(failed(cause)),
    }
}

/// Streams batches of lines that are younger than `after`, until the container has ended and all was read.
pub(super) fn output(
    client: &Client,
    id: &str,
    after: Option<DateTime<Utc>>,
) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    let follow = Follow {
        messages: open(client, id, after),
        client: client.clone(),
        id: id.to_owned(),
        after,
        newest: after,
        num_bytes: 0,
    };
    stream::unfold(follow, |mut follow| async {
        let lines = follow.next().await?;
        Some((lines, follow))
    })
    .boxed()
}

type Messages = BoxStream<'static, Vec<Result<LogOutput, bollard::errors::Error>>>;

/// A container's output as it comes.
struct Follow {
    client: Client,
    id: String,
    messages: Messages,
    /// What the engine was asked for: lines that are younger than this.
    after: Option<DateTime<Utc>>,
    /// The time of the youngest line that was passed on.
    newest: Option<DateTime<Utc>>,
    /// How much came since the engine was asked.
    num_bytes: usize,
}

impl Follow {
    async fn next(&mut self) -> Option<Result<Vec<Line>, Error>> {
        loop {
            match timeout(SILENCE, self.messages.next()).await {
                Ok(messages) => return messages.map(|messages| self.read(messages)),
                Err(_) if self.num_bytes >= MAX_TRUSTED_BYTES => {
                    self.after = self.newest;
                    self.messages = open(&self.client, &self.id, self.after);
                    self.num_bytes = 0;
                }
                Err(_) => {}
            }
        }
    }

    fn read(&mut self, messages: Vec<Result<LogOutput, bollard::errors::Error>>) -> Result<Vec<Line>, Error> {
        let lines: Result<Vec<Option<Line>>, Error> = messages
            .into_iter()
            .map(|message| message.map(line).map_err(failed))
            .collect();
        let lines = lines?.into_iter().flatten();
        let lines: Vec<Line> = lines
            .filter(|line| self.after.is_none_or(|after| line.at > after))
            .collect();
        self.num_bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
        self.newest = lines.iter().map(|line| line.at).max().max(self.newest);
        Ok(lines)
    }
}

fn open(client: &Client, id: &str, after: Option<DateTime<Utc>>) -> Messages {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .follow(true)
        .timestamps(true);
    let options = match after.and_then(|after| i32::try_from(after.timestamp()).ok()) {
        Some(since) => options.since(since),
        None => options,
    };
    client
        .logs(id, Some(options.build()))
        .ready_chunks(MAX_BATCH_CHUNKS)
        .boxed()
}

/// Reads one message, which the engine has put a time in front of. It cuts long lines itself.
fn line(chunk: LogOutput) -> Option<Line> {
    let stream = match &chunk {
        LogOutput::StdOut { .. } => Some(Stream::Stdout),
        LogOutput::StdErr { .. } => Some(Stream::Stderr),
        LogOutput::StdIn { .. } | LogOutput::Console { .. } => None,
    };
    let message = chunk.into_bytes();
    let message = String::from_utf8_lossy(&message);
    let Stamped { at, text } = Stamped::parse(message.trim_end_matches(['\n', '\r']))?;
    Some(Line {
        at,
        stream,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_line_with_its_time() {
        let message = "2026-01-15T10:30:00.123456789Z two  words\r\n".to_owned().into();
        let read = line(LogOutput::StdErr { message }).unwrap();
        assert_eq!((read.stream, read.text.as_str()), (Some(Stream::Stderr), "two  words"));
        assert_eq!(read.at.timestamp_subsec_nanos(), 123_456_789);
        let message = "2026-01-15T10:30:00Z \n".to_owned().into();
        assert_eq!(line(LogOutput::StdOut { message }).unwrap().text, "");
        let message = "no time".to_owned().into();
        assert!(line(LogOutput::StdOut { message }).is_none());
    }
}
