//! TOML, by the `toml` crate.

use super::{Problem, Text, Verdict, line};

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let problems = match text.content.parse::<toml::Table>() {
        Ok(_) => Vec::new(),
        Err(error) => vec![Problem {
            line: line::of_offset(text.content, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        }],
    };
    Verdict::Checked(problems)
}
