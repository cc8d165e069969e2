//! Cuts output into lines that can be shown: without control sequences, none too long.

use std::{mem, sync::LazyLock};

use regex::Regex;

/// What is longer is cut; the rest of the line is dropped.
const MAX_LINE_BYTES: usize = 8 * 1024;
/// Colours and other sequences that steer a terminal.
static SEQUENCES: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])";
    Regex::new(pattern).expect("the pattern is a constant")
});

/// Collects output until a line is complete.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Adds output and returns the lines that it completes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        let mut lines = Vec::new();
        for piece in pieces {
            self.extend(piece);
            lines.push(clean(&mem::take(&mut self.partial)));
        }
        self.extend(last);
        lines
    }

    /// Takes what there is of a line that is not complete, since its end does not come.
    pub(super) fn take_partial(&mut self) -> Option<String> {
        let partial = mem::take(&mut self.partial);
        (!partial.is_empty()).then(|| clean(&partial))
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = MAX_LINE_BYTES.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = SEQUENCES.replace_all(&text, "");
    // A carriage return overwrites what is before it, as progress bars do.
    let shown = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    shown.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_complete_plain_and_of_bounded_length() {
        let mut lines = Lines::default();
        assert!(lines.push(b"\x1b[1;38;2;0;1;2mUser ").is_empty());
        assert_eq!(lines.push(b"mess\x1b[0mage\r\n\nb\xff"), ["User message", ""]);
        assert_eq!(lines.take_partial().as_deref(), Some("b\u{fffd}"));
        assert_eq!(lines.take_partial(), None);
        assert_eq!(lines.push(b"10 %\r20 %\n\x1b]0;title\x07x\n"), ["20 %", "x"]);
        let long = [vec![b'x'; 3 * MAX_LINE_BYTES], b"\n".to_vec()].concat();
        assert_eq!(lines.push(&long)[0].len(), MAX_LINE_BYTES);
    }
}
