//! Vibe: is it a joy to work in?
//!
//! | part | weight | score |
//! |---|---|---|
//! | readme | 20 | 0 without; 0.4 for a stub; 0.7 for a text; 1 for one with three headings, or as long without any |
//! | layout | 15 | 1 up to 20 files in the root, 0 at 80 |
//! | file_size | 15 | share of the files with code that have at most 500 lines of it, 0 at a half |
//! | function_size | 15 | share of the functions that have at most 60 lines, 0 at a half |
//! | naming | 10 | share of the files that are named in the style of their language, 0 at a half |
//! | comments | 10 | comments over code and comments: 1 from 5 % to 40 %, less beyond |
//! | activity | 15 | commits in the last 90 days, 1 from 20 on |

use super::{Inputs, Part, falling, share};

const MIN_JUDGED_LINES: u64 = 50;
const FEW_COMMENTS: f64 = 0.05;
const MANY_COMMENTS: f64 = 0.40;
const STUB_README_BYTES: u64 = 200;
const FULL_README_BYTES: u64 = 2_000;
const FULL_README_HEADINGS: u32 = 3;
const GOOD_ROOT_FILES: f64 = 20.0;
const BAD_ROOT_FILES: f64 = 80.0;
const LIVELY_COMMITS: usize = 20;

pub(super) fn parts(inputs: Inputs<'_>) -> Vec<Part> {
    vec![
        readme(inputs),
        layout(inputs),
        file_size(inputs),
        function_size(inputs),
        naming(inputs),
        comments(inputs),
        activity(inputs),
    ]
}

fn readme(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let has_sections = facts.num_readme_headings >= FULL_README_HEADINGS;
    let (score, reason) = match (&facts.readme, facts.readme_bytes) {
        (None, _) => (0.0, "there is none"),
        (Some(_), Some(bytes)) if bytes < STUB_README_BYTES => (0.4, "it is a stub"),
        (Some(_), Some(bytes)) if !has_sections && bytes < FULL_README_BYTES => {
            (0.7, "it is short and has no sections")
        }
        (Some(_), _) => (1.0, "it has what one looks for"),
    };
    let advice = "say what this is, how to start it and how to work on it, each under its own heading";
    Part::known("readme", 20.0, score, reason.to_owned(), advice)
}

#[expect(clippy::cast_precision_loss, reason = "files are far below 2^52")]
fn layout(inputs: Inputs<'_>) -> Part {
    let num = inputs.report.facts.num_root_files;
    let score = falling(num as f64, GOOD_ROOT_FILES, BAD_ROOT_FILES);
    Part::known(
        "layout",
        15.0,
        score,
        format!("{num} files in the root"),
        "move files from the root to where they belong",
    )
}

fn file_size(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let Some(large) = share(facts.num_large_files, facts.num_code_files) else {
        return Part::unknown("file_size", 15.0, "there is no code");
    };
    let reason = format!(
        "{} of {} files have more than 500 lines of code, the longest {}",
        facts.num_large_files, facts.num_code_files, facts.longest_file_lines
    );
    Part::known(
        "file_size",
        15.0,
        falling(large, 0.0, 0.5),
        reason,
        "divide the largest files by what they are for",
    )
}

fn function_size(inputs: Inputs<'_>) -> Part {
    let functions = inputs.report.facts.functions;
    let Some(long) = share(functions.num_long as usize, functions.num as usize) else {
        return Part::unknown("function_size", 15.0, "no functions were recognised");
    };
    let reason = format!(
        "{} of {} functions have more than 60 lines, the longest {}",
        functions.num_long, functions.num, functions.longest_lines
    );
    Part::known(
        "function_size",
        15.0,
        falling(long, 0.0, 0.5),
        reason,
        "divide the longest functions into steps with names",
    )
}

fn naming(inputs: Inputs<'_>) -> Part {
    let facts = &inputs.report.facts;
    let Some(usual) = share(facts.num_usual_names, facts.num_code_files) else {
        return Part::unknown("naming", 10.0, "there is no code");
    };
    let reason = format!(
        "{} of {} files are named in one style",
        facts.num_usual_names, facts.num_code_files
    );
    Part::known(
        "naming",
        10.0,
        falling(1.0 - usual, 0.0, 0.5),
        reason,
        "name files of a language in one style",
    )
}

#[expect(clippy::cast_precision_loss, reason = "lines are far below 2^52")]
fn comments(inputs: Inputs<'_>) -> Part {
    let lines = inputs.report.facts.source_lines;
    if lines.code < MIN_JUDGED_LINES {
        return Part::unknown("comments", 10.0, "there is too little code to judge");
    }
    let ratio = lines.comments as f64 / (lines.code + lines.comments) as f64;
    let score = match ratio {
        few if few < FEW_COMMENTS => few / FEW_COMMENTS,
        many => falling(many, MANY_COMMENTS, 1.0),
    };
    let advice = if ratio < FEW_COMMENTS {
        "say why, where the code cannot"
    } else {
        "let the code say what it does"
    };
    Part::known(
        "comments",
        10.0,
        score,
        format!("{:.0} % of the lines are comments", ratio * 100.0),
        advice,
    )
}

fn activity(inputs: Inputs<'_>) -> Part {
    let commits = inputs.report.git.as_ref().and_then(|git| git.num_commits_90_days);
    match commits {
        Some(num) => {
            let score = share(num, LIVELY_COMMITS).unwrap_or(0.0);
            Part::known(
                "activity",
                15.0,
                score,
                format!("{num} commits in 90 days"),
                "work on it in small steps",
            )
        }
        None => Part::unknown("activity", 15.0, "there is no history to tell it by"),
    }
}
