//! JavaScript and TypeScript: methods without a keyword, and functions that are assigned to a name.

use super::{
    Kind, Line, Spot, keyword, members,
    syntax::Grammar,
    words::{Words, last_word},
};

const MODIFIERS: [&[u8]; 11] = [
    b"async",
    b"static",
    b"get",
    b"set",
    b"public",
    b"private",
    b"protected",
    b"readonly",
    b"override",
    b"abstract",
    b"declare",
];

pub(super) fn spot(line: &Line<'_>, grammar: &Grammar) -> Option<Spot> {
    match keyword::spot(line, grammar) {
        // What a function keeps for itself is no definition, unless it is a function.
        Some(spot) if spot.kind == Kind::Constant => {
            let is_function = is_function(line.text.get(spot.end..).unwrap_or_default());
            (is_function || line.indent == 0).then_some(Spot {
                kind: if is_function { Kind::Function } else { Kind::Constant },
                ..spot
            })
        }
        Some(spot) => Some(spot),
        None => method(line).or_else(|| assigned(line)),
    }
}

/// `async name(…) {`.
fn method(line: &Line<'_>) -> Option<Spot> {
    if line.indent == 0 || !line.text.ends_with(b"{") {
        return None;
    }
    let mut words = Words::new(line.text);
    let mut name = words.word()?;
    while MODIFIERS.contains(&name.text) && !words.rest().starts_with(b"(") {
        words.skip_spaces();
        words.skip_sign(b"*#");
        name = words.word()?;
    }
    let arguments = words.rest();
    let is_call = arguments.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`')) || is_function(arguments);
    (arguments.starts_with(b"(") && !is_call && !members::is_statement(name.text)).then_some(Spot {
        start: name.start,
        end: name.end,
        kind: Kind::Method,
    })
}

/// `exports.name = function`, `name: (…) => {`.
fn assigned(line: &Line<'_>) -> Option<Spot> {
    let sign = memchr::memchr2(b'=', b':', line.text)?;
    let name = last_word(line.text.get(..sign)?)?;
    let is_path = line
        .text
        .iter()
        .take(name.start)
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'));
    (is_path && is_function(line.text.get(sign..)?)).then_some(Spot {
        start: name.start,
        end: name.end,
        kind: Kind::Function,
    })
}

fn is_function(text: &[u8]) -> bool {
    let value = text.trim_ascii_start();
    let value = value
        .strip_prefix(b"=")
        .or_else(|| value.strip_prefix(b":"))
        .unwrap_or(value)
        .trim_ascii_start();
    let value = value.strip_prefix(b"async").unwrap_or(value).trim_ascii_start();
    value.starts_with(b"function")
        || (value.starts_with(b"(") || !value.starts_with(b"{")) && memchr::memmem::find(value, b"=>").is_some()
}
