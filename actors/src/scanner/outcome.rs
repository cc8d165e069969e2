//! Turns what a scan saw into what is kept and shown of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{
    manifests::Findings,
    scan::{
        Finding, Kind, LanguageStats, Report, SnapshotId,
        scores::{self, Inputs, ManifestFacts, RunningFacts},
    },
    store::scans::{Found, Outcome, Scores, Words},
    value::ProjectType,
};

/// As many findings are shown with the project; `num_errors` counts them all.
const MAX_ERRORS: usize = 100;
/// As many languages are shown with the project.
const MAX_LANGUAGES: usize = 20;
/// As many names of each other list are shown with the project.
const MAX_NAMED: usize = 20;
/// As many dependencies are searched.
const MAX_DEPENDENCIES: usize = 500;
/// A language with a smaller share of the code is not what the project is made with.
const MIN_SHARE: f64 = 0.1;

/// What a scan saw.
pub(super) struct Seen<'a> {
    pub(super) report: &'a Report,
    pub(super) manifests: Findings,
    /// The beginning of the README.
    pub(super) readme: String,
    pub(super) running: &'a RunningFacts,
    /// The snapshot that is on the disk afterwards.
    pub(super) snapshot: SnapshotId,
    pub(super) started_at: DateTime<Utc>,
    pub(super) duration: Duration,
}

/// Puts the outcome together.
pub(super) fn outcome(seen: Seen<'_>) -> Outcome {
    let scores = scores::score(Inputs {
        report: seen.report,
        manifests: &manifest_facts(&seen.manifests),
        running: seen.running,
        now: seen.started_at,
    });
    Outcome {
        started_at: seen.started_at,
        scores: Scores {
            health: scores.health.value,
            vibe: scores.vibe.value,
            eco: scores.eco.value,
        },
        errors: errors(seen.report, &seen.manifests),
        metadata: metadata(&seen, &scores),
        words: words(&seen),
        found: Found {
            stack: stack(&seen.manifests, &seen.report.languages),
            project_type: project_type(&seen.manifests),
            languages: seen.report.languages.clone(),
            manifests: seen.manifests,
            snapshot: seen.snapshot,
        },
    }
}

fn manifest_facts(manifests: &Findings) -> ManifestFacts {
    let num_dependencies: usize = manifests.direct.values().sum();
    let is_known = num_dependencies > 0 || !manifests.lockfiles.is_empty();
    ManifestFacts {
        num_dependencies: is_known.then_some(num_dependencies),
        num_unpinned: is_known.then_some(manifests.unpinned),
        has_lockfile: is_known.then_some(!manifests.lockfiles.is_empty()),
        coverage_percent: manifests.coverage.as_ref().map(|coverage| coverage.percent),
        num_invalid: manifests.invalid.len(),
        base_images: manifests.image_bases.iter().map(|base| base.image.clone()).collect(),
    }
}

/// Lists what is wrong, invalid manifests first, since what they say is missing everywhere else.
fn errors(report: &Report, manifests: &Findings) -> Vec<Finding> {
    let invalid = manifests.invalid.iter().map(|invalid| Finding {
        kind: Kind::InvalidManifest,
        file: invalid.file.clone(),
        line: invalid.line.unwrap_or(0),
        message: invalid.message.clone(),
        is_fixture: false,
    });
    invalid.chain(report.errors.iter().cloned()).take(MAX_ERRORS).collect()
}

/// Lists the languages, by the manifests and by the code, before everything else.
fn stack(manifests: &Findings, languages: &[LanguageStats]) -> Vec<String> {
    let mut with_languages = manifests.clone();
    let all_code: u64 = programming(languages).map(|stats| stats.lines.code).sum();
    for stats in programming(languages) {
        let name = technology(&stats.language);
        let known = &mut with_languages.stack.languages;
        if share(stats.lines.code, all_code) >= MIN_SHARE && !known.contains(&name) {
            known.push(name);
        }
    }
    with_languages.tech_stack()
}

fn programming(languages: &[LanguageStats]) -> impl Iterator<Item = &LanguageStats> {
    languages.iter().filter(|stats| stats.is_programming())
}

/// Names a language as the stack does.
fn technology(language: &str) -> String {
    match language {
        "TSX" => "typescript".to_owned(),
        "JSX" => "javascript".to_owned(),
        "BASH" | "Shell" | "Zsh" | "Fish" => "shell".to_owned(),
        other => other.to_lowercase(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn project_type(manifests: &Findings) -> Option<ProjectType> {
    match manifests.project_type.as_str() {
        "unknown" => None,
        kind => ProjectType::try_from(kind.to_owned()).ok(),
    }
}

fn words(seen: &Seen<'_>) -> Words {
    let dependencies = seen.manifests.dependencies.iter();
    let direct = dependencies.filter(|dependency| dependency.is_direct);
    Words {
        description: seen.manifests.description.clone().unwrap_or_default(),
        readme: seen.readme.clone(),
        languages: programming(&seen.report.languages)
            .map(|stats| technology(&stats.language))
            .collect(),
        dependencies: direct
            .map(|dependency| dependency.name.clone())
            .take(MAX_DEPENDENCIES)
            .collect(),
    }
}

/// Everything under the keys that belong to the scanner; those of the reference first.
fn metadata(seen: &Seen<'_>, scores: &scores::Scores) -> Map<String, Value> {
    let Report { facts, .. } = seen.report;
    let manifests = &seen.manifests;
    let lines_of_code = facts.source_lines.code + facts.test_lines.code;
    let body = json!({
        "lines_of_code": lines_of_code,
        "test_coverage": manifests.coverage.as_ref().map(|coverage| coverage.percent),
        "dependencies": manifests.direct.values().sum::<usize>(),
        "num_errors": seen.report.num_errors + manifests.invalid.len(),
        "languages": languages(&seen.report.languages),
        "scores": scores,
        "description": manifests.description,
        "licence": manifests.licence,
        "readme": facts.readme,
        "git": seen.report.git,
        "tests": {
            "files": facts.num_test_files,
            "lines": facts.test_lines.code,
            "coverage": manifests.coverage,
        },
        "todos": facts.num_todos,
        "fixmes": facts.num_fixmes,
        "ci": first(&facts.ci_files),
        "dockerfiles": first(&facts.dockerfiles),
        "ports": first(&manifests.ports),
        "entry_points": first(&manifests.entry_points),
        "lockfiles": first(&manifests.lockfiles),
        "unlocked": first(&manifests.drift),
        "scan": scan(seen),
    });
    match body {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn languages(languages: &[LanguageStats]) -> Map<String, Value> {
    let shown = languages.iter().take(MAX_LANGUAGES);
    shown
        .map(|stats| (stats.language.clone(), Value::from(stats.lines.code)))
        .collect()
}

fn first<T>(names: &[T]) -> &[T] {
    names.get(..MAX_NAMED).unwrap_or(names)
}

/// Tells how the scan itself went.
fn scan(seen: &Seen<'_>) -> Value {
    let report = seen.report;
    json!({
        "started_at": seen.started_at,
        "duration_ms": u64::try_from(seen.duration.as_millis()).unwrap_or(u64::MAX),
        "files": report.num_files,
        "files_read": report.num_read,
        "bytes": report.facts.total_bytes,
        "binary": report.num_binary,
        "too_large": report.num_too_large,
        "special": report.num_special,
        "unreadable": report.num_unreadable,
        "first_unreadable": first(&report.unreadable),
        "truncated": report.truncated,
    })
}
