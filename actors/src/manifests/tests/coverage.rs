//! Coverage reports.

use super::*;

const LCOV: &str = "TN:\nSF:a.js\nDA:1,1\nLF:10\nLH:9\nend_of_record\nSF:b.js\nLF:20\nLH:12\nend_of_record\n";
const PYTHON: &str = r#"{"meta": {"version": "7.6.1"}, "files": {}, "totals": {"covered_lines": 333, "num_statements": 400, "percent_covered": 81.2, "missing_lines": 67}}"#;
const SUMMARY: &str = r#"{"total": {"lines": {"total": 30, "covered": 21, "skipped": 0, "pct": 70}, "branches": {"pct": "Unknown"}}, "/a.js": {}}"#;
const COBERTURA: &str = "<?xml version=\"1.0\" ?>\n<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>\n\
                         <coverage line-rate=\"0.875\" branch-rate=\"0\" version=\"1.9\" timestamp=\"1\"><packages/></coverage>";
const TARPAULIN: &str = r#"{"files": [{"path": ["/", "a.rs"], "content": "fn a() {}", "traces": [], "covered": 3, "coverable": 4}, {"covered": 1, "coverable": 4}]}"#;

fn coverage_of(files: &[(&str, &str)]) -> Option<(f64, String)> {
    project(files)
        .coverage
        .map(|coverage| (coverage.percent, coverage.source))
}

#[test]
fn every_format_gives_its_share_of_lines() {
    for (path, report, percent) in [
        ("coverage/lcov.info", LCOV, 70.0),
        ("coverage.json", PYTHON, 83.25),
        ("coverage/coverage-summary.json", SUMMARY, 70.0),
        ("target/site/cobertura/coverage.xml", COBERTURA, 87.5),
        ("tarpaulin-report.json", TARPAULIN, 50.0),
    ] {
        assert_eq!(
            coverage_of(&[(path, report)]),
            Some((percent, path.to_owned())),
            "{path}"
        );
    }
}

#[test]
fn the_report_that_knows_most_counts() {
    let all = [
        ("cobertura.xml", COBERTURA),
        ("web/coverage/lcov.info", LCOV),
        ("web/coverage/coverage-summary.json", SUMMARY),
        ("api/coverage.json", PYTHON),
    ];
    assert_eq!(coverage_of(&all), Some((83.25, "api/coverage.json".to_owned())));
    assert_eq!(
        coverage_of(&all[..3]),
        Some((70.0, "web/coverage/coverage-summary.json".to_owned()))
    );
    assert_eq!(coverage_of(&all[..1]), Some((87.5, "cobertura.xml".to_owned())));
}

#[test]
fn what_is_no_report_or_makes_no_sense_gives_nothing() {
    for (path, report) in [
        ("coverage.json", r#"{"a": 1}"#),
        ("coverage.json", r#"{"totals": {"percent_covered": 120.0}}"#),
        ("coverage.xml", "<report name=\"jacoco\"/>"),
        ("lcov.info", "not a tracefile"),
        ("lcov.info", "LF:0\nLH:0\nend_of_record\n"),
        (
            "coverage-summary.json",
            r#"{"total": {"lines": {"total": 0, "covered": 0, "pct": "Unknown"}}}"#,
        ),
        ("tests/fixtures/lcov.info", LCOV),
    ] {
        assert_eq!(coverage_of(&[(path, report)]), None, "{path} {report}");
    }
}
