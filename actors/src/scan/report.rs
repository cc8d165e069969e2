//! What a scan tells.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokei::LanguageType;

use super::{
    facts::{Facts, Gatherer},
    finding::{Finding, Kind},
    git::GitFacts,
    language::Lines,
    record::{self, Content, Record},
    walk::Walked,
    work::Done,
};

const MAX_FINDINGS: usize = 1_000;

/// All that a scan found out about a project.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many files there are.
    pub num_files: usize,
    /// How many were read; the others are as the last scan saw them.
    pub num_read: usize,
    /// The languages, the one with most code first.
    pub languages: Vec<LanguageStats>,
    /// What is wrong: at most 1,000 findings, what is meant seriously first, then by path and line.
    pub errors: Vec<Finding>,
    /// How many findings there are in all.
    pub num_errors: usize,
    /// What there is and what there is not.
    pub facts: Facts,
    /// What git knows, where there is a repository that answers.
    pub git: Option<GitFacts>,
    /// The directories that were looked into, relative to the root.
    #[serde(skip)]
    pub directories: Vec<PathBuf>,
    /// Files that the last scan saw and that are gone or are not text any more.
    pub removed: Vec<String>,
    /// The files that the caller wanted; none when all are as the last scan saw them.
    pub manifest_files: Option<Vec<CollectedFile>>,
    /// Whether there was more than a scan looks at.
    pub truncated: bool,
    /// How many files and directories could not be read.
    pub num_unreadable: usize,
    /// The first 100 of them.
    pub unreadable: Vec<String>,
    /// FIFOs, sockets and devices, which were not opened.
    pub num_special: usize,
    /// Files without text.
    pub num_binary: usize,
    /// Files too large to be read.
    pub num_too_large: usize,
}

/// Lines of one language, counted as tokei does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Language")]
pub struct LanguageStats {
    /// tokei's name for it.
    pub language: String,
    /// Files in it.
    pub num_files: u64,
    /// The lines of those files that are in the language itself.
    #[serde(flatten)]
    pub lines: Lines,
    /// Lines of other languages within them.
    pub embedded: BTreeMap<String, Lines>,
}

impl LanguageStats {
    /// Tells whether programs are written in it, rather than prose, settings or data.
    pub fn is_programming(&self) -> bool {
        LanguageType::from_name(&self.language).is_some_and(record::is_programming)
    }
}

/// A file that the caller wanted, with its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectedFile {
    /// The path below the root.
    pub path: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Puts the report together, and gives back the records that it was made from.
pub(super) fn assemble(walked: &Walked, done: Done, git: Option<GitFacts>) -> (Report, HashMap<String, Record>) {
    let records = &done.records;
    let mut gatherer = Gatherer::new(walked);
    let mut languages = BTreeMap::new();
    let mut errors = Vec::new();
    for (path, record) in in_order(walked, records) {
        gatherer.add(path, record);
        add_lines(&mut languages, record);
        errors.extend(record.issues.iter().map(|issue| issue.to_finding(path)));
    }
    let facts = gatherer.finish();
    errors.extend(missing(&facts));
    errors.sort_by(|left, right| order(left).cmp(&order(right)));
    let num_errors = errors.len();
    errors.truncate(MAX_FINDINGS);
    let report = Report {
        num_files: records.len(),
        num_read: done.num_read,
        languages: sorted(languages),
        errors,
        num_errors,
        facts,
        git,
        directories: walked.directories.clone(),
        removed: done.removed,
        manifest_files: done.manifest_files,
        truncated: walked.is_truncated,
        num_unreadable: walked.num_unreadable,
        unreadable: walked.unreadable.clone(),
        num_special: walked.num_special,
        num_binary: records
            .values()
            .filter(|record| record.content == Content::Binary)
            .count(),
        num_too_large: records
            .values()
            .filter(|record| record.content == Content::Large)
            .count(),
    };
    (report, done.records)
}

/// Lists the records by path, so that a report does not depend on chance.
fn in_order<'a>(
    walked: &'a Walked,
    records: &'a HashMap<String, Record>,
) -> impl Iterator<Item = (&'a str, &'a Record)> {
    let mut last = None;
    let paths = walked.entries.iter().map(|entry| entry.path.as_str());
    // Two names that are no UTF-8 can look alike.
    let distinct = paths.filter(move |path| last.replace(*path) != Some(*path));
    distinct.filter_map(|path| records.get(path).map(|record| (path, record)))
}

fn order(finding: &Finding) -> (bool, &str, u32, Kind) {
    (finding.is_fixture, &finding.file, finding.line, finding.kind)
}

fn add_lines(languages: &mut BTreeMap<&'static str, LanguageStats>, record: &Record) {
    let Some(language) = record.language.map(|language| language.name()) else {
        return;
    };
    let stats = languages.entry(language).or_insert_with(|| LanguageStats {
        language: language.to_owned(),
        num_files: 0,
        lines: Lines::default(),
        embedded: BTreeMap::new(),
    });
    stats.num_files += 1;
    stats.lines.add(record.counts.own);
    for (embedded, lines) in &record.counts.embedded {
        stats
            .embedded
            .entry(embedded.name().to_owned())
            .or_default()
            .add(*lines);
    }
}

fn sorted(languages: BTreeMap<&'static str, LanguageStats>) -> Vec<LanguageStats> {
    let mut languages: Vec<_> = languages.into_values().collect();
    languages.sort_by_key(|stats| std::cmp::Reverse(stats.lines.code));
    languages
}

/// Finds what is wrong with the project as a whole.
fn missing(facts: &Facts) -> Vec<Finding> {
    let finding = |kind, message: &str| Finding {
        kind,
        file: ".".to_owned(),
        line: 0,
        message: message.to_owned(),
        is_fixture: false,
    };
    let mut findings = Vec::new();
    if facts.readme.is_none() {
        findings.push(finding(Kind::MissingReadme, "No README says what this project is"));
    }
    if facts.num_code_files > 0 && facts.num_test_files == 0 {
        findings.push(finding(Kind::NoTests, "Nothing tests the code"));
    }
    findings
}
