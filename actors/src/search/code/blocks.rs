//! Cuts a file into blocks of whole lines: what a posting points at and what a search reads.

use std::ops::Range;

/// Blocks hold about that much: with less the index grows, with more each candidate costs more to look at.
const TARGET_BYTES: usize = 16 * 1024;

/// What some editors put before the text; ripgrep does not take it for text either.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of a file. A longer line makes a longer block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Where in the file it is.
    pub(super) range: Range<usize>,
    /// Lines of the file before it.
    pub(super) lines_before: u32,
}

/// Yields the blocks of a file in order; together they hold all of it but the byte order mark.
pub(super) fn cut(content: &[u8]) -> impl Iterator<Item = Block> {
    let mut start = if content.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut lines_before = 0;
    std::iter::from_fn(move || {
        let rest = content.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest
            .get(TARGET_BYTES - 1..)
            .and_then(|tail| memchr::memchr(b'\n', tail))
            .map_or(rest.len(), |newline| TARGET_BYTES + newline);
        let block = Block {
            range: start..start + length,
            lines_before,
        };
        let lines = memchr::memchr_iter(b'\n', rest.get(..length).unwrap_or(rest)).count();
        lines_before = lines_before.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        start += length;
        Some(block)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_a_line_and_hold_the_whole_file() {
        let content: Vec<u8> = (0..9000)
            .flat_map(|number| format!("line {number}\n").into_bytes())
            .collect();
        let blocks: Vec<Block> = cut(&content).collect();
        assert!(blocks.len() > 3);
        let mut end = 0;
        for block in &blocks {
            assert_eq!(block.range.start, end);
            assert!(block.range.len() >= TARGET_BYTES || block.range.end == content.len());
            assert!(content[block.range.clone()].ends_with(b"\n"));
            let first = format!("line {}\n", block.lines_before);
            assert!(content[block.range.clone()].starts_with(first.as_bytes()));
            end = block.range.end;
        }
        assert_eq!(end, content.len());
    }

    #[test]
    fn a_long_line_is_one_block_and_a_byte_order_mark_belongs_to_none() {
        let mut content = BYTE_ORDER_MARK.to_vec();
        content.extend(std::iter::repeat_n(b'x', 3 * TARGET_BYTES));
        content.extend_from_slice(b"\nend");
        let blocks: Vec<Block> = cut(&content).collect();
        assert_eq!(
            blocks.iter().map(|block| block.range.start).collect::<Vec<_>>(),
            [3, 4 + 3 * TARGET_BYTES]
        );
        assert_eq!(
            blocks.iter().map(|block| block.lines_before).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(cut(b"").count(), 0);
    }
}
