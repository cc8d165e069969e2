//! C and C++: no keyword stands before a function, so its head is known by its shape.

use super::{
    Kind, Line, Spot, members,
    words::{Words, last_word},
};

pub(super) fn spot(line: &Line<'_>, is_in_typedef: &mut bool) -> Option<Spot> {
    match line.text.first()? {
        b'#' => definition_of_macro(line),
        b'}' if line.indent == 0 => {
            let closes_typedef = std::mem::take(is_in_typedef);
            closes_typedef.then(|| name_before(line, b';', Kind::Type)).flatten()
        }
        b'/' | b'*' => None,
        _ if line.indent > 0 => type_head(line).or_else(|| members::function_with_body(line)),
        _ => {
            if line.text.starts_with(b"typedef ") {
                *is_in_typedef = !line.text.ends_with(b";");
                if !*is_in_typedef {
                    return name_before(line, b';', Kind::Type);
                }
            }
            type_head(line).or_else(|| function(line)).or_else(|| variable(line))
        }
    }
}

/// `#define NAME`.
fn definition_of_macro(line: &Line<'_>) -> Option<Spot> {
    let mut words = Words::new(line.text);
    words.skip_sign(b"#");
    let name = (words.word()?.text == b"define").then(|| words.word()).flatten()?;
    Some(Spot {
        start: name.start,
        end: name.end,
        kind: Kind::Macro,
    })
}

/// `struct name {`, but not `struct name *function(`.
fn type_head(line: &Line<'_>) -> Option<Spot> {
    let mut words = Words::new(line.text);
    let mut word = words.word()?;
    while matches!(word.text, b"typedef" | b"static" | b"const" | b"inline" | b"export") {
        word = words.word()?;
    }
    let kind = match word.text {
        b"struct" | b"union" | b"class" | b"enum" => Kind::Type,
        b"namespace" => Kind::Module,
        _ => return None,
    };
    let mut name = words.word()?;
    if name.text == b"class" || name.text == b"struct" {
        name = words.word()?;
    }
    words.skip_spaces();
    if words.rest().starts_with(b"final") {
        words.word();
        words.skip_spaces();
    }
    let rest = words.rest();
    let is_head = rest.is_empty() || rest.starts_with(b"{") || rest.starts_with(b":");
    (is_head && line.opens_block(name.end)).then_some(Spot {
        start: name.start,
        end: name.end,
        kind,
    })
}

/// A head at the left edge whose block opens before any semicolon.
fn function(line: &Line<'_>) -> Option<Spot> {
    let open = memchr::memchr(b'(', line.text)?;
    let before = line.text.get(..open)?;
    if before.contains(&b'=') || before.contains(&b'"') {
        return None;
    }
    let name = last_word(before)?;
    let is_head = !members::is_statement(name.text) && !line.text.ends_with(b";") && line.opens_block(open);
    is_head.then_some(Spot {
        start: name.start,
        end: name.end,
        kind: Kind::Function,
    })
}

/// `static int name = …`, `char *names[] = {`.
fn variable(line: &Line<'_>) -> Option<Spot> {
    let equals = memchr::memchr(b'=', line.text)?;
    let before = line.text.get(..equals)?;
    let end = memchr::memchr(b'[', before).unwrap_or(before.len());
    let name = last_word(before.get(..end)?)?;
    (name.start > 0 && !before.contains(&b'(')).then_some(Spot {
        start: name.start,
        end: name.end,
        kind: Kind::Constant,
    })
}

fn name_before(line: &Line<'_>, sign: u8, kind: Kind) -> Option<Spot> {
    let end = memchr::memrchr(sign, line.text)?;
    let name = last_word(line.text.get(..end)?)?;
    Some(Spot {
        start: name.start,
        end: name.end,
        kind,
    })
}
