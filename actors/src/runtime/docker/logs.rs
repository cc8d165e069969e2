//! A container's output: its last lines, as far as the engine still has them, and all of it as it comes.

use std::time::Duration;

use bollard::{Docker as Client, container::LogOutput, query_parameters::LogsOptionsBuilder};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

use super::connect::{QUICK, failed, is_absent, within};
use crate::{
    runtime::{
        Error, Line, Stream,
        lines::{Lines, MAX_LINE_BYTES, last_lines},
    },
    value::Secrets,
};

/// How much is read at most, and how much of that is kept: the end.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
const MAX_KEPT_BYTES: usize = 1024 * 1024;
/// About so much that has come is passed on together.
const MAX_BATCH_BYTES: usize = 64 * 1024;
/// The engine can lose its place when its own files take turns faster than they are read, and then says nothing more. So after
/// this much, a silence of that long is a reason to ask again.
const MAX_TRUSTED_BYTES: usize = 1024 * 1024;
const SILENCE: Duration = Duration::from_secs(5);

/// Reads the last lines, standard output and error together.
pub(super) async fn tail(client: &Client, id: &str, num_lines: usize, secrets: &Secrets) -> Result<Vec<String>, Error> {
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
                // What is left of a line could begin with the rest of a secret.
                let end = output
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(output.len() - 1);
                output.drain(..=end);
            }
            if num_read > MAX_READ_BYTES {
                break;
            }
        }
        Ok(output)
    };
    match within(QUICK, read).await {
        Ok(output) => Ok(last_lines(&output, num_lines, secrets)),
        Err(cause) if is_absent(&cause) => Ok(Vec::new()),
        Err(cause) => Err(failed(cause)),
    }
}

/// Streams batches of lines that are younger than `after`, until the container has ended and all was read.
pub(super) fn output(
    client: &Client,
    id: &str,
    after: Option<DateTime<Utc>>,
    secrets: Secrets,
) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    let follow = Follow {
        messages: open(client, id, after),
        client: client.clone(),
        id: id.to_owned(),
        after,
        newest: after,
        num_bytes: 0,
        join: Join::new(&secrets),
    };
    stream::unfold(follow, |mut follow| async {
        let lines = follow.next().await?;
        Some((lines, follow))
    })
    .boxed()
}

type Message = Result<LogOutput, bollard::errors::Error>;

/// A container's output as it comes.
struct Follow {
    client: Client,
    id: String,
    messages: BoxStream<'static, Message>,
    /// What the engine was asked for: messages that are younger than this.
    after: Option<DateTime<Utc>>,
    /// The time of the youngest message that was read.
    newest: Option<DateTime<Utc>>,
    /// How much came since the engine was asked.
    num_bytes: usize,
    join: Join,
}

impl Follow {
    async fn next(&mut self) -> Option<Result<Vec<Line>, Error>> {
        loop {
            match timeout(SILENCE, self.messages.next()).await {
                Ok(Some(first)) => return Some(self.read(first)),
                Ok(None) => {
                    let rest = self.join.end(self.newest?);
                    return (!rest.is_empty()).then_some(Ok(rest));
                }
                Err(_) if self.num_bytes >= MAX_TRUSTED_BYTES => {
                    self.after = self.newest;
                    self.messages = open(&self.client, &self.id, self.after);
                    self.num_bytes = 0;
                }
                Err(_) => {}
            }
        }
    }

    /// Reads a message and those that have come with it, as far as they fit.
    fn read(&mut self, first: Message) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::new();
        let mut num_bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            let message = message.map_err(failed)?;
            num_bytes += message.as_ref().len();
            self.take(message, &mut lines);
            if num_bytes < MAX_BATCH_BYTES {
                next = self.messages.next().now_or_never().flatten();
            }
        }
        self.num_bytes += num_bytes;
        Ok(lines)
    }

    fn take(&mut self, message: LogOutput, lines: &mut Vec<Line>) {
        let Some(part) = Part::of(message) else { return };
        if self.after.is_none_or(|after| part.at > after) {
            self.newest = self.newest.max(Some(part.at));
            lines.extend(self.join.push(&part));
        }
    }
}

