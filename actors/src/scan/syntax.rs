//! Whether files can be parsed, asked of the best parser that there is for each language.
//!
//! A false alarm costs more trust than a miss, so languages whose parsers alarm on good code (C, C++, CSS, HTML, shell)
//! have none here, and a file that a parser cannot be trusted with, because of its size, its nesting or a panic, counts as
//! unchecked rather than wrong.

mod javascript;
mod json;
mod line;
mod nesting;
mod python;
mod rust;
mod toml;
mod tree;
mod yaml;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::AtomicBool,
};

use tokei::LanguageType;

/// Larger files are data or written by tools.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// `syn` parses some 8 MB/s, and nothing can stop it while a scan is being cancelled.
const MAX_RUST_BYTES: usize = 512 * 1024;
const MAX_PROBLEMS_PER_FILE: usize = 20;
const MAX_MESSAGE_CHARS: usize = 200;

/// Why a parser refuses a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Counted from 1.
    pub(super) line: u32,
    pub(super) message: String,
}

/// What a parser said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It read the whole file; no problem means that the syntax is right.
    Checked(Vec<Problem>),
    /// There is no parser for the language, or this file cannot be trusted to it.
    Unchecked,
}

/// A file whose syntax is asked about.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// The path below the root.
    pub(super) path: &'a str,
    /// The content, without a byte order mark.
    pub(super) content: &'a str,
    /// Set when nobody wants the answer any more.
    pub(super) cancel: &'a AtomicBool,
}

impl<'a> Text<'a> {
    fn name(&self) -> &'a str {
        self.path.rsplit_once('/').map_or(self.path, |(_, name)| name)
    }

    /// Returns the name's last extension in lower case.
    fn extension(&self) -> String {
        self.name()
            .rsplit_once('.')
            .map_or(String::new(), |(_, extension)| extension.to_lowercase())
    }
}

struct Parser {
    parse: fn(&Text<'_>) -> Verdict,
    max_bytes: usize,
    /// Whether the parser calls itself for what is nested, so that nesting has to be bounded first.
    is_recursive: bool,
}

impl Parser {
    const fn flat(parse: fn(&Text<'_>) -> Verdict) -> Self {
        Self {
            parse,
            max_bytes: MAX_BYTES,
            is_recursive: false,
        }
    }

    const fn recursive(parse: fn(&Text<'_>) -> Verdict, max_bytes: usize) -> Self {
        Self {
            parse,
            max_bytes,
            is_recursive: true,
        }
    }

    fn of(language: LanguageType) -> Option<Self> {
        use LanguageType as L;
        Some(match language {
            L::Python => Self::recursive(python::check, MAX_BYTES),
            L::JavaScript | L::Jsx | L::TypeScript | L::Tsx => Self::recursive(javascript::check, MAX_BYTES),
            L::Rust => Self::recursive(rust::check, MAX_RUST_BYTES),
            L::Json => Self::recursive(json::check, MAX_BYTES),
            L::Toml => Self::recursive(toml::check, MAX_BYTES),
            L::Yaml => Self::flat(yaml::check),
            L::Go | L::Java | L::Php | L::Ruby => Self::recursive(tree::check, MAX_BYTES),
            _ => return None,
        })
    }
}

/// Asks the parser of a language about a file.
pub(super) fn check(language: Option<LanguageType>, path: &str, content: &[u8], cancel: &AtomicBool) -> Verdict {
    let Some(parser) = language.or_else(|| by_extension(path)).and_then(Parser::of) else {
        return Verdict::Unchecked;
    };
    if content.len() > parser.max_bytes {
        return Verdict::Unchecked;
    }
    let Ok(content) = std::str::from_utf8(content) else {
        return Verdict::Unchecked;
    };
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    if parser.is_recursive && !nesting::is_safe(content, language == Some(LanguageType::Python)) {
        return Verdict::Unchecked;
    }
    let text = Text { path, content, cancel };
    let verdict = catch_unwind(AssertUnwindSafe(|| (parser.parse)(&text)));
    verdict.map_or(Verdict::Unchecked, tidy)
}

/// Knows what tokei has no name for.
fn by_extension(path: &str) -> Option<LanguageType> {
    let is_json = [".jsonc", ".code-workspace", ".code-snippets", ".webmanifest"]
        .iter()
        .any(|ending| path.ends_with(ending));
    is_json.then_some(LanguageType::Json)
}

/// Keeps the first problems, one for each line, with messages of one short line.
fn tidy(verdict: Verdict) -> Verdict {
    let Verdict::Checked(mut problems) = verdict else {
        return verdict;
    };
    problems.sort_by(|left, right| (left.line, &left.message).cmp(&(right.line, &right.message)));
    problems.dedup_by_key(|problem| problem.line);
    problems.truncate(MAX_PROBLEMS_PER_FILE);
    for problem in &mut problems {
        let line = problem.message.lines().next().unwrap_or_default();
        problem.message = line.trim().chars().take(MAX_MESSAGE_CHARS).collect();
    }
    Verdict::Checked(problems)
}

#[cfg(test)]
mod tests;
