//! What one reading of a file tells: everything that a scan wants of it, so that it is read once.

use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokei::LanguageType;

use super::{
    class::{self, Class},
    conflict,
    finding::{Issue, Kind},
    fixture,
    function::{self, FunctionSizes},
    language::{self, Counts, Language, Lines},
    marker, secret,
    snapshot::Stamp,
    syntax::{self, Verdict},
};

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) stamp: Stamp,
    pub(super) content: Content,
    pub(super) language: Option<Language>,
    pub(super) class: Class,
    pub(super) counts: Counts,
    pub(super) issues: Vec<Issue>,
    pub(super) has_tests: bool,
    pub(super) num_todos: u32,
    pub(super) num_fixmes: u32,
    pub(super) functions: FunctionSizes,
    /// Headings of a text in Markdown: what tells a README from a stub.
    pub(super) num_headings: u32,
}

/// A file as a scan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "File")]
pub struct SeenFile {
    /// The path below the root, with `/` between its parts.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified_at: DateTime<Utc>,
    /// tokei's name of its language.
    pub language: Option<&'static str>,
    /// What it is for.
    pub class: Class,
    /// Its lines, those of other languages within it included.
    pub lines: Lines,
}

/// What kind of content a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    Text,
    Binary,
    /// Too large to be read.
    Large,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            stamp: Stamp::default(),
            content: Content::Binary,
            language: None,
            class: Class::Data,
            counts: Counts::default(),
            issues: Vec::new(),
            has_tests: false,
            num_todos: 0,
            num_fixmes: 0,
            functions: FunctionSizes::default(),
            num_headings: 0,
        }
    }
}

impl Record {
    /// Tells whether the file is the project's own code, tests among it.
    pub(super) fn is_own_code(&self) -> bool {
        matches!(self.class, Class::Source | Class::Test)
            && self.language.is_some_and(|language| is_programming(language.0))
    }

    /// Tells people what is known of the file.
    pub(super) fn seen(&self, path: &str) -> SeenFile {
        let mut lines = self.counts.own;
        for (_, embedded) in &self.counts.embedded {
            lines.add(*embedded);
        }
        SeenFile {
            path: path.to_owned(),
            size: self.stamp.size,
            modified_at: DateTime::from_timestamp_nanos(self.stamp.mtime_ns),
            language: self.language.map(Language::name),
            class: self.class,
            lines,
        }
    }

    /// Makes the record of a file that is not read further.
    pub(super) fn unread(path: &str, stamp: Stamp, content: Content) -> Self {
        Self {
            stamp,
            content,
            class: class::classify(path, None, &[]),
            ..Self::default()
        }
    }
}

/// A text that was read.
pub(super) struct Read<'a> {
    pub(super) path: &'a str,
    pub(super) stamp: Stamp,
    pub(super) content: &'a [u8],
    pub(super) language: Option<LanguageType>,
    /// Whether someone else reads the manifest in it and says what is wrong.
    pub(super) is_manifest: bool,
}

/// Finds out all that a scan wants of a text.
pub(super) fn examine(read: &Read<'_>, cancel: &AtomicBool) -> Record {
    let class = class::classify(read.path, read.language, read.content);
    let mut record = Record {
        stamp: read.stamp,
        content: Content::Text,
        language: read.language.map(Language),
        class,
        ..Record::default()
    };
    let is_ours = !matches!(class, Class::Vendored | Class::Generated);
    if let Some(language) = read.language {
        record.counts = language::count(language, read.content);
        if is_ours {
            add_facts(&mut record, language, read.content);
        }
    }
    if is_ours {
        record.issues = issues(read, class, cancel);
    }
    record
}

fn add_facts(record: &mut Record, language: LanguageType, content: &[u8]) {
    if language == LanguageType::Markdown {
        record.num_headings = num_headings(content);
    }
    if !record.is_own_code() {
        return;
    }
    record.has_tests = marker::has_tests(language, content);
    (record.num_todos, record.num_fixmes) = marker::count_left(content);
    if let Ok(text) = std::str::from_utf8(content) {
        record.functions = function::measure(language, text);
    }
}

fn num_headings(content: &[u8]) -> u32 {
    let lines = content.split(|&byte| byte == b'\n');
    u32::try_from(lines.filter(|line| line.starts_with(b"#")).count()).unwrap_or(u32::MAX)
}

fn issues(read: &Read<'_>, class: Class, cancel: &AtomicBool) -> Vec<Issue> {
    let is_fixture = fixture::is_fixture_path(read.path, class);
    let conflict = conflict::find(read.content, is_fixture || class == Class::Docs);
    let mut issues = secret::find(read.content, is_fixture);
    if conflict.is_none() && !read.is_manifest {
        issues.extend(syntax_issues(read, is_fixture, cancel));
    }
    issues.extend(conflict);
    issues.sort_by_key(|issue| issue.line);
    issues
}

fn syntax_issues(read: &Read<'_>, is_fixture: bool, cancel: &AtomicBool) -> Vec<Issue> {
    let Verdict::Checked(problems) = syntax::check(read.language, read.path, read.content, cancel) else {
        return Vec::new();
    };
    if problems.is_empty() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(read.content);
    let to_issue = |problem: syntax::Problem| {
        let line = text
            .lines()
            .nth(problem.line.saturating_sub(1) as usize)
            .unwrap_or_default();
        Issue {
            kind: Kind::Syntax,
            line: problem.line,
            is_fixture: is_fixture || fixture::is_template(read.path, &text, line),
            message: problem.message,
        }
    };
    problems.into_iter().map(to_issue).collect()
}

/// Tells whether a language is one that programs are written in, rather than prose, settings or data.
pub(super) fn is_programming(language: LanguageType) -> bool {
    use LanguageType as L;
    !language.is_literate()
        && !matches!(
            language,
            L::Json
                | L::Yaml
                | L::Toml
                | L::Xml
                | L::Svg
                | L::Html
                | L::Css
                | L::Sass
                | L::Less
                | L::Text
                | L::Markdown
                | L::ReStructuredText
                | L::Ini
                | L::Po
                | L::Dockerfile
                | L::Makefile
                | L::CMake
                | L::Meson
        )
}
