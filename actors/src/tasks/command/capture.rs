//! The beginning and the end of an output of any length.

use std::collections::VecDeque;

/// So much is kept of the beginning, and as much of the end.
const HALF_BYTES: usize = 32 * 1024;

/// What is kept of an output.
#[derive(Debug, Default)]
pub(super) struct Capture {
    beginning: Vec<u8>,
    end: VecDeque<u8>,
    num_bytes: u64,
}

impl Capture {
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.num_bytes += bytes.len() as u64;
        let room = HALF_BYTES - self.beginning.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.beginning.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(HALF_BYTES)..];
        self.end.extend(rest);
        let excess = self.end.len().saturating_sub(HALF_BYTES);
        self.end.drain(..excess);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.num_bytes == 0
    }

    /// Returns how much was written in all.
    pub(super) fn num_bytes(&self) -> u64 {
        self.num_bytes
    }

    /// Returns what is kept, with a note of what is not.
    pub(super) fn text(&self) -> String {
        let num_kept = (self.beginning.len() + self.end.len()) as u64;
        let mut bytes = self.beginning.clone();
        if num_kept < self.num_bytes {
            bytes.extend(format!("\n… {} bytes left out …\n", self.num_bytes - num_kept).bytes());
        }
        bytes.extend(&self.end);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the last characters.
    pub(super) fn end(&self, max_chars: usize) -> String {
        let text = self.text();
        let text = text.trim();
        let num_left_out = text.chars().count().saturating_sub(max_chars);
        text.chars().skip(num_left_out).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_output_is_kept_whole() {
        let mut capture = Capture::default();
        assert!(capture.is_empty());
        capture.write(b"one\n");
        capture.write("zwölf\n".as_bytes());
        assert_eq!((capture.text().as_str(), capture.num_bytes()), ("one\nzwölf\n", 11));
        assert_eq!(capture.end(3), "ölf");
    }

    #[test]
    fn of_a_flood_the_beginning_and_the_end_are_kept() {
        let mut capture = Capture::default();
        capture.write(b"begin ");
        for _ in 0..1000 {
            capture.write(&[b'x'; 1000]);
        }
        capture.write(b" end");
        let text = capture.text();
        assert!(text.len() < 2 * HALF_BYTES + 100, "{}", text.len());
        assert!(text.starts_with("begin x") && text.ends_with("x end"));
        assert!(text.contains("bytes left out"));
        assert_eq!(capture.num_bytes(), 1_000_010);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_left_out_silently(chunks in proptest::collection::vec(0_usize..50_000, 0..6)) {
            let mut capture = Capture::default();
            for size in &chunks {
                capture.write(&vec![b'x'; *size]);
            }
            let total: usize = chunks.iter().sum();
            proptest::prop_assert_eq!(capture.text().contains("left out"), total > 2 * HALF_BYTES);
        }
    }
}
