//! Output of programs as lines.

use std::{collections::VecDeque, fmt};

use chrono::{DateTime, SecondsFormat, Utc};

/// Longer lines are cut.
pub(crate) const MAX_LINE_BYTES: usize = 8 * 1024;

/// Splits output into its last lines. What is not UTF-8 is replaced, and long lines are cut.
pub(super) fn last_lines(output: &[u8], num_lines: usize) -> Vec<String> {
    let output = output.strip_suffix(b"\n").unwrap_or(output);
    if output.is_empty() {
        return Vec::new();
    }
    let lines = output.rsplit(|byte| *byte == b'\n').take(num_lines);
    let mut oldest_first = VecDeque::new();
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let shown = &line[..line.len().min(MAX_LINE_BYTES)];
        oldest_first.push_front(String::from_utf8_lossy(shown).into_owned());
    }
    oldest_first.into()
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
        assert_eq!(last_lines(b"", 5), Vec::<String>::new());
        assert_eq!(last_lines(b"a\n\nb\r\n", 5), ["a", "", "b"]);
        assert_eq!(last_lines(b"a\nb\xff", 1), ["b\u{fffd}"]);
        assert_eq!(last_lines(&[b'x'; 3 * MAX_LINE_BYTES], 5)[0].len(), MAX_LINE_BYTES);
    }
}
