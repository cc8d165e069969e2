//! Python, by Ruff's parser, which knows every version's grammar.

use std::sync::LazyLock;

use regex::Regex;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use super::{MAX_PROBLEMS_PER_FILE, Problem, Text, Verdict, line};

/// What only Python 2 has, as it stands on a line that Python 3 refuses.
static PYTHON_2: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r#"^\s*print\s+[\w"'%`>\[{-]"#,
        r"[:;]\s*print\s+[\w'\x22%`]",
        r"^\s*except\s+[\w.()\s,]+,\s*\w+\s*:",
        r#"^\s*exec\s+[\w"']"#,
        r"^\s*raise\s+[\w.]+\s*,",
        r"\b0[0-7]+\b",
        r"\d[lL]\b",
        "<>",
        "`",
        r#"\b[uU][rR]["']"#,
        r"^\s*def\s+\w+\(.*\(\s*\w+\s*,",
    ];
    Regex::new(&forms.join("|")).expect("the pattern is a constant")
});

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let parsed = parse_unchecked(text.content, ParseOptions::from(Mode::Module));
    let problems: Vec<_> = parsed
        .errors()
        .iter()
        .take(MAX_PROBLEMS_PER_FILE)
        .map(|error| Problem {
            line: line::of_offset(text.content, error.location.start().to_usize()),
            message: error.error.to_string(),
        })
        .collect();
    match problems.iter().find(|problem| is_python_2(text.content, problem.line)) {
        Some(first) => Verdict::Checked(vec![Problem {
            line: first.line,
            message: "This is Python 2, which no supported Python runs".to_owned(),
        }]),
        None => Verdict::Checked(problems),
    }
}

/// Tells whether the line that was refused, or the one before, has what only Python 2 has.
fn is_python_2(content: &str, refused: u32) -> bool {
    let first = refused.saturating_sub(1).max(1);
    (first..=refused).any(|number| PYTHON_2.is_match(line::text(content, number)))
}
