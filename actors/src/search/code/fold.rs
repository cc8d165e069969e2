//! One spelling for all that differs in case only, so that one index serves searches with and without case.
//!
//! Whatever ripgrep takes for the same letter without case must fold to the same bytes, or the index would hide a line.
//! Folding too much is harmless: every candidate is looked at in the file itself.

/// The pairs that Unicode folds although they have no single-letter capital in common.
const WITHOUT_COMMON_CAPITAL: [(char, char); 3] = [
    ('\u{1fd3}', '\u{390}'),
    ('\u{1fe3}', '\u{3b0}'),
    ('\u{fb05}', '\u{fb06}'),
];

/// Hands each byte of `text` in the folded spelling to `push`. Bytes that are no UTF-8 stay as they are.
#[inline]
pub(super) fn each_byte(text: &[u8], mut push: impl FnMut(u8)) {
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if first.is_ascii() {
            push(first.to_ascii_lowercase());
            rest = after;
            continue;
        }
        let (letter, length) = bstr::decode_utf8(rest);
        let (bytes, after) = rest.split_at(length.max(1));
        match letter {
            Some(letter) => {
                let mut buffer = [0; 4];
                fold_letter(letter).encode_utf8(&mut buffer).bytes().for_each(&mut push);
            }
            None => bytes.iter().copied().for_each(&mut push),
        }
        rest = after;
    }
}

/// Returns `text` in the folded spelling.
pub(super) fn bytes(text: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(text.len());
    each_byte(text, |byte| folded.push(byte));
    folded
}

/// Through the capital, since several small letters may share one: `ς` and `σ`, `ſ` and `s`.
fn fold_letter(letter: char) -> char {
    if let Some((_, same)) = WITHOUT_COMMON_CAPITAL.iter().find(|(from, _)| *from == letter) {
        return *same;
    }
    let capital = only(letter.to_uppercase()).unwrap_or(letter);
    only(capital.to_lowercase()).unwrap_or(capital)
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

    use super::*;

    #[test]
    fn letters_that_a_regex_takes_for_the_same_fold_to_the_same() {
        for letter in ('\0'..=char::MAX).filter(|letter| u32::from(*letter) < 0x2_0000) {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]);
            class.try_case_fold_simple().unwrap();
            for same in class.iter().flat_map(|range| range.start()..=range.end()) {
                let folded = |letter: char| bytes(letter.to_string().as_bytes());
                assert_eq!(folded(letter), folded(same), "{letter:?} and {same:?}");
            }
        }
    }

    #[test]
    fn what_is_no_text_stays_and_does_not_hide_the_text_after_it() {
        assert_eq!(bytes(b"\xffAB\xc3\xc3\x89Z"), b"\xffab\xc3\xc3\xa9z");
        assert_eq!(bytes(b""), b"");
    }
}
