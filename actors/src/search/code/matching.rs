//! Finds the lines of a text that a matcher matches, as ripgrep does.

use std::ops::{ControlFlow, Range};

use grep_matcher::{LineMatchKind, Matcher};
use grep_regex::RegexMatcher;

/// Calls `visit` with the range of each line that matches, without its end, and the number of lines before it.
pub(super) fn each_line(
    matcher: &RegexMatcher,
    text: &[u8],
    mut visit: impl FnMut(Range<usize>, u32) -> ControlFlow<()>,
) {
    let (mut at, mut counted, mut lines_before) = (0, 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // The regex engine fails only where it is told to give up, and it is not.
        let Ok(Some(kind)) = matcher.find_candidate_line(rest) else {
            return;
        };
        let (LineMatchKind::Confirmed(offset) | LineMatchKind::Candidate(offset)) = kind;
        let line = line_around(rest, offset);
        if line.start == rest.len() {
            return;
        }
        let line = at + line.start..at + line.end;
        at = line.end + 1;
        let bytes = text.get(line.clone()).unwrap_or_default();
        let is_match = matches!(kind, LineMatchKind::Confirmed(_)) || matches(matcher, bytes);
        if is_match {
            let passed = text.get(counted..line.start).unwrap_or_default();
            lines_before += memchr::memchr_iter(b'\n', passed).count() as u32;
            counted = line.start;
            if visit(line, lines_before).is_break() {
                return;
            }
        }
    }
}

/// Says whether the matcher matches in that line.
pub(super) fn matches(matcher: &RegexMatcher, line: &[u8]) -> bool {
    matches!(matcher.is_match(line), Ok(true))
}

/// Appends where in a line the matches are, the first ones if there are many.
pub(super) fn spans(matcher: &RegexMatcher, line: &[u8], into: &mut Vec<Range<usize>>) {
    const MAX_SPANS: usize = 100;
    let enough = into.len() + MAX_SPANS;
    let outcome = matcher.find_iter(line, |found| {
        into.push(found.start()..found.end());
        into.len() < enough
    });
    debug_assert!(outcome.is_ok(), "the regex engine does not fail");
}

fn line_around(text: &[u8], offset: usize) -> Range<usize> {
    let before = text.get(..offset).unwrap_or_default();
    let after = text.get(offset..).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    start..memchr::memchr(b'\n', after).map_or(text.len(), |length| offset + length)
}
