//! A line of a log, and how it is written.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::runtime::{Line, Stream, lines::Stamped};

/// A line that an instance of a release printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogLine {
    /// When.
    pub at: DateTime<Utc>,
    /// The release's number.
    pub release: i64,
    /// Which start of the deployment the instance was.
    pub generation: i64,
    /// Where to, if that is known.
    pub stream: Option<Stream>,
    /// The line.
    pub message: String,
}

/// Writes a line of an instance, with its end.
pub(super) fn write(line: &Line, generation: i64) -> String {
    let stream = match line.stream {
        Some(Stream::Stdout) => 'o',
        Some(Stream::Stderr) => 'e',
        None => '-',
    };
    // What is left of a carriage return or a form feed in the middle must not look like the end of a line.
    let text = line.text.replace('\n', " ");
    let text = &format!("{generation} {stream} {text}");
    Stamped { at: line.at, text }.to_string()
}

impl LogLine {
    /// Reads a line of a release's log; nothing if it is none.
    pub(super) fn parse(release: i64, line: &str) -> Option<Self> {
        let Stamped { at, text } = Stamped::parse(line)?;
        let (generation, text) = text.split_once(' ')?;
        let (stream, message) = text.split_once(' ')?;
        Some(Self {
            at,
            release,
            generation: generation.parse().ok()?,
            stream: match stream {
                "o" => Some(Stream::Stdout),
                "e" => Some(Stream::Stderr),
                _ => None,
            },
            message: message.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        for (stream, text) in [
            (Some(Stream::Stdout), "a  b "),
            (Some(Stream::Stderr), ""),
            (None, "2026-01-15T10:30:00Z 1 o x"),
        ] {
            let line = Line {
                at: Utc::now(),
                stream,
                text: text.to_owned(),
            };
            let written = write(&line, 7);
            let read = LogLine::parse(3, written.strip_suffix('\n').unwrap()).unwrap();
            assert_eq!((read.at, read.release, read.generation), (line.at, 3, 7));
            assert_eq!((read.stream, read.message.as_str()), (stream, text));
        }
        assert!(LogLine::parse(3, "half a line").is_none());
    }
}
