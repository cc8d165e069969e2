//! Takes the text of a query apart into words and phrases.

use crate::search::code::Error;

/// A word or phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    /// Only where it is part of a name that is defined.
    pub(super) is_symbol: bool,
}

const SYMBOL: &str = "symbol:";

/// Splits at white space that is not in quotes. In quotes, `\"` is a quote and `\\` a backslash; a quote that is not
/// closed, or within a word, is an ordinary character.
pub(super) fn split(text: &str) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let after_prefix = rest
            .strip_prefix(SYMBOL)
            .filter(|after| after.starts_with(|letter: char| !letter.is_whitespace()));
        let is_symbol = after_prefix.is_some();
        let from = after_prefix.unwrap_or(rest);
        let (text, after) = quoted(from).unwrap_or_else(|| {
            let (word, after) = from.split_at(from.find(char::is_whitespace).unwrap_or(from.len()));
            (word.to_owned(), after)
        });
        if text.contains('\n') {
            return Err(Error::PhraseOverLines);
        }
        parts.push(Part { text, is_symbol });
        rest = after.trim_start();
    }
    parts.retain(|part| !part.text.is_empty());
    Ok(parts)
}

/// Takes a phrase in quotes off the front; it ends before white space or the end.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut phrase = String::new();
    let mut letters = inside.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let after = inside.get(at + 1..)?;
                let ends = after.is_empty() || after.starts_with(char::is_whitespace);
                return ends.then_some((phrase, after));
            }
            '\\' => match letters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => phrase.push(escaped),
                None => phrase.push(letter),
            },
            _ => phrase.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        split(text).unwrap().into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn words_and_phrases_are_told_apart() {
        assert_eq!(texts("  two  words "), ["two", "words"]);
        assert_eq!(texts(r#""one phrase" word"#), ["one phrase", "word"]);
        assert_eq!(texts(r#""say \"x\\y\" \n""#), [r#"say "x\y" \n"#]);
        assert_eq!(texts(r#"print("x y") "open"#), [r#"print("x"#, r#"y")"#, r#""open"#]);
        assert_eq!(texts(r#""" "a"b"#), [r#""a"b"#]);
        assert!(matches!(split("\"a\nb\""), Err(Error::PhraseOverLines)));
    }

    #[test]
    fn a_prefix_asks_for_definitions() {
        let parts = split(r#"symbol:main symbol: symbol:"x y""#).unwrap();
        assert_eq!(
            parts.iter().map(|part| part.is_symbol).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert_eq!(texts("symbol:main symbol:"), ["main", "symbol:"]);
    }
}
