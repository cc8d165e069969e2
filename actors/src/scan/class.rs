//! What a file is for: told from its path, and for generated files from its first lines too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokei::LanguageType;

/// Generated files say so near their beginning.
const HEAD_BYTES: usize = 2048;
/// Scripts and style sheets whose lines are longer than this on average were written by a tool.
const MINIFIED_LINE_BYTES: usize = 400;
const VENDORED_DIRECTORIES: [&str; 13] = [
    "vendor",
    "vendored",
    "_vendor",
    "third_party",
    "third-party",
    "thirdparty",
    "node_modules",
    "bower_components",
    "site-packages",
    "dist-packages",
    "Godeps",
    "Pods",
    "Carthage",
];
const TEST_DIRECTORIES: [&str; 14] = [
    "test",
    "tests",
    "Test",
    "Tests",
    "__tests__",
    "spec",
    "specs",
    "e2e",
    "cypress",
    "testdata",
    "test-data",
    "test_data",
    "fixtures",
    "__fixtures__",
];
const DOC_DIRECTORIES: [&str; 4] = ["doc", "docs", "documentation", "man"];
const DOC_EXTENSIONS: [&str; 6] = ["md", "markdown", "rst", "adoc", "txt", "org"];
const LOCK_FILES: [&str; 13] = [
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "composer.lock",
    "Gemfile.lock",
    "go.sum",
    "gradle.lockfile",
];
const GENERATED_ENDINGS: [&str; 12] = [
    ".min.js",
    ".min.mjs",
    ".min.css",
    ".bundle.js",
    ".map",
    ".snap",
    ".pb.go",
    ".pb.cc",
    ".pb.h",
    "_pb2.py",
    "_pb2_grpc.py",
    ".designer.cs",
];

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FileClass")]
pub enum Class {
    /// Written by the project's people to be run, built or deployed.
    Source,
    /// Tests and what they need.
    Test,
    /// Other people's code that lies in the tree.
    Vendored,
    /// Written by a tool.
    Generated,
    /// For people to read.
    Docs,
    /// Neither code nor prose.
    Data,
}

/// Tells what a file is for.
pub(super) fn classify(path: &str, language: Option<LanguageType>, content: &[u8]) -> Class {
    let (directories, name) = split(path);
    if is_any(directories, &VENDORED_DIRECTORIES) {
        Class::Vendored
    } else if is_generated_name(name) || is_generated_content(language, content) {
        Class::Generated
    } else if is_any(directories, &TEST_DIRECTORIES) || is_test_name(name) {
        Class::Test
    } else if is_any(directories, &DOC_DIRECTORIES) || is_document(name) {
        Class::Docs
    } else if is_data(language) {
        Class::Data
    } else {
        Class::Source
    }
}

/// Tells whether a directory of the path, or its name, says that it holds tests or what they need.
pub(super) fn is_test_path(path: &str) -> bool {
    let (directories, name) = split(path);
    is_any(directories, &TEST_DIRECTORIES) || is_test_name(name)
}

/// Splits a path into its directories and its last part.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_any(directories: &str, names: &[&str]) -> bool {
    directories.split('/').any(|part| names.contains(&part))
}

/// Tells whether the name is one that the common test runners look for.
fn is_test_name(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let has_code_ending = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    stem == "conftest"
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || name.contains(".test.")
        || name.contains(".spec.")
        || (stem.starts_with("test_") && has_code_ending(&[".py", ".rb", ".c", ".cc", ".cpp"]))
        || ((stem.ends_with("Test") || stem.ends_with("Tests") || stem.ends_with("IT"))
            && has_code_ending(&[".java", ".kt", ".php", ".cs", ".swift", ".scala", ".groovy"]))
}

fn is_document(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let is_prose = extension.is_some_and(|extension| DOC_EXTENSIONS.contains(&extension));
    (is_prose && !name.starts_with("requirements") && name != "CMakeLists.txt")
        || matches!(
            stem,
            "README" | "LICENSE" | "LICENCE" | "COPYING" | "CHANGELOG" | "AUTHORS" | "NOTICE"
        )
}

fn is_data(language: Option<LanguageType>) -> bool {
    match language {
        None => true,
        Some(language) => matches!(
            language,
            LanguageType::Json | LanguageType::Svg | LanguageType::Xml | LanguageType::Po
        ),
    }
}

fn is_generated_name(name: &str) -> bool {
    LOCK_FILES.contains(&name)
        || GENERATED_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.contains(".generated.")
        || name.contains("_generated.")
}

fn is_generated_content(language: Option<LanguageType>, content: &[u8]) -> bool {
    let head = &content[..content.len().min(HEAD_BYTES)];
    let says = |text: &str| find(head, text.as_bytes());
    let is_marked = says("@generated") || (says("DO NOT EDIT") && (says("enerated by") || says("ENERATED")));
    let is_script = matches!(
        language,
        Some(LanguageType::JavaScript | LanguageType::Css | LanguageType::TypeScript)
    );
    is_marked || (is_script && is_minified(content))
}

fn find(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

fn is_minified(content: &[u8]) -> bool {
    let num_lines = content.iter().filter(|&&byte| byte == b'\n').count() + 1;
    content.len() > 4 * MINIFIED_LINE_BYTES && content.len() / num_lines > MINIFIED_LINE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, content: &str, expected: Class) {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let language = LanguageType::from_file_extension(extension);
        assert_eq!(classify(path, language, content.as_bytes()), expected, "{path}");
    }

    #[test]
    fn a_path_tells_what_a_file_is_for() {
        check("src/main.rs", "", Class::Source);
        check("web/node_modules/a/index.js", "", Class::Vendored);
        check("lib/tests/data.py", "", Class::Test);
        check("pkg/server_test.go", "", Class::Test);
        check("src/App.test.tsx", "", Class::Test);
        check("src/OrderTest.java", "", Class::Test);
        check("src/Contest.java", "", Class::Source);
        check("docs/conf.py", "", Class::Docs);
        check("README.md", "", Class::Docs);
        check("package.json", "", Class::Data);
        check("Cargo.lock", "", Class::Generated);
        check("logo.png", "", Class::Data);
        check("vendor.rs", "", Class::Source);
    }

    #[test]
    fn generated_files_are_told_by_what_they_say_and_how_they_look() {
        check(
            "a.go",
            "// Code generated by x. DO NOT EDIT.\npackage a\n",
            Class::Generated,
        );
        check("a.js", &"var a=1;".repeat(600), Class::Generated);
        check("a.js", &"var a = 1;\n".repeat(600), Class::Source);
    }
}
