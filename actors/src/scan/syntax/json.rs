//! JSON, by `serde_json`, and the files whose own programs allow comments in it, by `jsonc-parser`.

use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

use super::{Problem, Text, Verdict};

const WITH_COMMENTS: [&str; 22] = [
    "jsconfig.json",
    "tslint.json",
    "devcontainer.json",
    "deno.json",
    "biome.json",
    "turbo.json",
    "rush.json",
    "api-extractor.json",
    "tsdoc.json",
    "typedoc.json",
    "pyrightconfig.json",
    "language-configuration.json",
    "launchSettings.json",
    "omnisharp.json",
    "global.json",
    "cspell.json",
    "renovate.json",
    "nx.json",
    "babel.config.json",
    "angular.json",
    "wrangler.json",
    "firebase.json",
];
/// Directories whose editors allow comments.
const DIRECTORIES_WITH_COMMENTS: [&str; 4] = [".vscode", ".devcontainer", ".zed", ".cursor"];

pub(super) fn check(text: &Text<'_>) -> Verdict {
    if text.content.trim().is_empty() {
        return Verdict::Checked(Vec::new());
    }
    let Err(error) = serde_json::from_str::<IgnoredAny>(text.content) else {
        return Verdict::Checked(Vec::new());
    };
    if allows_comments(text) {
        return with_comments(text.content);
    }
    if is_one_value_per_line(text.content) {
        return Verdict::Checked(Vec::new());
    }
    Verdict::Checked(vec![Problem {
        line: u32::try_from(error.line().max(1)).unwrap_or(u32::MAX),
        message: without_place(&error.to_string()),
    }])
}

fn allows_comments(text: &Text<'_>) -> bool {
    let name = text.name();
    let is_settings = (name.starts_with("tsconfig") || name.starts_with("appsettings")) && name.ends_with(".json");
    is_settings
        || text.extension() != "json"
        || name.starts_with('.')
        || WITH_COMMENTS.contains(&name)
        || text
            .path
            .split('/')
            .any(|part| DIRECTORIES_WITH_COMMENTS.contains(&part))
}

fn with_comments(content: &str) -> Verdict {
    let options = ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    };
    let problems = match parse_to_ast(content, &CollectOptions::default(), &options) {
        Ok(_) => Vec::new(),
        Err(error) => vec![Problem {
            line: u32::try_from(error.line_display()).unwrap_or(u32::MAX),
            message: error.kind().to_string(),
        }],
    };
    Verdict::Checked(problems)
}

/// Logs and data sets have a value on each line and are called `.json` all the same.
fn is_one_value_per_line(content: &str) -> bool {
    let mut lines = content.lines().filter(|line| !line.trim().is_empty());
    content.lines().nth(1).is_some() && lines.all(|line| serde_json::from_str::<IgnoredAny>(line).is_ok())
}

/// Cuts off `at line 1 column 2`, which is told apart from the message.
fn without_place(message: &str) -> String {
    message
        .split_once(" at line ")
        .map_or(message, |(reason, _)| reason)
        .to_owned()
}
