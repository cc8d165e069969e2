//! A query made ready to run.

use grep_regex::RegexMatcher;

use super::{
    Case, Mode, Need, Query, regex,
    words::{self, Part},
};
use crate::{
    id::ProjectId,
    search::{
        PathGlob,
        code::{Error, fold},
    },
};

/// More words make a search slow and no better.
const MAX_WORDS: usize = 12;

/// A word, a phrase or a regex.
#[derive(Debug)]
pub(in crate::search::code) struct Term {
    pub(in crate::search::code) matcher: RegexMatcher,
    pub(in crate::search::code) need: Need,
    /// What is looked for, if it is no regex.
    pub(in crate::search::code) text: Option<Text>,
    /// Only where it is part of a name that is defined.
    pub(in crate::search::code) is_symbol: bool,
}

/// The text of a word or phrase.
#[derive(Debug)]
pub(in crate::search::code) struct Text {
    pub(in crate::search::code) exact: Vec<u8>,
    pub(in crate::search::code) folded: Vec<u8>,
}

/// A query made ready to run.
#[derive(Debug)]
pub(in crate::search::code) struct Compiled {
    /// At least one.
    pub(in crate::search::code) terms: Vec<Term>,
    /// Matches where any of the terms does.
    pub(in crate::search::code) any: RegexMatcher,
    pub(in crate::search::code) projects: Option<Vec<ProjectId>>,
    /// In small letters.
    pub(in crate::search::code) language: Option<String>,
    pub(in crate::search::code) path: Option<PathGlob>,
    pub(in crate::search::code) limit: usize,
}

impl Compiled {
    pub(in crate::search::code) fn new(query: &Query) -> Result<Self, Error> {
        let mut patterns = Vec::new();
        let mut terms = Vec::new();
        let mut parts = match query.mode {
            Mode::Words => words::split(&query.text)?,
            Mode::Regex => Vec::new(),
        };
        if let Some(name) = query.symbol.as_deref().filter(|name| !name.is_empty()) {
            parts.push(Part {
                text: name.to_owned(),
                is_symbol: true,
            });
        }
        for part in &parts {
            let pattern = pattern(&part.text, query.case);
            terms.push(Term::of_part(part, &pattern)?);
            patterns.push(pattern);
        }
        if query.mode == Mode::Regex && !query.text.is_empty() {
            terms.push(Term::of_regex(&query.text, query.case)?);
            patterns.push(format!("(?:{})", query.text));
        }
        match terms.len() {
            0 => Err(Error::Empty),
            1..=MAX_WORDS => Ok(()),
            _ => Err(Error::TooManyWords(MAX_WORDS)),
        }?;
        let any = match terms.as_slice() {
            [only] => only.matcher.clone(),
            // Words bring their case along; what a regex matches without case is looked at again, term by term.
            _ if query.mode == Mode::Regex => regex::matcher(&patterns.join("|"), Case::Insensitive)?,
            _ => regex::matcher(&patterns.join("|"), Case::Sensitive)?,
        };
        Ok(Self {
            terms,
            any,
            projects: query.projects.clone(),
            language: query.language.as_ref().map(|name| name.to_lowercase()),
            path: query.path.as_deref().map(glob).transpose()?,
            limit: query.limit,
        })
    }

    /// Says whether only lines are wanted that define something.
    pub(in crate::search::code) fn wants_definitions(&self) -> bool {
        self.terms.iter().any(|term| term.is_symbol)
    }
}

impl Term {
    fn of_part(part: &Part, pattern: &str) -> Result<Self, Error> {
        Ok(Self {
            matcher: regex::matcher(pattern, Case::Sensitive)?,
            need: Need::of_text(&part.text),
            text: Some(Text {
                exact: part.text.clone().into_bytes(),
                folded: fold::bytes(part.text.as_bytes()),
            }),
            is_symbol: part.is_symbol,
        })
    }

    fn of_regex(text: &str, case: Case) -> Result<Self, Error> {
        Ok(Self {
            need: Need::of_regex(&regex::parse(text)?),
            matcher: regex::matcher(text, case)?,
            text: None,
            is_symbol: false,
        })
    }
}

/// A regex that matches the text alone.
fn pattern(text: &str, case: Case) -> String {
    let is_sensitive = match case {
        Case::Insensitive => false,
        Case::Sensitive => true,
        Case::Smart => text.chars().any(char::is_uppercase),
    };
    let flag = if is_sensitive { "" } else { "i" };
    format!("(?{flag}:{})", regex_syntax::escape(text))
}

fn glob(pattern: &str) -> Result<PathGlob, Error> {
    PathGlob::parse(pattern).map_err(|reason| Error::InvalidGlob {
        glob: pattern.to_owned(),
        reason,
    })
}
