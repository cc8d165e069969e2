//! How long functions are, told from lines and indentation: in code that a formatter or a person has laid out, a function
//! ends with the line that closes it at the indentation of the one that opened it.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use tokei::LanguageType;

/// Functions with more lines do not fit on a screen.
const LONG_LINES: u32 = 60;
/// What lies deeper than this is generated.
const MAX_OPEN: usize = 64;

static RUST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async|unsafe|extern(?:\s+"\w+")?)\s+)*fn\s"#));
static GO: LazyLock<Regex> = LazyLock::new(|| pattern(r"^func\s"));
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b|^\s*(?:export\s+)?const\s+\w+\s*=\s*(?:async\s*)?\([^)]*\)\s*(?::[^=]+)?=>\s*\{$",
    )
});
static PHP: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:(?:public|private|protected|static|final|abstract)\s+)*function\s"));
static JAVA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s+(?:(?:public|private|protected|internal|static|final|override|virtual|async|synchronized)\s+)+[\w<>\[\],.? ]+\([^;]*\{?\s*$|^\s*(?:\w+\s+)*fun\s",
    )
});
static PYTHON: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:async\s+)?def\s"));
static RUBY: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*def\s"));

fn pattern(form: &str) -> Regex {
    Regex::new(form).expect("the pattern is a constant")
}

/// How many functions there are and how long they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSizes {
    /// How many were seen.
    pub num: u32,
    /// How many have more than 60 lines.
    pub num_long: u32,
    /// The lines of the longest.
    pub longest_lines: u32,
}

impl FunctionSizes {
    pub(super) fn add(&mut self, other: Self) {
        self.num += other.num;
        self.num_long += other.num_long;
        self.longest_lines = self.longest_lines.max(other.longest_lines);
    }

    fn record(&mut self, num_lines: u32) {
        self.add(Self {
            num: 1,
            num_long: u32::from(num_lines > LONG_LINES),
            longest_lines: num_lines,
        });
    }
}

/// A function whose end has not been seen yet.
struct Open {
    first_line: u32,
    indentation: usize,
}

/// Measures the functions of a file; a language without a pattern has none.
pub(super) fn measure(language: LanguageType, content: &str) -> FunctionSizes {
    let mut sizes = FunctionSizes::default();
    let Some((pattern, is_by_indentation)) = form(language) else {
        return sizes;
    };
    let mut open: Vec<Open> = Vec::new();
    let mut last_code = 0;
    for (number, line) in (1..).zip(content.lines()) {
        let trimmed = line.trim_start();
        if trimmed.is_empty() {
            continue;
        }
        let indentation = line.len() - trimmed.len();
        while let Some(end) = open
            .last()
            .and_then(|top| end(top, indentation, trimmed, number, last_code, is_by_indentation))
        {
            sizes.record(end);
            open.pop();
        }
        if open.len() < MAX_OPEN && pattern.is_match(line) && !line.ends_with(';') {
            open.push(Open {
                first_line: number,
                indentation,
            });
        }
        last_code = number;
    }
    for function in open.iter().filter(|_| is_by_indentation) {
        sizes.record(last_code + 1 - function.first_line);
    }
    sizes
}

/// Tells the pattern of a function's first line, and whether what is indented below it is its body, with nothing to close it.
fn form(language: LanguageType) -> Option<(&'static Regex, bool)> {
    use LanguageType as L;
    Some(match language {
        L::Rust => (&*RUST, false),
        L::Go => (&*GO, false),
        L::JavaScript | L::TypeScript | L::Jsx | L::Tsx => (&*SCRIPT, false),
        L::Php => (&*PHP, false),
        L::Java | L::CSharp | L::Kotlin => (&*JAVA, false),
        L::Ruby => (&*RUBY, false),
        L::Python => (&*PYTHON, true),
        _ => return None,
    })
}

/// Returns how many lines the function has when this line is the one that ends it.
fn end(
    function: &Open,
    indentation: usize,
    trimmed: &str,
    number: u32,
    last_code: u32,
    is_by_indentation: bool,
) -> Option<u32> {
    if is_by_indentation {
        let is_body = indentation > function.indentation || trimmed.starts_with([')', '#']);
        return (!is_body).then(|| last_code + 1 - function.first_line);
    }
    let closes = trimmed.starts_with('}') || trimmed.starts_with("end");
    (closes && indentation <= function.indentation).then(|| number + 1 - function.first_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: LanguageType, content: &str, num: u32, longest_lines: u32) {
        let sizes = measure(language, content);
        assert_eq!((sizes.num, sizes.longest_lines), (num, longest_lines), "{content}");
    }

    #[test]
    fn functions_are_measured_from_their_first_line_to_their_last() {
        check(
            LanguageType::Rust,
            "pub(crate) async fn a() {\n    b();\n}\n\nfn c() {\n}\n",
            2,
            3,
        );
        check(LanguageType::Rust, "trait A {\n    fn b();\n}\n", 0, 0);
        check(
            LanguageType::Python,
            "def a():\n    b()\n\n    c()\n\nd()\ndef e():\n    pass\n",
            2,
            4,
        );
        check(LanguageType::Go, "func a() {\n\tif b {\n\t}\n}\n", 1, 4);
        check(LanguageType::Ruby, "class A\n  def b\n    c\n  end\nend\n", 1, 3);
        check(
            LanguageType::TypeScript,
            "export const a = (b: B): C => {\n  d();\n};\n",
            1,
            3,
        );
        check(
            LanguageType::Java,
            "class A {\n    public void b() {\n        c();\n    }\n}\n",
            1,
            3,
        );
    }

    #[test]
    fn a_long_function_counts_as_long() {
        let content = format!("def a():\n{}", "    b()\n".repeat(60));
        assert_eq!(measure(LanguageType::Python, &content).num_long, 1);
    }
}
