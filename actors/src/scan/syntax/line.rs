//! Where an offset is, for parsers that tell offsets.

/// Returns the line, counted from 1, that a byte offset is on; an offset past the end is on the last line.
pub(super) fn of_offset(content: &str, offset: usize) -> u32 {
    let before = &content.as_bytes()[..offset.min(content.len())];
    let num_breaks = before.iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(num_breaks + 1).unwrap_or(u32::MAX)
}

/// Returns the text of a line that is counted from 1, or nothing past the end.
pub(super) fn text(content: &str, line: u32) -> &str {
    content.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default()
}
