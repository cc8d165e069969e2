//! What a file is to the project it lies in. People look for what they wrote before what they brought along.

use std::path::Path;

/// What a file is to its project, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Class {
    /// The code itself.
    #[default]
    Source = 0,
    /// Tests, examples and benchmarks.
    Test = 1,
    /// Prose and data.
    Document = 2,
    /// Brought along from elsewhere.
    Vendored = 3,
    /// Written by a program.
    Generated = 4,
}

const VENDORED_FOLDERS: [&str; 9] = [
    "vendor",
    "vendored",
    "node_modules",
    "third_party",
    "third-party",
    "thirdparty",
    "external",
    "extern",
    "bower_components",
];
const TEST_FOLDERS: [&str; 13] = [
    "test",
    "tests",
    "testing",
    "spec",
    "specs",
    "__tests__",
    "testdata",
    "fixtures",
    "examples",
    "example",
    "bench",
    "benches",
    "benchmarks",
];
const DOCUMENT_EXTENSIONS: [&str; 12] = [
    "md", "rst", "txt", "adoc", "json", "yaml", "yml", "toml", "lock", "csv", "svg", "xml",
];

impl Class {
    /// Guesses from a path inside a project, for files of which nothing better is known.
    pub fn of_path(path: &Path) -> Self {
        let lower = path.to_string_lossy().to_lowercase();
        let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let lies_in = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
        if lies_in(&VENDORED_FOLDERS) {
            Self::Vendored
        } else if is_generated(name, stem) {
            Self::Generated
        } else if lies_in(&TEST_FOLDERS) || is_test(stem) {
            Self::Test
        } else if DOCUMENT_EXTENSIONS.contains(&extension) {
            Self::Document
        } else {
            Self::Source
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Source,
            Self::Test,
            Self::Document,
            Self::Vendored,
            Self::Generated,
        ]
        .into_iter()
        .find(|class| *class as u8 == byte)
    }
}

fn is_generated(name: &str, stem: &str) -> bool {
    stem.ends_with(".min")
        || stem.ends_with(".pb")
        || stem.ends_with("_pb2")
        || stem.ends_with(".generated")
        || name == "package-lock.json"
}

fn is_test(stem: &str) -> bool {
    stem.starts_with("test_")
        || [".test", ".spec", "_test", "_spec", "tests"]
            .iter()
            .any(|end| stem.ends_with(end))
        || stem == "test"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_a_file_is() {
        for (path, class) in [
            ("src/main.rs", Class::Source),
            ("src/latest.rs", Class::Source),
            ("web/vendor/tests/jquery.js", Class::Vendored),
            ("tests/api.rs", Class::Test),
            ("pkg/server_test.go", Class::Test),
            ("test_models.py", Class::Test),
            ("README.md", Class::Document),
            ("static/app.min.js", Class::Generated),
        ] {
            assert_eq!(Class::of_path(Path::new(path)), class, "{path}");
        }
    }
}
