//! What a block must hold for a regex to match in it.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::search::code::fold;

/// A condition that every text fulfils in which a regex matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search::code) enum Need {
    /// Nothing is known.
    Anything,
    /// It holds that folded text.
    Text(Vec<u8>),
    /// All are fulfilled.
    All(Vec<Need>),
    /// One is fulfilled.
    Any(Vec<Need>),
}

/// More spellings of one part are not told apart.
const MAX_SPELLINGS: usize = 16;

/// Longer spellings find no fewer blocks.
const MAX_SPELLING_BYTES: usize = 128;

impl Need {
    pub(super) fn of_text(text: &str) -> Self {
        Self::Text(fold::bytes(text.as_bytes()))
    }

    pub(super) fn of_regex(regex: &Hir) -> Self {
        match Shape::of(regex) {
            Shape::Exact(spellings) => Self::one_of(spellings),
            Shape::Needs(need) => need,
        }
    }

    fn one_of(spellings: Vec<Vec<u8>>) -> Self {
        Self::any(spellings.into_iter().map(Self::Text).collect())
    }

    /// Less than a trigram is no help.
    fn is_helpful(&self) -> bool {
        match self {
            Self::Anything => false,
            Self::Text(text) => text.len() >= 3,
            Self::All(_) | Self::Any(_) => true,
        }
    }

    fn any(needs: Vec<Self>) -> Self {
        match needs.iter().all(Self::is_helpful) && !needs.is_empty() {
            true => Self::Any(needs),
            false => Self::Anything,
        }
    }

    fn all(mut needs: Vec<Self>) -> Self {
        needs.retain(Self::is_helpful);
        match needs.is_empty() {
            true => Self::Anything,
            false => Self::All(needs),
        }
    }
}

/// What is known of the texts that a part of a regex matches.
enum Shape {
    /// They are exactly these, folded.
    Exact(Vec<Vec<u8>>),
    /// They all fulfil this.
    Needs(Need),
}

impl Shape {
    fn of(regex: &Hir) -> Self {
        match regex.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::Exact(vec![Vec::new()]),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Self::Exact(vec![fold::bytes(text.as_bytes())]),
                // Part of a letter folds to something else than the letter.
                Err(_) => Self::Needs(Need::Anything),
            },
            HirKind::Class(class) => Self::of_class(class),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => Self::of_repetition(repetition),
            HirKind::Concat(parts) => Self::of_sequence(parts),
            HirKind::Alternation(choices) => Self::of_choices(choices),
        }
    }

    fn of_class(class: &Class) -> Self {
        let letters: Vec<char> = match class {
            Class::Unicode(class) => class
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .take(MAX_SPELLINGS * 3)
                .collect(),
            Class::Bytes(class) => class
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .map(char::from)
                .take(MAX_SPELLINGS * 3)
                .collect(),
        };
        if letters.is_empty()
            || letters.len() >= MAX_SPELLINGS * 3
            || matches!(class, Class::Bytes(_)) && !letters.iter().all(char::is_ascii)
        {
            return Self::Needs(Need::Anything);
        }
        let mut spellings: Vec<Vec<u8>> = letters
            .iter()
            .map(|letter| fold::bytes(letter.to_string().as_bytes()))
            .collect();
        spellings.sort_unstable();
        spellings.dedup();
        match spellings.len() <= MAX_SPELLINGS {
            true => Self::Exact(spellings),
            false => Self::Needs(Need::Anything),
        }
    }

    fn of_repetition(repetition: &Repetition) -> Self {
        match (repetition.min, repetition.max) {
            (1, Some(1)) => Self::of(&repetition.sub),
            (0, _) => Self::Needs(Need::Anything),
            _ => Self::Needs(Need::of_regex(&repetition.sub)),
        }
    }

    fn of_choices(choices: &[Hir]) -> Self {
        let mut spellings = Vec::new();
        let mut needs = Vec::new();
        let mut is_exact = true;
        for choice in choices {
            match Self::of(choice) {
                Self::Exact(more) => {
                    needs.push(Need::one_of(more.clone()));
                    spellings.extend(more);
                }
                Self::Needs(need) => {
                    is_exact = false;
                    needs.push(need);
                }
            }
        }
        spellings.sort_unstable();
        spellings.dedup();
        match is_exact && spellings.len() <= MAX_SPELLINGS {
            true => Self::Exact(spellings),
            false => Self::Needs(Need::any(needs)),
        }
    }

    fn of_sequence(parts: &[Hir]) -> Self {
        let mut needs = Vec::new();
        let mut is_exact = true;
        let mut so_far = vec![Vec::new()];
        for part in parts {
            match Self::of(part) {
                Self::Exact(spellings) => match extended(&so_far, &spellings) {
                    Some(longer) => so_far = longer,
                    None => {
                        is_exact = false;
                        needs.push(Need::one_of(std::mem::replace(&mut so_far, spellings)));
                    }
                },
                Self::Needs(need) => {
                    is_exact = false;
                    needs.push(Need::one_of(std::mem::replace(&mut so_far, vec![Vec::new()])));
                    needs.push(need);
                }
            }
        }
        if is_exact {
            return Self::Exact(so_far);
        }
        needs.push(Need::one_of(so_far));
        Self::Needs(Need::all(needs))
    }
}

/// Returns each of `starts` followed by each of `ends`, unless those are too many or too long.
fn extended(starts: &[Vec<u8>], ends: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if starts.len() * ends.len() > MAX_SPELLINGS || starts.iter().any(|start| start.len() > MAX_SPELLING_BYTES) {
        return None;
    }
    let pairs = starts
        .iter()
        .flat_map(|start| ends.iter().map(move |end| [start.as_slice(), end].concat()));
    Some(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(regex: &str) -> Need {
        Need::of_regex(&regex_syntax::parse(regex).unwrap())
    }

    fn text(text: &str) -> Need {
        Need::Text(text.as_bytes().to_vec())
    }

    fn one(of: &str) -> Need {
        Need::Any(vec![text(of)])
    }

    #[test]
    fn literals_inside_a_regex_are_found() {
        assert_eq!(need("Foo"), one("foo"));
        assert_eq!(need(r"\bfoo\b"), one("foo"));
        assert_eq!(need(r"(?i)sKy"), one("sky"));
        assert_eq!(need(r"static\s+int"), Need::All(vec![one("static"), one("int")]));
        assert_eq!(need("(get|set)_x"), Need::Any(vec![text("get_x"), text("set_x")]));
        assert_eq!(need("(foo)+bar?"), Need::All(vec![one("foo")]));
        assert_eq!(
            need("foo|.*bar"),
            Need::Any(vec![one("foo"), Need::All(vec![one("bar")])])
        );
    }

    #[test]
    fn where_nothing_is_sure_nothing_is_needed() {
        for regex in ["", "ab", ".*", "foo|b", "(foo)?", "[A-Z]{10,}_", "foo|", r"(?-u)\xff"] {
            assert_eq!(
                regex_syntax::ParserBuilder::new()
                    .utf8(false)
                    .build()
                    .parse(regex)
                    .map(|hir| Need::of_regex(&hir))
                    .unwrap(),
                Need::Anything,
                "{regex}"
            );
        }
    }
}
