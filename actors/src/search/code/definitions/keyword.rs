//! Languages in which a keyword stands before the name.

use super::{
    Kind, Line, Spot,
    syntax::{Assignments, Grammar},
    words::{Word, Words, last_word},
};

pub(super) fn spot(line: &Line<'_>, grammar: &Grammar) -> Option<Spot> {
    let mut words = Words::new(line.text);
    let first = words.word()?;
    let mut word = first;
    while grammar.modifiers.contains(&word.text) {
        words.skip_enclosed(b'(', b')');
        words.skip_spaces();
        words.skip_enclosed(b'"', b'"');
        word = words.word()?;
    }
    match grammar.keywords.iter().find(|(keyword, _)| *keyword == word.text) {
        Some((_, kind)) => named(&mut words, line, *kind),
        None if word != first => field(line, &words, word, grammar),
        None => assignment(&words, word, line, grammar),
    }
}

/// The name after the keyword; of a path its last part.
fn named(words: &mut Words<'_>, line: &Line<'_>, kind: Kind) -> Option<Spot> {
    words.skip_sign(b"!");
    words.skip_spaces();
    while words.skip_sign(b"*&") {}
    let mut name = words.word()?;
    while matches!(name.text, b"mut" | b"unsafe" | b"class") {
        name = words.word()?;
    }
    while words.skip_sign(b".:") {
        words.skip_sign(b":");
        match words
            .rest()
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        {
            true => name = words.word()?,
            false => break,
        }
    }
    let is_member = line.indent > 0 && kind == Kind::Function;
    Some(Spot {
        start: name.start,
        end: name.end,
        kind: if is_member { Kind::Method } else { kind },
    })
}

/// `pub name: Type` and `const NAME: Type`.
fn field(line: &Line<'_>, words: &Words<'_>, name: Word<'_>, grammar: &Grammar) -> Option<Spot> {
    let is_field = grammar.has_fields && words.rest().starts_with(b":") && !words.rest().starts_with(b"::");
    let is_constant = last_word(line.text.get(..name.start)?).is_some_and(|word| word.text == b"const");
    is_field.then_some(Spot {
        start: name.start,
        end: name.end,
        kind: if is_constant { Kind::Constant } else { Kind::Field },
    })
}

/// `NAME = value` at the left edge, and `name() {` of shells.
fn assignment(words: &Words<'_>, name: Word<'_>, line: &Line<'_>, grammar: &Grammar) -> Option<Spot> {
    let rest = words.rest().trim_ascii_start();
    let is_assigned =
        rest.starts_with(b"=") && !rest.starts_with(b"==") || rest.starts_with(b": ") && rest.contains(&b'=');
    let kind = match grammar.assignments {
        Assignments::AtLeftEdge if line.indent == 0 && is_assigned => Kind::Constant,
        Assignments::Capitalized if name.text.first().is_some_and(u8::is_ascii_uppercase) && is_assigned => {
            Kind::Constant
        }
        Assignments::Shell if rest.starts_with(b"()") => Kind::Function,
        Assignments::Shell if line.indent == 0 && words.rest().starts_with(b"=") => Kind::Constant,
        _ => return None,
    };
    Some(Spot {
        start: name.start,
        end: name.end,
        kind,
    })
}
