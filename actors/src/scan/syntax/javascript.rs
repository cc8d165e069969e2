//! JavaScript and TypeScript, with JSX, by Oxc's parser.

use oxc_allocator::Allocator;
use oxc_diagnostics::Severity;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;

use super::{MAX_PROBLEMS_PER_FILE, Problem, Text, Verdict, line};

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let extension = text.extension();
    let kinds = source_types(&extension, text.name());
    if kinds.is_empty() || is_other_format(text.content) {
        return Verdict::Unchecked;
    }
    let mut first = None;
    for kind in kinds {
        match problems(text.content, kind) {
            None => return Verdict::Unchecked,
            Some(problems) if problems.is_empty() => return Verdict::Checked(problems),
            Some(problems) => first = first.or(Some(problems)),
        }
    }
    Verdict::Checked(first.unwrap_or_default())
}

/// Lists what the file may be. Only a file that is wrong as each of them is wrong: a name with `.js` tells neither whether
/// it is a module nor whether it is strict.
fn source_types(extension: &str, name: &str) -> Vec<SourceType> {
    match extension {
        "js" | "jsx" | "mjs" | "cjs" => vec![
            SourceType::mjs().with_unambiguous(true).with_jsx(true),
            SourceType::cjs().with_jsx(true),
            SourceType::mjs().with_jsx(true),
        ],
        "ts" | "mts" | "cts" => {
            let kind = SourceType::ts();
            vec![kind.with_typescript_definition(name.contains(".d."))]
        }
        "tsx" => vec![SourceType::tsx()],
        _ => Vec::new(),
    }
}

/// Qt keeps translations, as XML, in files that are called `.ts`.
fn is_other_format(content: &str) -> bool {
    content.trim_start().starts_with('<') && content.contains("<TS ")
}

/// Returns why the file is refused, or nothing when it is written in Flow, which is another language.
fn problems(content: &str, kind: SourceType) -> Option<Vec<Problem>> {
    let options = ParseOptions {
        allow_return_outside_function: true,
        allow_v8_intrinsics: true,
        ..ParseOptions::default()
    };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, content, kind).with_options(options).parse();
    (!parsed.is_flow_language).then(|| to_problems(content, &parsed))
}

fn to_problems(content: &str, parsed: &ParserReturn<'_>) -> Vec<Problem> {
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors
        .take(MAX_PROBLEMS_PER_FILE)
        .map(|diagnostic| Problem {
            line: line::of_offset(
                content,
                diagnostic.labels.first().map_or(0, |label| label.offset() as usize),
            ),
            message: diagnostic.message.to_string(),
        })
        .collect()
}
