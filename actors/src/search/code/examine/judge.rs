//! Says how well the lines of a file fit.

use std::{ops::Range, path::Path, sync::Arc};

use grep_regex::RegexMatcher;

use super::{Line, Text};
use crate::{
    id::ProjectId,
    search::code::{
        Hit, excerpt, fold, matching,
        query::Compiled,
        score::{self, Circumstances, Relation, Score},
        shard::{DefinitionRecord, FileRecord},
        top::{CopyKey, Ranked, Top},
    },
};

/// Words so many lines apart belong together.
const NEAR_LINES: u32 = 10;

pub(super) fn is_named_after(query: &Compiled, path: &Path) -> bool {
    let Some(stem) = path.file_stem() else {
        return false;
    };
    let stem = fold::bytes(stem.as_encoded_bytes());
    let texts = query.terms.iter().filter_map(|term| term.text.as_ref());
    texts
        .into_iter()
        .any(|text| text.folded.len() >= 3 && memchr::memmem::find(&stem, &text.folded).is_some())
}

/// A file whose lines are judged.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) query: &'a Compiled,
    pub(super) matcher: &'a RegexMatcher,
    /// Where in their lines the matches are, line after line.
    pub(super) spans: Vec<Range<usize>>,
    pub(super) text: &'a Text,
    pub(super) record: &'a FileRecord,
    pub(super) path: Arc<Path>,
    pub(super) language: Arc<str>,
    /// In the order of their lines.
    pub(super) definitions: Vec<DefinitionRecord>,
    pub(super) is_named_after_it: bool,
}

impl File<'_> {
    fn bytes(&self, line: &Line) -> &[u8] {
        self.text.bytes.get(line.range.clone()).unwrap_or_default()
    }

    /// Says of each line what its matches are to it.
    pub(super) fn judge(&mut self, lines: &mut [Line]) {
        for line in lines {
            let bytes = self.text.bytes.get(line.range.clone()).unwrap_or_default();
            let first = self.spans.len();
            matching::spans(self.matcher, bytes, &mut self.spans);
            line.spans = first..self.spans.len();
            let definition = self.definition(line.number);
            line.relation = Relation::best(bytes, self.spans(line), definition);
            line.is_wanted_definition = definition.is_some_and(|definition| self.is_wanted(bytes, definition));
        }
    }

    /// Says whether one of the wanted symbols is part of the name that is defined.
    fn is_wanted(&self, line: &[u8], definition: DefinitionRecord) -> bool {
        let mut symbols = self.query.terms.iter().filter(|term| term.is_symbol);
        symbols.any(|term| {
            let mut spans = Vec::new();
            matching::spans(&term.matcher, line, &mut spans);
            Relation::best(line, &spans, Some(definition)).symbol().is_some()
        })
    }

    fn spans(&self, line: &Line) -> &[Range<usize>] {
        self.spans.get(line.spans.clone()).unwrap_or_default()
    }

    /// Offers the lines that fit well enough.
    pub(super) fn offer(&self, lines: &[Line], project: ProjectId, top: &mut Top) {
        let words_in_file = lines.iter().fold(0, |words, line| words | line.words);
        for (index, line) in lines.iter().enumerate() {
            let score = self.score(lines, index, words_in_file);
            if top.wants(score) {
                top.offer(self.ranked(line, score, project));
            }
        }
    }

    fn definition(&self, line: u32) -> Option<DefinitionRecord> {
        let index = self
            .definitions
            .binary_search_by_key(&line, |definition| definition.line)
            .ok()?;
        self.definitions.get(index).copied()
    }

    fn score(&self, lines: &[Line], index: usize, words_in_file: u16) -> Score {
        let Some(line) = lines.get(index) else {
            return Score::default();
        };
        let bytes = self.bytes(line);
        let best = score::of_line(Circumstances {
            relation: line.relation,
            class: self.record.class,
            is_exact_case: self.is_exact_case(bytes, self.spans(line)),
            is_in_file_name: self.is_named_after_it,
            is_secondary: score::is_secondary(bytes),
        });
        let wanted = self.query.terms.len();
        if wanted == 1 {
            return Score::new(best);
        }
        let count = |words: u16| words.count_ones() as usize;
        let near = words_near(lines, index);
        Score::new(score::of_words(
            best,
            count(line.words),
            count(near),
            count(words_in_file),
            wanted,
        ))
    }

    fn is_exact_case(&self, line: &[u8], spans: &[Range<usize>]) -> bool {
        let texts = || self.query.terms.iter().filter_map(|term| term.text.as_ref());
        spans
            .iter()
            .any(|span| texts().any(|text| line.get(span.clone()) == Some(&text.exact)))
    }

    fn ranked(&self, line: &Line, score: Score, project: ProjectId) -> Ranked {
        let excerpt = excerpt::cut(self.bytes(line), self.spans(line));
        let copy_key = self.text.is_current.then_some(CopyKey {
            content_hash: self.record.content_hash,
            size: self.record.size,
            line: line.number,
        });
        Ranked {
            score,
            copy_key,
            hit: Box::new(Hit {
                project,
                file: self.path.clone(),
                line: line.number + 1,
                column: excerpt.column,
                content: excerpt.content,
                matches: excerpt.matches,
                language: self.language.clone(),
                symbol: line.relation.symbol(),
                relevance_score: score.relevance(),
                copies: Vec::new(),
            }),
        }
    }
}

/// Returns the words on the line and within some lines of it.
fn words_near(lines: &[Line], index: usize) -> u16 {
    let Some((before, rest)) = lines.split_at_checked(index) else {
        return 0;
    };
    let number = rest.first().map_or(0, |line| line.number);
    let near = |line: &&Line| line.number.abs_diff(number) <= NEAR_LINES;
    let words = before.iter().rev().take_while(near).chain(rest.iter().take_while(near));
    words.fold(0, |words, line| words | line.words)
}
