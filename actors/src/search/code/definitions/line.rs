//! A line as the scanner sees it.

use super::Kind;

/// One line without its indentation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// From the first letter to the end of the line.
    pub(super) text: &'a [u8],
    /// Bytes of white space before the text.
    pub(super) indent: usize,
    /// The rest of the file from the text on, to look ahead.
    pub(super) ahead: &'a [u8],
}

/// Where in a line's text a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// A head of a function ends within that, or it is none.
const MAX_AHEAD_BYTES: usize = 1500;

impl<'a> Line<'a> {
    /// Yields all lines; `None` for an empty one.
    pub(super) fn all(content: &'a [u8]) -> impl Iterator<Item = Option<Self>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let rest = content.get(start..).filter(|rest| !rest.is_empty())?;
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            start += length + 1;
            let line = rest.get(..length).unwrap_or_default().trim_ascii_end();
            let indent = line.len() - line.trim_ascii_start().len();
            let (_, text) = line.split_at(indent);
            Some((!text.is_empty()).then_some(Self {
                text,
                indent,
                ahead: rest.get(indent..).unwrap_or_default(),
            }))
        })
    }

    /// Says whether a block opens before the statement ends.
    pub(super) fn opens_block(&self, from: usize) -> bool {
        let ahead = self.ahead.get(from..).unwrap_or_default();
        let ahead = ahead.get(..MAX_AHEAD_BYTES).unwrap_or(ahead);
        memchr::memchr2(b'{', b';', ahead).and_then(|at| ahead.get(at)) == Some(&b'{')
    }
}
