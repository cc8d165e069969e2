//! Health: is the project in order?
//!
//! | part | weight | score |
//! |---|---|---|
//! | errors | 30 | 1 without a finding; else 0.6 / (1 + findings for each 10 files of code), a conflict or secret counting 3 |
//! | tests | 20 | 0 without; else 0.5, and up to 1 when a quarter of the files with code hold tests |
//! | coverage | 15 | the share of lines that tests reach, over 80 % |
//! | docs | 10 | 0.8 for a README of 200 bytes or more (0.4 for a shorter one), 0.2 for a licence |
//! | ci | 10 | whether a CI service is told what to do |
//! | dependencies | 10 | 0.6 for a lock file, 0.4 for the share that is bound to a version; 1 without dependencies |
//! | freshness | 5 | 1 up to 90 days after the last commit, 0 two years after it |

use super::{Inputs, Part, falling, share};
use crate::scan::{Finding, Kind};

const GOOD_COVERAGE_PERCENT: f64 = 80.0;
const GOOD_TEST_SHARE: f64 = 0.25;
const FRESH_DAYS: f64 = 90.0;
const STALE_DAYS: f64 = 730.0;
const SHORT_README_BYTES: u64 = 200;

pub(super) fn parts(inputs: Inputs<'_>) -> Vec<Part> {
    vec![
        errors(inputs),
        tests(inputs),
        coverage(inputs),
        docs(inputs),
        ci(inputs),
        dependencies(inputs),
        freshness(inputs),
    ]
}

fn errors(inputs: Inputs<'_>) -> Part {
    let findings = inputs.report.errors.iter().filter(|finding| !finding.is_fixture);
    let burden = findings.map(burden).sum::<usize>() + inputs.manifests.num_invalid;
    let num_files = inputs.report.facts.num_code_files.max(10);
    let score = match share(burden * 10, num_files) {
        Some(density) if burden > 0 => 0.6 / (1.0 + density),
        _ => 1.0,
    };
    let reason = match burden {
        0 => "no file is broken".to_owned(),
        _ => format!(
            "findings worth {burden} in {} files of code",
            inputs.report.facts.num_code_files
        ),
    };
    Part::known("errors", 30.0, score, reason, "repair what `errors` lists")
}

/// How much a finding weighs. What other parts judge weighs nothing here.
fn burden(finding: &Finding) -> usize {
    match finding.kind {
        Kind::MergeConflict | Kind::Secret => 3,
        Kind::Syntax => 1,
        Kind::InvalidManifest | Kind::MissingReadme | Kind::NoTests => 0,
    }
}

fn tests(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let Some(tested) = share(facts.num_test_files, facts.num_code_files) else {
        return Part::unknown("tests", 20.0, "there is no code to test");
    };
    let score = match facts.num_test_files {
        0 => 0.0,
        _ => 0.5 + 0.5 * (tested / GOOD_TEST_SHARE).min(1.0),
    };
    let reason = format!(
        "{} of {} files with code hold tests",
        facts.num_test_files, facts.num_code_files
    );
    Part::known("tests", 20.0, score, reason, "write tests for what has none")
}

fn coverage(inputs: Inputs<'_>) -> Part {
    match inputs.manifests.coverage_percent.filter(|percent| percent.is_finite()) {
        Some(percent) => Part::known(
            "coverage",
            15.0,
            percent / GOOD_COVERAGE_PERCENT,
            format!("tests reach {percent:.1} % of the lines"),
            "test what no test reaches, up to 80 % of the lines",
        ),
        None => Part::unknown("coverage", 15.0, "there is no coverage report"),
    }
}

fn docs(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let is_short = facts.readme_bytes.is_some_and(|bytes| bytes < SHORT_README_BYTES);
    let (readme, reason) = match facts.readme {
        None => (0.0, "there is no README"),
        Some(_) if is_short => (0.4, "the README is very short"),
        Some(_) => (0.8, "there is a README"),
    };
    let (licence, licence_reason) = match facts.licence_file {
        None => (0.0, "no licence file"),
        Some(_) => (0.2, "a licence file"),
    };
    let advice = "say in a README what this is and how it is run, and add a licence";
    Part::known(
        "docs",
        10.0,
        readme + licence,
        format!("{reason}, and {licence_reason}"),
        advice,
    )
}

fn ci(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    if facts.num_code_files == 0 {
        return Part::unknown("ci", 10.0, "there is no code to check");
    }
    let (score, reason) = match facts.ci_files.first() {
        Some(file) => (1.0, format!("`{file}` tells a CI service what to do")),
        None => (0.0, "no CI service checks the code".to_owned()),
    };
    Part::known("ci", 10.0, score, reason, "let a CI service run the tests")
}

fn dependencies(inputs: Inputs<'_>) -> Part {
    let manifests = inputs.manifests;
    let Some(num) = manifests.num_dependencies else {
        return Part::unknown("dependencies", 10.0, "no manifest names dependencies");
    };
    let (Some(has_lockfile), Some(num_unpinned)) = (manifests.has_lockfile, manifests.num_unpinned) else {
        return Part::unknown("dependencies", 10.0, "it is not known how they are bound to versions");
    };
    let Some(loose) = share(num_unpinned.min(num), num) else {
        return Part::known("dependencies", 10.0, 1.0, "there are no dependencies".to_owned(), "");
    };
    let locked = if has_lockfile { 0.6 } else { 0.0 };
    let lock = if has_lockfile { "a lock file" } else { "no lock file" };
    let reason = format!("{lock}, and {num_unpinned} of {num} dependencies may become any version");
    let advice = "commit a lock file, and bind each dependency to a version";
    Part::known("dependencies", 10.0, locked + 0.4 * (1.0 - loose), reason, advice)
}

#[expect(clippy::cast_precision_loss, reason = "days are far below 2^52")]
fn freshness(inputs: Inputs<'_>) -> Part {
    let last = inputs.report.git.as_ref().and_then(|git| git.last_commit_at);
    let Some(last) = last else {
        return Part::unknown("freshness", 5.0, "there is no commit to tell the age by");
    };
    let days = (inputs.now - last).num_days().max(0);
    let score = falling(days as f64, FRESH_DAYS, STALE_DAYS);
    Part::known(
        "freshness",
        5.0,
        score,
        format!("the last commit is {days} days old"),
        "look after it",
    )
}
