//! Reads a regex as ripgrep does: it matches within one line.

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use regex_syntax::hir::{Hir, Look};

use super::Case;
use crate::search::code::Error;

/// A regex that needs more memory would take seconds to build.
const MAX_BYTES: usize = 10 << 20;

/// Builds the matcher of a regex.
pub(super) fn matcher(regex: &str, case: Case) -> Result<RegexMatcher, Error> {
    RegexMatcherBuilder::new()
        .line_terminator(Some(b'\n'))
        .multi_line(true)
        .case_insensitive(case == Case::Insensitive)
        .case_smart(case == Case::Smart)
        .size_limit(MAX_BYTES)
        .dfa_size_limit(MAX_BYTES)
        .build(regex)
        .map_err(|error| Error::InvalidRegex {
            reason: error.to_string(),
            at: None,
        })
}

/// Parses a regex to look into it, and says where it is wrong if it is.
pub(super) fn parse(regex: &str) -> Result<Hir, Error> {
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).multi_line(true).build();
    let parsed = parser.parse(regex).map_err(|error| invalid(regex, &error))?;
    let looks = parsed.properties().look_set();
    if looks.contains(Look::Start) || looks.contains(Look::End) {
        return Err(Error::InvalidRegex {
            reason: "it is about the ends of a file; use `^` and `$` for those of a line".to_owned(),
            at: None,
        });
    }
    Ok(parsed)
}

fn invalid(regex: &str, error: &regex_syntax::Error) -> Error {
    let (reason, at) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span().start.offset)),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span().start.offset)),
        other => (other.to_string(), None),
    };
    Error::InvalidRegex {
        reason,
        at: at.map(|bytes| regex.get(..bytes).unwrap_or(regex).chars().count()),
    }
}
