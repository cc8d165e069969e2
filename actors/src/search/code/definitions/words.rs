//! Takes a line apart into words and signs.

/// Reads words from the front of a text.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

/// A word and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Says whether names are made of such bytes.
pub(in crate::search::code) fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Goes over one of the signs, if it is next.
    pub(super) fn skip_sign(&mut self, signs: &[u8]) -> bool {
        let is_next = self.rest().first().is_some_and(|byte| signs.contains(byte));
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes over everything up to the closing sign, if the opening one is next.
    pub(super) fn skip_enclosed(&mut self, open: u8, close: u8) -> bool {
        if self.rest().first() != Some(&open) {
            return false;
        }
        let inside = self.rest().get(1..).unwrap_or_default();
        let Some(length) = memchr::memchr(close, inside) else {
            return false;
        };
        self.at += length + 2;
        true
    }

    /// Takes the next word, if one is next after spaces. One that begins with a digit is none.
    pub(super) fn word(&mut self) -> Option<Word<'a>> {
        self.skip_spaces();
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| is_part_of_word(**byte)).count();
        let text = rest
            .get(..length)
            .filter(|word| word.first().is_some_and(|byte| !byte.is_ascii_digit()))?;
        let start = self.at;
        self.at += length;
        Some(Word {
            text,
            start,
            end: self.at,
        })
    }
}

/// Returns the word that ends where `text` ends, apart from spaces.
pub(super) fn last_word(text: &[u8]) -> Option<Word<'_>> {
    let end = text.trim_ascii_end().len();
    let length = text
        .iter()
        .take(end)
        .rev()
        .take_while(|byte| is_part_of_word(**byte))
        .count();
    let start = end - length;
    let word = text
        .get(start..end)
        .filter(|word| word.first().is_some_and(|byte| !byte.is_ascii_digit()))?;
    Some(Word { text: word, start, end })
}
