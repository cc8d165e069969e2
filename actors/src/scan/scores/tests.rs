//! What holds for every project: bounds, sameness, and that to put something right never costs anything.

use proptest::prelude::*;

use super::*;
use crate::scan::{Facts, Finding, FunctionSizes, GitFacts, Kind, Lines};

/// Everything that the scores are made from, owned.
#[derive(Debug, Clone)]
struct Case {
    report: Report,
    manifests: ManifestFacts,
    running: RunningFacts,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

impl Case {
    fn scores(&self) -> Scores {
        score(Inputs {
            report: &self.report,
            manifests: &self.manifests,
            running: &self.running,
            now: now(),
        })
    }

    fn values(&self) -> [u8; 3] {
        let scores = self.scores();
        [scores.health, scores.vibe, scores.eco].map(|score| score.value.unwrap_or(0))
    }
}

fn empty_report() -> Report {
    Report {
        num_files: 0,
        num_read: 0,
        languages: Vec::new(),
        errors: Vec::new(),
        num_errors: 0,
        facts: Facts::default(),
        git: None,
        directories: Vec::new(),
        removed: Vec::new(),
        manifest_files: None,
        truncated: false,
        num_unreadable: 0,
        unreadable: Vec::new(),
        num_special: 0,
        num_binary: 0,
        num_too_large: 0,
    }
}

fn finding(kind: Kind, is_fixture: bool) -> Finding {
    Finding {
        kind,
        file: "a".to_owned(),
        line: 1,
        message: String::new(),
        is_fixture,
    }
}

fn git_facts(days: i64, num_commits: usize) -> GitFacts {
    GitFacts {
        branch: None,
        commit: None,
        num_changed: 0,
        num_untracked: 0,
        is_dirty: false,
        last_commit_at: Some(now() - chrono::TimeDelta::days(days)),
        num_commits_90_days: Some(num_commits),
        num_authors_90_days: Some(1),
    }
}

prop_compose! {
    fn facts()(
        files in (0_usize..200, 0_usize..300, 0_usize..300, 0_usize..300),
        has in (any::<bool>(), any::<bool>(), any::<bool>()),
        readme_bytes in proptest::option::of(0_u64..5_000),
        functions in (0_u32..500, 0_u32..500),
        lines in (0_u64..50_000, 0_u64..50_000),
        artefacts in 0_usize..2_000,
        root_files in 0_usize..200,
    ) -> Facts {
        let num_code_files = files.0;
        Facts {
            readme: has.0.then(|| "README.md".to_owned()),
            readme_bytes,
            licence_file: has.1.then(|| "LICENSE".to_owned()),
            ci_files: has.2.then(|| ".gitlab-ci.yml".to_owned()).into_iter().collect(),
            num_code_files,
            num_test_files: files.1.min(num_code_files),
            num_large_files: files.2.min(num_code_files),
            num_usual_names: files.3.min(num_code_files),
            functions: FunctionSizes { num: functions.0, num_long: functions.1.min(functions.0), longest_lines: 1 },
            source_lines: Lines { code: lines.0, comments: lines.1, blanks: 0 },
            num_artefact_files: artefacts,
            num_root_files: root_files,
            ..Facts::default()
        }
    }
}

prop_compose! {
    fn cases()(
        facts in facts(),
        kinds in proptest::collection::vec((proptest::sample::select(vec![Kind::Syntax, Kind::Secret, Kind::MergeConflict]), any::<bool>()), 0..30),
        git in proptest::option::of((0_i64..2_000, 0_usize..200)),
        dependencies in (proptest::option::of(0_usize..3_000), proptest::option::of(0_usize..3_000), proptest::option::of(any::<bool>())),
        coverage_percent in proptest::option::of(0.0..100.0),
        num_invalid in 0_usize..5,
        image in proptest::option::of(proptest::sample::select(vec!["scratch", "alpine:3", "python:3-slim", "ubuntu"])),
        running in (proptest::option::of(any::<bool>()), proptest::option::of(any::<u64>())),
    ) -> Case {
        Case {
            report: Report {
                facts,
                errors: kinds.into_iter().map(|(kind, is_fixture)| finding(kind, is_fixture)).collect(),
                git: git.map(|(days, commits)| git_facts(days, commits)),
                ..empty_report()
            },
            manifests: ManifestFacts {
                num_dependencies: dependencies.0,
                num_unpinned: dependencies.1,
                has_lockfile: dependencies.2,
                coverage_percent,
                num_invalid,
                base_images: image.into_iter().map(str::to_owned).collect(),
            },
            running: RunningFacts { has_limits: running.0, idle_memory_bytes: running.1 },
        }
    }
}

/// What is put right, and how.
type Repair = (&'static str, fn(&mut Case));

/// Ways to put something right, as far as there is something wrong.
const REPAIRS: [Repair; 17] = [
    ("an error", |case| drop(case.report.errors.pop())),
    ("a manifest", |case| {
        case.manifests.num_invalid = case.manifests.num_invalid.saturating_sub(1)
    }),
    ("the README", |case| {
        case.report.facts.readme = Some("README.md".to_owned());
        case.report.facts.readme_bytes = Some(5_000);
        case.report.facts.num_readme_headings = 5;
    }),
    ("the licence", |case| {
        case.report.facts.licence_file = Some("LICENSE".to_owned())
    }),
    ("CI", |case| case.report.facts.ci_files = vec!["a".to_owned()]),
    ("a test", |case| {
        let facts = &mut case.report.facts;
        facts.num_test_files = (facts.num_test_files + 1).min(facts.num_code_files);
    }),
    ("coverage", |case| {
        case.manifests.coverage_percent = case.manifests.coverage_percent.map(|percent| percent + 1.0)
    }),
    ("the lock file", |case| {
        case.manifests.has_lockfile = case.manifests.has_lockfile.map(|_| true)
    }),
    ("a pin", |case| {
        case.manifests.num_unpinned = case.manifests.num_unpinned.map(|num| num.saturating_sub(1))
    }),
    ("freshness", |case| {
        case.report.git = case
            .report
            .git
            .take()
            .map(|git| git_facts(0, git.num_commits_90_days.unwrap_or(0) + 1));
    }),
    ("a large file", |case| {
        case.report.facts.num_large_files = case.report.facts.num_large_files.saturating_sub(1)
    }),
    ("a long function", |case| {
        case.report.facts.functions.num_long = case.report.facts.functions.num_long.saturating_sub(1);
    }),
    ("a name", |case| {
        let facts = &mut case.report.facts;
        facts.num_usual_names = (facts.num_usual_names + 1).min(facts.num_code_files);
    }),
    ("the root", |case| {
        case.report.facts.num_root_files = case.report.facts.num_root_files.saturating_sub(1)
    }),
    ("an artefact", |case| {
        case.report.facts.num_artefact_files = case.report.facts.num_artefact_files.saturating_sub(1);
    }),
    ("limits", |case| {
        case.running.has_limits = case.running.has_limits.map(|_| true)
    }),
    ("the image", |case| {
        case.manifests
            .base_images
            .iter_mut()
            .for_each(|image| *image = "scratch".to_owned())
    }),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_bounded_and_the_same_for_the_same(case in cases()) {
        let scores = case.scores();
        for score in [&scores.health, &scores.vibe, &scores.eco] {
            prop_assert!(score.value.is_none_or(|value| value <= 100));
            prop_assert!((0.0..=1.0).contains(&score.confidence));
            prop_assert!(score.parts.iter().all(|part| part.score.is_none_or(|score| (0.0..=1.0).contains(&score))));
            let total: f64 = score.parts.iter().map(|part| part.weight).sum();
            prop_assert!((total - 100.0).abs() < 1e-9);
        }
        prop_assert_eq!(scores, case.scores());
    }

    #[test]
    fn to_put_something_right_never_lowers_a_score(case in cases()) {
        for (name, repair) in REPAIRS {
            let mut better = case.clone();
            repair(&mut better);
            for (before, after) in case.values().into_iter().zip(better.values()) {
                prop_assert!(after >= before, "{} lowered {} to {}", name, before, after);
            }
        }
    }

    #[test]
    fn what_is_unknown_changes_confidence_and_not_the_mean(parts in proptest::collection::vec((0.1..50.0, proptest::option::of(0.0..1.0)), 1..9)) {
        let part = |(weight, score): &(f64, Option<f64>)| match score {
            Some(score) => Part::known("a", *weight, *score, String::new(), ""),
            None => Part::unknown("a", *weight, ""),
        };
        let all = Score::of(parts.iter().map(part).collect());
        let known = Score::of(parts.iter().filter(|(_, score)| score.is_some()).map(part).collect());
        prop_assert_eq!(all.value, known.value);
        prop_assert!(all.confidence <= 1.0);
    }
}

#[test]
fn fixtures_weigh_nothing() {
    let report = |is_fixture| Report {
        errors: vec![finding(Kind::Syntax, is_fixture)],
        ..empty_report()
    };
    let case = |is_fixture| Case {
        report: report(is_fixture),
        manifests: ManifestFacts::default(),
        running: RunningFacts::default(),
    };
    let errors = |case: Case| case.scores().health.parts[0].score;
    assert_eq!(errors(case(true)), Some(1.0));
    assert!(errors(case(false)) < Some(0.6));
}
