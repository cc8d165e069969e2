//! Whether a file is most likely wrong on purpose: test data, an example of an error, a template.

use super::class::{self, Class};

/// Beside the directories of tests: what lies there is made to be read by a program under test.
const DIRECTORIES: [&str; 10] = [
    "__snapshots__",
    "snapshots",
    "corpus",
    "fuzz",
    "samples",
    "templates",
    "template",
    "skeleton",
    "cookiecutter",
    "lib2to3",
];

/// Tells whether nobody means this path to be right.
pub(super) fn is_fixture_path(path: &str, class: Class) -> bool {
    let is_below = |names: &[&str]| path.split('/').any(|part| names.contains(&part) || part.contains("{{"));
    class == Class::Test || class::is_test_path(path) || is_below(&DIRECTORIES)
}

/// Tells whether a file that a parser refuses is a template that another program fills in.
pub(super) fn is_template(path: &str, content: &str, line: &str) -> bool {
    let has_jsx = path.ends_with(".jsx") || path.ends_with(".tsx");
    let has_tags = |open: &str, close: &str| content.contains(open) && content.contains(close);
    has_tags("{%", "%}") || has_tags("<%", "%>") || (!has_jsx && has_tags("{{", "}}")) || line.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_data_and_templates_are_told() {
        assert!(is_fixture_path("tests/data/bad.py", Class::Test));
        assert!(is_fixture_path("app/templates/page.js", Class::Source));
        assert!(is_fixture_path("{{cookiecutter.name}}/setup.py", Class::Source));
        assert!(!is_fixture_path("src/main.py", Class::Source));
        assert!(is_template("a.js", "var a = {{ value }};", ""));
        assert!(is_template("a.yml", "{% if a %}\n{% endif %}", ""));
        assert!(!is_template("a.tsx", "<a style={{ b: 1 }}>", ""));
        assert!(!is_template("a.py", "a = {", "a = {"));
    }
}
