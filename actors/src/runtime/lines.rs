//! Output of programs as lines.

use std::{collections::VecDeque, fmt};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::value::Secrets;

/// Longer lines are cut.
pub(crate) const MAX_LINE_BYTES: usize = 8 * 1024;

/// Splits output into its last lines, without secrets. What is not UTF-8 is replaced, and long lines are cut.
pub(super) fn last_lines(output: &[u8], num_lines: usize, secrets: &Secrets) -> Vec<String> {
    let output = output.strip_suffix(b"\n").unwrap_or(output);
    if output.is_empty() {
        return Vec::new();
    }
    let lines = output.rsplit(|byte| *byte == b'\n').take(num_lines);
    let mut oldest_first = VecDeque::new();
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let mut shown = secrets.mask(&text).into_owned();
        shown.truncate(shown.floor_char_boundary(MAX_LINE_BYTES));
        oldest_first.push_front(shown);
    }
    oldest_first.into()
}

/// Makes lines of output as it comes: without secrets, and those that are too long in several pieces. No secret is ever cut
/// in two, since neither half would be known as one.
#[derive(Debug)]
pub(crate) struct Lines {
    secrets: Secrets,
    max_bytes: usize,
    /// A line whose end has not come yet.
    partial: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(secrets: Secrets, max_bytes: usize) -> Self {
        Self {
            secrets,
            max_bytes,
            partial: Vec::new(),
        }
    }

    /// Takes a chunk and returns what it completes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if self.partial.ends_with(b"\n") {
                lines.extend(self.end());
            } else {
                // What a secret may begin in is held back until it is known whether it does.
                self.cut(self.max_bytes + self.secrets.max_bytes(), &mut lines);
            }
        }
        lines
    }

    /// Returns what is left, once the line is complete or nothing more comes.
    pub(crate) fn end(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.partial.is_empty() {
            return lines;
        }
        let is_end = |byte: &u8| *byte == b'\n';
        self.partial
            .truncate(self.partial.len() - usize::from(self.partial.last().is_some_and(is_end)));
        let is_return = |byte: &u8| *byte == b'\r';
        self.partial
            .truncate(self.partial.len() - usize::from(self.partial.last().is_some_and(is_return)));
        self.cut(self.max_bytes, &mut lines);
        lines.push(self.masked(self.partial.len()));
        lines
    }

    /// Takes pieces off as long as there is more than that.
    fn cut(&mut self, max_held: usize, lines: &mut Vec<String>) {
        while self.partial.len() > max_held {
            let place = self.secrets.cut(&self.partial, self.max_bytes);
            lines.push(self.masked(place));
        }
    }

    /// Takes so many bytes off.
    fn masked(&mut self, num_bytes: usize) -> String {
        let rest = self.partial.split_off(num_bytes);
        let piece = std::mem::replace(&mut self.partial, rest);
        let text = String::from_utf8_lossy(&piece);
        self.secrets.mask(&text).into_owned()
    }
}

/// A line with the time when it was printed, as logs keep it: `2026-01-15T10:30:00.123456789Z text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamped<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) text: &'a str,
}

impl<'a> Stamped<'a> {
    /// Reads a line; nothing if it does not begin with a time.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let (at, text) = line.split_once(' ').unwrap_or((line, ""));
        let at = DateTime::parse_from_rfc3339(at).ok()?.to_utc();
        Some(Self { at, text })
    }
}

/// Writes it with its end.
impl fmt::Display for Stamped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Nanos, true);
        writeln!(f, "{at} {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_cut_and_made_text() {
        let lines = |output: &[u8], num_lines| last_lines(output, num_lines, &Secrets::default());
        assert_eq!(lines(b"", 5), Vec::<String>::new());
        assert_eq!(lines(b"a\n\nb\r\n", 5), ["a", "", "b"]);
        assert_eq!(lines(b"a\nb\xff", 1), ["b\u{fffd}"]);
        assert_eq!(lines(&[b'x'; 3 * MAX_LINE_BYTES], 5)[0].len(), MAX_LINE_BYTES);
    }

    fn canary() -> Secrets {
        Secrets::among([("API_KEY", "canary"), ("TOKEN", "tokentokentoken")])
    }

    #[test]
    fn a_secret_is_masked_wherever_a_line_is_cut() {
        for before in 0..60 {
            let output = format!("{}canarytokentokentoken{}\n", "x".repeat(before), "y".repeat(30));
            for num_at_once in [1, 7, 1000] {
                let mut lines = Lines::new(canary(), 20);
                let chunks = output.as_bytes().chunks(num_at_once);
                let pieces: Vec<String> = chunks.flat_map(|chunk| lines.push(chunk)).collect();
                assert!(lines.end().is_empty());
                let expected = format!("{}******{}", "x".repeat(before), "y".repeat(30));
                assert_eq!(pieces.concat(), expected, "{pieces:?}");
                assert!(pieces.iter().all(|piece| piece.len() <= 20), "{pieces:?}");
            }
            let padded = format!("{}{output}", "z".repeat(MAX_LINE_BYTES - 50));
            let last = last_lines(padded.as_bytes(), 1, &canary());
            assert!(!last[0].contains("ca") && !last[0].contains("to"), "{last:?}");
        }
    }

    #[test]
    fn lines_end_as_they_are_printed() {
        let mut lines = Lines::new(canary(), 20);
        assert_eq!(lines.push(b"a ca"), Vec::<String>::new());
        assert_eq!(lines.push(b"nary\r\nb"), ["a ***"]);
        assert_eq!(lines.push(b"\n\nc"), ["b", ""]);
        assert_eq!(lines.end(), ["c"]);
        assert!(lines.end().is_empty());
    }
}
