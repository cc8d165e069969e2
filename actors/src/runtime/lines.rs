//! Output of programs as lines.

use std::collections::VecDeque;

const MAX_LINE_BYTES: usize = 8 * 1024;

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