/// A message, which the engine has put a time in front of. It cuts long lines itself, and then leaves out their end.
struct Part {
    at: DateTime<Utc>,
    stream: Option<Stream>,
    text: Bytes,
}

impl Part {
    fn of(message: LogOutput) -> Option<Self> {
        let stream = match &message {
            LogOutput::StdOut { .. } => Some(Stream::Stdout),
            LogOutput::StdErr { .. } => Some(Stream::Stderr),
            LogOutput::StdIn { .. } | LogOutput::Console { .. } => None,
        };
        let mut message = message.into_bytes();
        let end = message.iter().position(|byte| *byte == b' ')?;
        let text = message.split_off(end + 1);
        let at = DateTime::parse_from_rfc3339(std::str::from_utf8(&message[..end]).ok()?).ok()?;
        Some(Self {
            at: at.to_utc(),
            stream,
            text,
        })
    }
}

/// Joins the parts of lines, each stream by itself.
struct Join([(Option<Stream>, Lines); 3]);

impl Join {
    fn new(secrets: &Secrets) -> Self {
        let streams = [Some(Stream::Stdout), Some(Stream::Stderr), None];
        Self(streams.map(|stream| (stream, Lines::new(secrets.clone(), MAX_LINE_BYTES))))
    }

    fn push(&mut self, part: &Part) -> Vec<Line> {
        let Part { at, stream, text } = part;
        let joining = self.0.iter_mut().filter(|(of, _)| of == stream);
        joining
            .flat_map(|(_, lines)| dated(lines.push(text), *at, *stream))
            .collect()
    }

    /// Returns what has no end.
    fn end(&mut self, at: DateTime<Utc>) -> Vec<Line> {
        let joining = self.0.iter_mut();
        joining
            .flat_map(|(stream, lines)| dated(lines.end(), at, *stream))
            .collect()
    }
}

fn dated(lines: Vec<String>, at: DateTime<Utc>, stream: Option<Stream>) -> Vec<Line> {
    let lines = lines.into_iter();
    lines.map(|text| Line { at, stream, text }).collect()
}

fn open(client: &Client, id: &str, after: Option<DateTime<Utc>>) -> BoxStream<'static, Message> {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .follow(true)
        .timestamps(true);
    let options = match after.and_then(|after| i32::try_from(after.timestamp()).ok()) {
        Some(since) => options.since(since),
        None => options,
    };
    client.logs(id, Some(options.build())).fuse().boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(message: &str) -> Option<Part> {
        let message = message.to_owned().into();
        Part::of(LogOutput::StdErr { message })
    }

    fn texts(lines: Vec<Line>) -> Vec<String> {
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_message_is_a_line_with_its_time() {
        let read = part("2026-01-15T10:30:00.123456789Z two  words\r\n").unwrap();
        assert_eq!(
            (read.stream, read.at.timestamp_subsec_nanos()),
            (Some(Stream::Stderr), 123_456_789)
        );
        let mut join = Join::new(&Secrets::default());
        assert_eq!(texts(join.push(&read)), ["two  words"]);
        assert_eq!(texts(join.push(&part("2026-01-15T10:30:00Z \n").unwrap())), [""]);
        assert!(part("no time").is_none());
    }

    #[test]
    fn a_secret_that_the_engine_has_cut_is_masked() {
        let mut join = Join::new(&Secrets::among([("API_KEY", "canary")]));
        let first = format!("2026-01-15T10:30:00Z {}can", "x".repeat(MAX_LINE_BYTES - 3));
        let mut lines = join.push(&part(&first).unwrap());
        lines.extend(join.push(&part("2026-01-15T10:30:01Z ary and more").unwrap()));
        lines.extend(join.end(DateTime::UNIX_EPOCH));
        assert_eq!(texts(lines)[1..], ["*** and more"]);
    }
}
