//! Where in a project a file lies, and what that means for it.

/// What a directory says about the files in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Part of what the project makes.
    Product,
    /// Tests, examples and documentation: only what is needed to develop.
    Aside,
    /// Made by a build: only its reports count.
    Output,
    /// Somebody else's code or deliberate samples: nothing in it counts.
    Foreign,
}

const FOREIGN: &[&str] = &[
    "node_modules",
    "bower_components",
    "jspm_packages",
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "external",
    "site-packages",
    "Pods",
    "Carthage",
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".bundle",
    ".yarn",
    ".pnpm-store",
    ".gradle",
    ".m2",
    ".cargo",
    "testdata",
    "test_data",
    "test-data",
    "fixtures",
    "__fixtures__",
    "fixture",
    "__mocks__",
    "__snapshots__",
];

/// Names that people also use for sources, such as `build` and `bin`, are left out: where a build writes there, the
/// project's ignore rules say so.
const OUTPUT: &[&str] = &[
    "target",
    "dist",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".output",
    "coverage",
    "htmlcov",
    "_build",
];

const ASIDE: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "e2e",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "doc",
    "docs",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "fuzz",
    "playground",
    "templates",
    "template",
    ".devcontainer",
];

impl Place {
    /// Tells the place of a file from the directories above it; the strictest of them counts.
    pub(super) fn of(path: &str) -> Self {
        let above = || directory(path).split('/');
        if above().any(|part| FOREIGN.contains(&part)) {
            Self::Foreign
        } else if above().any(|part| OUTPUT.contains(&part)) {
            Self::Output
        } else if above().any(|part| ASIDE.contains(&part)) {
            Self::Aside
        } else {
            Self::Product
        }
    }
}

/// Returns the directory of a path, empty for the project's own.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// Returns the last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

/// Returns how many directories a path lies below the project's own.
pub(super) fn depth(path: &str) -> usize {
    path.matches('/').count()
}

/// Returns the directories above a directory, nearest first, with itself first and the project's own last.
pub(super) fn upwards(start: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(start), |below| (!below.is_empty()).then(|| directory(below)))
}

/// Follows a relative path from a directory; none when it leaves the project.
pub(super) fn join(base: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Returns the path of a directory as seen from one above it.
pub(super) fn relative<'path>(base: &str, below: &'path str) -> Option<&'path str> {
    if base.is_empty() {
        return Some(below);
    }
    let rest = below.strip_prefix(base)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_directory_counts() {
        for (path, place) in [
            ("package.json", Place::Product),
            ("backend/app/pyproject.toml", Place::Product),
            ("tests/package.json", Place::Aside),
            ("examples/a/Cargo.toml", Place::Aside),
            ("target/site/cobertura/coverage.xml", Place::Output),
            ("tests/fixtures/a/package.json", Place::Foreign),
            ("examples/node_modules/x/package.json", Place::Foreign),
            ("vendor", Place::Product),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }

    #[test]
    fn relative_paths_are_followed_and_do_not_leave_the_project() {
        assert_eq!(join("a/b", "../c/./d"), Some("a/c/d".to_owned()));
        assert_eq!(join("", "packages/*"), Some("packages/*".to_owned()));
        assert_eq!(join("a", "../../c"), None);
        assert_eq!(relative("a/b", "a/b/c"), Some("c"));
        assert_eq!(relative("a/b", "a/b"), Some(""));
        assert_eq!(relative("a/b", "a/bc"), None);
        assert_eq!(upwards("a/b").collect::<Vec<_>>(), ["a/b", "a", ""]);
    }
}
