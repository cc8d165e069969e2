//! What lines say about the code: tests that are written in it, and work that it says is left.

use std::sync::LazyLock;

use regex::bytes::Regex;
use tokei::LanguageType;

// Without Unicode: its word boundaries make a search fall back to the slowest engine wherever a file is not all ASCII.
static TODO: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)\bTODO\b").expect("the pattern is a constant"));
static FIXME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?-u)\bFIXME\b").expect("the pattern is a constant"));
static RUST: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m-u)^\s*#\[(?:\w+::)*(?:test|rstest|proptest)\b"));
static PYTHON: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m-u)^\s*(?:async\s+)?def test_|^class \w*\(.*\bTestCase\)"));
static GO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m-u)^func (?:Test|Fuzz|Example)\w*\("));
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m-u)^\s*(?:describe|it|test)(?:\.\w+)?\(\s*['"`]"#));
static ANNOTATED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m-u)^\s*(?:@(?:Parameterized)?Test\b|\[(?:Fact|Theory|Test|TestMethod)\b)"));
static PHP: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m-u)^(?:final )?class \w+ extends \w*TestCase\b"));
static RUBY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m-u)^\s*(?:RSpec\.)?describe\b|^class \w+ < .*Test(?:Case)?$|^\s*def test_"));
static C: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m-u)^\s*(?:TEST|TEST_F|TEST_P|TEST_CASE|BOOST_AUTO_TEST_CASE)\("));
static ELIXIR: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m-u)^\s*use ExUnit\.Case\b"));

fn pattern(form: &str) -> Regex {
    Regex::new(form).expect("the pattern is a constant")
}

/// Tells whether tests are written in the file.
pub(super) fn has_tests(language: LanguageType, content: &[u8]) -> bool {
    use LanguageType as L;
    let marker = match language {
        L::Rust => &RUST,
        L::Python => &PYTHON,
        L::Go => &GO,
        L::JavaScript | L::TypeScript | L::Jsx | L::Tsx => &SCRIPT,
        L::Java | L::Kotlin | L::CSharp | L::Scala | L::Groovy => &ANNOTATED,
        L::Php => &PHP,
        L::Ruby => &RUBY,
        L::C | L::Cpp => &C,
        L::Elixir => &ELIXIR,
        _ => return false,
    };
    marker.is_match(content)
}

/// Counts how often the file says TODO and FIXME.
pub(super) fn count_left(content: &[u8]) -> (u32, u32) {
    let count = |marker: &Regex| u32::try_from(marker.find_iter(content).count()).unwrap_or(u32::MAX);
    (count(&TODO), count(&FIXME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_how_each_language_marks_them() {
        let with = [
            (LanguageType::Rust, "    #[tokio::test]\n"),
            (LanguageType::Python, "def test_a():\n"),
            (LanguageType::Go, "func TestA(t *testing.T) {\n"),
            (LanguageType::TypeScript, "describe('a', () => {\n"),
            (LanguageType::Java, "    @Test\n"),
            (LanguageType::Php, "final class ATest extends TestCase\n"),
            (LanguageType::Ruby, "RSpec.describe A do\n"),
            (LanguageType::Cpp, "TEST(A, B) {\n"),
        ];
        for (language, content) in with {
            assert!(has_tests(language, content.as_bytes()), "{content}");
        }
        assert!(!has_tests(LanguageType::Rust, b"fn test() {}\n"));
        assert!(!has_tests(LanguageType::JavaScript, b"if (a.test('b')) {}\n"));
    }

    #[test]
    fn only_whole_words_are_work_that_is_left() {
        assert_eq!(count_left(b"// TODO: a\n// FIXME b, TODO c\nTODOS\n"), (2, 1));
    }
}
