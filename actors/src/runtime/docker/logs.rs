//! A container's output: its last lines, as far as the engine still has them, and all of it as it comes.

use bollard::{Docker as Client, container::LogOutput, query_parameters::LogsOptionsBuilder};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream::BoxStream};

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
        .map(move |chunks| {
            let lines = chunks.into_iter().map(|chunk| chunk.map(line).map_err(failed));
            let lines: Result<Vec<Option<Line>>, Error> = lines.collect();
            let is_new = |line: &Line| after.is_none_or(|after| line.at > after);
            Ok(lines?.into_iter().flatten().filter(is_new).collect())
        })
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
