//! Cuts what is shown out of a line, which may be long and need not be text all over.

use std::ops::Range;

use bstr::ByteSlice;

/// Longer lines are cut.
const MAX_CHARACTERS: usize = 400;

/// So much is shown before the first match when it lies too far back.
const CHARACTERS_BEFORE: usize = 80;

/// What is shown of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) content: String,
    /// The character of the whole line at which the first match begins, from one.
    pub(super) column: u32,
    /// Where in the content the matches are, in characters.
    pub(super) matches: Vec<(u32, u32)>,
}

/// Cuts an excerpt with the first of the matches, which are in bytes, in order.
pub(super) fn cut(line: &[u8], spans: &[Range<usize>]) -> Excerpt {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() <= MAX_CHARACTERS
        && let Some(excerpt) = whole(line, spans)
    {
        return excerpt;
    }
    let first = spans.first().cloned().unwrap_or_default();
    let before = characters(line, 0..first.start);
    let length = characters(line, first.clone());
    let skipped = match before + length > MAX_CHARACTERS {
        true => before.saturating_sub(CHARACTERS_BEFORE),
        false => 0,
    };
    let start = line
        .char_indices()
        .nth(skipped)
        .map_or(line.len(), |(start, _, _)| start);
    let rest = line.get(start..).unwrap_or_default();
    let bytes = rest
        .char_indices()
        .nth(MAX_CHARACTERS)
        .map_or(rest.len(), |(end, _, _)| end);
    let shown = rest.get(..bytes).unwrap_or_default();
    Excerpt {
        content: shown.chars().collect(),
        column: before as u32 + 1,
        matches: spans.iter().filter_map(|span| shown_part(shown, start, span)).collect(),
    }
}

/// Most lines are short and ASCII, so that bytes are characters.
fn whole(line: &[u8], spans: &[Range<usize>]) -> Option<Excerpt> {
    let content = std::str::from_utf8(line).ok().filter(|line| line.is_ascii())?;
    let within = |at: usize| at.min(line.len()) as u32;
    Some(Excerpt {
        content: content.to_owned(),
        column: spans.first().map_or(1, |span| span.start as u32 + 1),
        matches: spans
            .iter()
            .map(|span| (within(span.start), within(span.end)))
            .collect(),
    })
}

/// Returns where in what is shown a match is; `None` if it is not shown.
fn shown_part(shown: &[u8], start: usize, span: &Range<usize>) -> Option<(u32, u32)> {
    let from = span.start.checked_sub(start).filter(|from| *from <= shown.len())?;
    let to = span.end.checked_sub(start)?.min(shown.len());
    let before = characters(shown, 0..from);
    Some((before as u32, (before + characters(shown, from..to)) as u32))
}

fn characters(line: &[u8], range: Range<usize>) -> usize {
    let end = range.end.min(line.len());
    line.get(range.start.min(end)..end).unwrap_or_default().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_shown_whole_and_counted_in_characters() {
        let line = "héllo wörld\r".as_bytes();
        let excerpt = cut(line, std::slice::from_ref(&(7..13)));
        assert_eq!(excerpt.content, "héllo wörld");
        assert_eq!((excerpt.column, excerpt.matches), (7, vec![(6, 11)]));
    }

    #[test]
    fn of_a_long_line_the_part_with_the_first_match_is_shown() {
        let line = format!("{}needle{}", "é".repeat(1000), "x".repeat(1000));
        let excerpt = cut(line.as_bytes(), std::slice::from_ref(&(2000..2006)));
        assert_eq!(excerpt.content.chars().count(), MAX_CHARACTERS);
        assert_eq!(
            (excerpt.column, excerpt.matches.as_slice()),
            (1001, [(80, 86)].as_slice())
        );
        assert_eq!(excerpt.content.chars().skip(80).take(6).collect::<String>(), "needle");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let excerpt = cut(b"\xffab\xc3", std::slice::from_ref(&(1..3)));
        assert_eq!(excerpt.content, "\u{fffd}ab\u{fffd}");
        assert_eq!(excerpt.matches, [(1, 3)]);
    }
}
