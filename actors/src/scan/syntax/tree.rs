//! Go, Java, PHP and Ruby, by tree-sitter.
//!
//! tree-sitter is made to go on after an error, and what it does then takes minutes and gigabytes for some small files. So it
//! is stopped at the first error. Only its log tells in time that there is one; it also tells where.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use tree_sitter::{Language, LogType, ParseOptions, Parser};

use super::{Problem, Text, Verdict, line};

/// A parser that has not finished by then is not asked further.
const DEADLINE: Duration = Duration::from_secs(1);
const MAX_HEREDOC_WORD_BYTES: usize = 200;
const MAX_SHOWN_CHARS: usize = 30;

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let Some(language) = language(text) else {
        return Verdict::Unchecked;
    };
    let trace = Arc::new(Mutex::new(Trace::default()));
    let is_right = parse(text, &language, &trace);
    let trace = lock(&trace);
    match is_right {
        Some(true) => Verdict::Checked(Vec::new()),
        Some(false) => Verdict::Checked(vec![trace.describe(text.content)]),
        None if trace.is_final => Verdict::Checked(vec![trace.describe(text.content)]),
        None => Verdict::Unchecked,
    }
}

/// Tells the grammar by the name's extension.
fn language(text: &Text<'_>) -> Option<Language> {
    let grammar = match text.extension().as_str() {
        "go" => tree_sitter_go::LANGUAGE,
        "java" => tree_sitter_java::LANGUAGE,
        "php" | "php3" | "php4" | "php5" | "phtml" => tree_sitter_php::LANGUAGE_PHP,
        "rb" | "rake" | "gemspec" | "ru" => tree_sitter_ruby::LANGUAGE,
        _ => return None,
    };
    Some(grammar.into())
}

/// Parses up to the first error. None when that was not the end: when the first error came, when it took too long, or when
/// nobody wants to know any more.
fn parse(text: &Text<'_>, language: &Language, trace: &Arc<Mutex<Trace>>) -> Option<bool> {
    let mut parser = Parser::new();
    parser.set_language(language).ok()?;
    let content = in_ascii(text.content);
    if has_odd_heredoc(content.as_bytes()) {
        return None;
    }
    lock(trace).end = end_of(&content);
    let log = trace.clone();
    parser.set_logger(Some(Box::new(move |kind, message| {
        if kind == LogType::Parse {
            lock(&log).add(message);
        }
    })));
    let started = Instant::now();
    let mut stop =
        |_: &_| match lock(trace).is_final || started.elapsed() > DEADLINE || text.cancel.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
    let mut read = |offset: usize, _| content.as_bytes().get(offset..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(ParseOptions::new().progress_callback(&mut stop)));
    tree.map(|tree| !tree.root_node().has_error())
}

/// Puts a letter in the place of each character beyond ASCII, which changes neither the syntax nor any row.
///
/// Scanners that come with grammars ask the C library's tables, made for single bytes, about whole characters, and some read
/// beyond the table, which ends the process.
fn in_ascii(content: &str) -> String {
    content
        .chars()
        .map(|character| if character.is_ascii() { character } else { 'x' })
        .collect()
}

/// Tells whether the word that ends a heredoc is longer than any that people write, or empty.
///
/// The scanner of the grammar for Ruby keeps these words in a small buffer with one byte for a length, and ends the process
/// when they do not fit.
fn has_odd_heredoc(content: &[u8]) -> bool {
    let starts = content.windows(2).enumerate().filter(|(_, window)| *window == b"<<");
    starts.map(|(index, _)| &content[index + 2..]).any(|rest| {
        let rest = rest.strip_prefix(b"-").or(rest.strip_prefix(b"~")).unwrap_or(rest);
        let length = match rest.split_first() {
            Some((quote @ (b'"' | b'\'' | b'`'), word)) => word.iter().take_while(|byte| *byte != quote).count(),
            // One letter more, since a word without quotes is not empty.
            _ => {
                rest.iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count()
                    + 1
            }
        };
        !(1..=MAX_HEREDOC_WORD_BYTES).contains(&length)
    })
}

fn lock(trace: &Mutex<Trace>) -> MutexGuard<'_, Trace> {
    trace.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the parser's log says about the first error.
#[derive(Default)]
struct Trace {
    /// Where what was parsed so far ends, as row and column, both from 0.
    position: (usize, usize),
    /// Where one of the parser's readings of the text could not go on.
    stuck: Option<(usize, usize)>,
    /// Whether no other reading could go on either. Not at the very end: what is done there is quickly done, and only then
    /// the parser knows whether one of the readings was complete.
    is_final: bool,
    /// Where the text ends but for white space.
    end: (usize, usize),
}

impl Trace {
    fn add(&mut self, message: &str) {
        if self.is_final {
            return;
        }
        if message.starts_with("process version") {
            self.position = (number(message, "row:"), number(message, "col:"));
        } else if message.starts_with("detect_error") {
            self.stuck = Some(self.position);
        } else if message.starts_with("resume version") {
            self.is_final = self.stuck.is_some_and(|stuck| stuck < self.end);
        }
    }

    fn describe(&self, content: &str) -> Problem {
        let (row, column) = self.stuck.unwrap_or(self.position);
        let number = u32::try_from(row + 1).unwrap_or(u32::MAX);
        let here = line::text(content, number);
        // The parser saw a single byte for each character.
        let rest: String = here.chars().skip(column).collect();
        let rest = rest.trim();
        let next = content
            .lines()
            .skip(row + 1)
            .map(str::trim)
            .find(|line| !line.is_empty());
        let message = match (rest, next) {
            ("", None) => "the file ends too early".to_owned(),
            ("", Some(next)) => format!("`{}` cannot come after this line", shown(next)),
            (rest, _) => format!("unexpected `{}`", shown(rest)),
        };
        Problem { line: number, message }
    }
}

/// Tells where a text ends but for white space, as row and column.
fn end_of(content: &str) -> (usize, usize) {
    let content = content.trim_end();
    let row = content.bytes().filter(|&byte| byte == b'\n').count();
    (
        row,
        content.len() - content.rfind('\n').map_or(0, |position| position + 1),
    )
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARS).collect()
}

/// Reads the number behind a name in a line of the log.
fn number(message: &str, name: &str) -> usize {
    let rest = message.split_once(name).map_or("", |(_, rest)| rest);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}
