//! How well a line fits: definitions before uses, whole words before parts, code before tests before what was brought
//! along.
//!
//! The steps between the kinds of match are larger than all that is added within one, except that a definition in
//! vendored or generated code comes after one in part of a name in the project's own.

use std::ops::Range;

use super::{Class, Kind, definitions::is_part_of_word, shard::DefinitionRecord};

/// Relevance in millionths, so that it can be compared and sorted without doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Score(u32);

impl Score {
    pub(super) fn new(relevance: f64) -> Self {
        Self((relevance.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    pub(super) fn relevance(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// What a match is to the line it is in, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is the name that is defined there.
    Defines(Kind),
    /// It is part of that name.
    DefinesPart(Kind),
    /// It is a whole word, or several.
    Word,
    /// It is a part of a word.
    Part,
}

impl Relation {
    /// Returns the best relation of any of the matches.
    pub(super) fn best(line: &[u8], spans: &[Range<usize>], definition: Option<DefinitionRecord>) -> Self {
        let name = definition.map(|definition| {
            let start = usize::from(definition.column);
            (start..start + usize::from(definition.name_bytes), definition.kind)
        });
        let mut best = Self::Part;
        for span in spans {
            let relation = Self::of(line, span, name.as_ref());
            if relation.base() > best.base() {
                best = relation;
            }
        }
        best
    }

    fn of(line: &[u8], span: &Range<usize>, name: Option<&(Range<usize>, Kind)>) -> Self {
        match name {
            Some((name, kind)) if span.start <= name.start && name.end <= span.end => Self::Defines(*kind),
            Some((name, kind)) if span.start < name.end && name.start < span.end => Self::DefinesPart(*kind),
            _ if is_whole_word(line, span) => Self::Word,
            _ => Self::Part,
        }
    }

    fn base(self) -> f64 {
        match self {
            Self::Defines(_) => 0.90,
            Self::DefinesPart(_) => 0.70,
            Self::Word => 0.50,
            Self::Part => 0.30,
        }
    }

    /// Returns what the line defines, if the match is part of the name.
    pub(super) fn symbol(self) -> Option<Kind> {
        match self {
            Self::Defines(kind) | Self::DefinesPart(kind) => Some(kind),
            Self::Word | Self::Part => None,
        }
    }
}

/// What is known of a line besides how it matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    pub(super) relation: Relation,
    pub(super) class: Class,
    /// A match is spelled exactly as it was asked for.
    pub(super) is_exact_case: bool,
    /// The file is named after what is looked for.
    pub(super) is_in_file_name: bool,
    /// The line is a comment or an import.
    pub(super) is_secondary: bool,
}

/// Returns how well a line fits a single word or regex.
pub(super) fn of_line(line: Circumstances) -> f64 {
    let bonus = |applies: bool, amount: f64| if applies { amount } else { 0.0 };
    let weight_of_kind = match line.relation {
        Relation::Defines(Kind::Type) => 0.03,
        Relation::Defines(Kind::Function) => 0.02,
        Relation::Defines(Kind::Method | Kind::Macro | Kind::Constant) => 0.01,
        _ => 0.0,
    };
    let score =
        line.relation.base() + weight_of_kind + bonus(line.is_exact_case, 0.03) + bonus(line.is_in_file_name, 0.03)
            - bonus(line.is_secondary, 0.04)
            - demotion(line.class);
    score.clamp(0.01, 1.0)
}

/// Returns how well a line fits several words. `best` is the score of its best word; `on_line`, `near` and `in_file` count
/// the words on the line, within some lines of it and in the file, each including the ones before.
pub(super) fn of_words(best: f64, on_line: usize, near: usize, in_file: usize, wanted: usize) -> f64 {
    let share = |count: usize| count as f64 / wanted as f64;
    0.2 * best + 0.35 * share(on_line) + 0.25 * share(near) + 0.2 * share(in_file)
}

fn demotion(class: Class) -> f64 {
    match class {
        Class::Source => 0.0,
        Class::Test => 0.08,
        Class::Document => 0.10,
        Class::Vendored => 0.18,
        Class::Generated => 0.20,
    }
}

/// Says whether the line only mentions things: a comment, an import.
pub(super) fn is_secondary(line: &[u8]) -> bool {
    const STARTS: [&[u8]; 12] = [
        b"//",
        b"/*",
        b"*",
        b"# ",
        b"#include",
        b"--",
        b"import ",
        b"use ",
        b"from ",
        b"require",
        b"using ",
        b"\"\"\"",
    ];
    let text = line.trim_ascii_start();
    STARTS.iter().any(|start| text.starts_with(start))
}

fn is_whole_word(line: &[u8], span: &Range<usize>) -> bool {
    let byte_before = span.start.checked_sub(1).and_then(|before| line.get(before));
    let (first, last) = (
        line.get(span.start),
        span.end.checked_sub(1).and_then(|last| line.get(last)),
    );
    let is_inside = |a: Option<&u8>, b: Option<&u8>| {
        a.is_some_and(|a| is_part_of_word(*a)) && b.is_some_and(|b| is_part_of_word(*b))
    };
    !is_inside(byte_before, first) && !is_inside(last, line.get(span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(relation: Relation, class: Class) -> f64 {
        of_line(Circumstances {
            relation,
            class,
            is_exact_case: false,
            is_in_file_name: false,
            is_secondary: false,
        })
    }

    #[test]
    fn definitions_come_before_words_and_words_before_parts_even_in_tests() {
        let source = |relation| score(relation, Class::Source);
        assert!(score(Relation::Defines(Kind::Function), Class::Vendored) > source(Relation::Word) + 0.1);
        assert!(score(Relation::DefinesPart(Kind::Field), Class::Test) > source(Relation::Word) + 0.1);
        assert!(score(Relation::Word, Class::Test) > source(Relation::Part) + 0.1);
        assert!(source(Relation::Word) > score(Relation::Word, Class::Test));
        assert!(score(Relation::Word, Class::Test) > score(Relation::Word, Class::Vendored));
    }

    #[test]
    fn a_match_is_told_by_where_it_is() {
        let line = b"fn find_user(user: User)";
        let definition = DefinitionRecord {
            line: 0,
            column: 3,
            name_bytes: 9,
            kind: Kind::Function,
        };
        let relation = |span: Range<usize>| Relation::best(line, &[span], Some(definition));
        assert_eq!(relation(3..12), Relation::Defines(Kind::Function));
        assert_eq!(relation(0..13), Relation::Defines(Kind::Function));
        assert_eq!(relation(8..12), Relation::DefinesPart(Kind::Function));
        assert_eq!(relation(13..17), Relation::Word);
        assert_eq!(relation(13..16), Relation::Part);
        assert_eq!(Relation::best(line, &[8..12, 13..17], None), Relation::Word);
    }
}
