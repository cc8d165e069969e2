//! Looks at one file for what a query wants.

mod judge;
mod text;

use std::{
    io,
    ops::{ControlFlow, Range},
    path::Path,
    sync::Arc,
};

use grep_regex::RegexMatcher;

use super::{
    definitions::{self, Syntax},
    disk::Root,
    matching,
    plan::{FileWork, Plan},
    prepare,
    query::Compiled,
    score::Relation,
    shard::{Damage, Reader},
    top::Top,
};

use judge::File;
use text::Text;

/// Why a file could not be looked at.
#[derive(Debug)]
pub(super) enum Failure {
    Damage(Damage),
    Unreadable(io::Error),
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Looks at files of one shard.
#[derive(Debug)]
pub(super) struct Examiner<'a> {
    query: &'a Compiled,
    /// The query's matcher for any word, of this thread alone: shared, it would make threads wait for each other.
    matcher: &'a RegexMatcher,
    plan: &'a Plan<'a>,
    root: Root,
    reader: Reader<'a>,
    text: Text,
    /// The best lines so far.
    pub(super) top: Top,
}

impl<'a> Examiner<'a> {
    /// Fails if the project's folder cannot be opened.
    pub(super) fn new(
        query: &'a Compiled,
        matcher: &'a RegexMatcher,
        plan: &'a Plan<'a>,
        top: Top,
    ) -> io::Result<Self> {
        Ok(Self {
            query,
            matcher,
            plan,
            root: Root::open(plan.root)?,
            reader: Reader::new(&plan.live.shard),
            text: Text::default(),
            top,
        })
    }

    /// Looks at a file, keeps its best lines and returns how many matched, at most `max_lines`.
    pub(super) fn examine(&mut self, work: &FileWork, max_lines: usize) -> Result<usize, Failure> {
        let record = self.reader.file(work.file)?;
        let path: Arc<Path> = self.reader.path(&record)?.into();
        let blocks = self.plan.blocks.get(work.blocks.clone()).unwrap_or_default();
        if !self.text.load(&self.root, &path, &record, blocks, &mut self.reader)? {
            return Ok(0);
        }
        // Of the lines that mention a name, only those that define it count.
        let wants_definitions = self.query.wants_definitions();
        let mut lines = self.find_lines(if wants_definitions { usize::MAX } else { max_lines });
        if lines.is_empty() {
            return Ok(0);
        }
        let language = self.plan.live.shard.language(&record);
        let definitions = match self.text.is_current {
            true => self.reader.definitions(&record)?,
            false => {
                let found = definitions::scan(Syntax::of(&path, &language), &self.text.bytes);
                found.iter().map(prepare::record).collect()
            }
        };
        let mut file = File {
            query: self.query,
            matcher: self.matcher,
            spans: Vec::new(),
            text: &self.text,
            record: &record,
            definitions,
            is_named_after_it: judge::is_named_after(self.query, &path),
            path,
            language,
        };
        file.judge(&mut lines);
        if wants_definitions {
            lines.retain(|line| line.is_wanted_definition);
        }
        file.offer(&lines, self.plan.project, &mut self.top);
        Ok(lines.len())
    }

    fn find_lines(&self, max_lines: usize) -> Vec<Line> {
        let (query, text) = (self.query, &self.text);
        let mut lines = Vec::new();
        for part in &text.parts {
            let bytes = text.bytes.get(part.range.clone()).unwrap_or_default();
            matching::each_line(self.matcher, bytes, |range, lines_before| {
                let words = words_on(query, bytes.get(range.clone()).unwrap_or_default());
                if words != 0 {
                    lines.push(Line {
                        range: part.range.start + range.start..part.range.start + range.end,
                        number: part.lines_before + lines_before,
                        words,
                        spans: 0..0,
                        relation: Relation::Part,
                        is_wanted_definition: false,
                    });
                }
                match lines.len() < max_lines {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            });
            if lines.len() >= max_lines {
                break;
            }
        }
        lines
    }
}

/// A line that matches.
#[derive(Debug)]
struct Line {
    /// In the text.
    range: Range<usize>,
    /// Lines of the file before it.
    number: u32,
    /// Which words it holds, a bit each.
    words: u16,
    /// Where its matches are listed among those of the file.
    spans: Range<usize>,
    relation: Relation,
    is_wanted_definition: bool,
}

fn words_on(query: &Compiled, line: &[u8]) -> u16 {
    match query.terms.as_slice() {
        [_] => 1,
        terms => terms.iter().zip(0..).fold(0, |words, (term, number)| {
            words | u16::from(matching::matches(&term.matcher, line)) << number
        }),
    }
}
