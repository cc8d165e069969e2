//! Rust, by `syn`.

use super::{Problem, Text, Verdict};

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let parsed = syn::parse_file(text.content);
    let problems = match &parsed {
        Ok(_) => Vec::new(),
        Err(error) => error.clone().into_iter().map(to_problem).collect(),
    };
    drop(parsed);
    // Otherwise each text that was ever parsed stays in memory, for its spans.
    proc_macro2::extra::invalidate_current_thread_spans();
    Verdict::Checked(problems)
}

fn to_problem(error: syn::Error) -> Problem {
    Problem {
        line: u32::try_from(error.span().start().line.max(1)).unwrap_or(u32::MAX),
        message: error.to_string(),
    }
}
