//! Members of a type in Java, C#, C++ and their like: modifiers and a type before a name, and no keyword.

use super::{
    Kind, Line, Spot,
    words::{Words, last_word},
};

const MODIFIERS: [&[u8]; 8] = [
    b"public",
    b"private",
    b"protected",
    b"internal",
    b"static",
    b"final",
    b"readonly",
    b"abstract",
];

/// Words before a bracket that make no name of what stands between them.
pub(super) fn is_statement(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"for"
            | b"while"
            | b"switch"
            | b"return"
            | b"else"
            | b"catch"
            | b"do"
            | b"case"
            | b"new"
            | b"throw"
            | b"sizeof"
            | b"await"
            | b"yield"
            | b"typeof"
            | b"foreach"
            | b"using"
            | b"lock"
            | b"synchronized"
            | b"try"
            | b"delete"
            | b"goto"
            | b"assert"
            | b"default"
            | b"with"
            | b"defined"
            | b"elif"
            | b"and"
            | b"or"
            | b"not"
    )
}

pub(super) fn spot(line: &Line<'_>) -> Option<Spot> {
    function_with_body(line).or_else(|| declared(line))
}

/// `Type name(…) {`.
pub(super) fn function_with_body(line: &Line<'_>) -> Option<Spot> {
    let (name, open) = head(line)?;
    let is_head = !line.text.ends_with(b";") && line.opens_block(open);
    is_head.then_some(name)
}

/// `public abstract Type name(…);` and `private Type name = …;`.
fn declared(line: &Line<'_>) -> Option<Spot> {
    let first = Words::new(line.text).word()?;
    if !MODIFIERS.contains(&first.text) {
        return None;
    }
    let end = memchr::memchr3(b'(', b'=', b';', line.text).unwrap_or(line.text.len());
    let name = last_word(line.text.get(..end)?).filter(|name| name.start > first.end)?;
    let kind = match line.text.get(end) {
        Some(b'(') => Kind::Method,
        Some(_) if name.text.iter().any(u8::is_ascii_lowercase) => Kind::Field,
        Some(_) => Kind::Constant,
        None => return None,
    };
    Some(Spot {
        start: name.start,
        end: name.end,
        kind,
    })
}

/// Returns the name before the first bracket, if a type or a modifier stands before it, and where the bracket is.
fn head(line: &Line<'_>) -> Option<(Spot, usize)> {
    let open = memchr::memchr(b'(', line.text)?;
    let before = line.text.get(..open)?;
    if before.iter().any(|byte| {
        matches!(
            byte,
            b'=' | b'.' | b'"' | b'!' | b'|' | b'+' | b'?' | b'@' | b'{' | b'}'
        )
    }) {
        return None;
    }
    let first = Words::new(line.text).word()?;
    let name = last_word(before).filter(|name| name.start >= first.end)?;
    let is_head = !is_statement(first.text) && !is_statement(name.text);
    is_head.then_some((
        Spot {
            start: name.start,
            end: name.end,
            kind: Kind::Method,
        },
        open,
    ))
}
