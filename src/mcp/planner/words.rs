//! What single words of a phrase stand for.

use serde_json::{Map, Value, json};

use crate::mcp::tools::{Parameter, Tool};

/// Other names of languages than tokei's.
const LANGUAGES: [(&str, &str); 8] = [
    ("py", "Python"),
    ("js", "JavaScript"),
    ("ts", "TypeScript"),
    ("golang", "Go"),
    ("rs", "Rust"),
    ("rb", "Ruby"),
    ("bash", "BASH"),
    ("yml", "YAML"),
];
const CLASSES: [(&str, &str); 7] = [
    ("tests", "test"),
    ("unit test", "test"),
    ("documentation", "docs"),
    ("doc", "docs"),
    ("sources", "source"),
    ("source code", "source"),
    ("code", "source"),
];
const STATUSES: [(&str, &str); 10] = [
    ("up", "running"),
    ("live", "running"),
    ("down", "stopped"),
    ("broken", "failed"),
    ("failing", "failed"),
    ("sick", "unhealthy"),
    ("crashing", "crash_looping"),
    ("crash looping", "crash_looping"),
    ("crash-looping", "crash_looping"),
    ("deploying", "building"),
];
const SEVERITIES: [(&str, &str); 3] = [("warnings", "warning"), ("fatal", "critical"), ("serious", "critical")];
/// Where tasks do not say what kind they are.
const USUAL_TASK_TYPE: &str = "general";
/// Where reports do not say what kind of error it is.
const USUAL_ERROR_TYPE: &str = "reported";

/// Returns what a part of a phrase is as an argument; none for a number that is none.
pub(super) fn value(parameter: &Parameter, text: &str) -> Option<Value> {
    if parameter.is_number() {
        return text.parse::<i64>().ok().map(Value::from);
    }
    let text = unquoted(text);
    Some(match parameter.name {
        "lang" => renamed(&LANGUAGES, text).into(),
        "class" => renamed(&CLASSES, &text.to_lowercase()).into(),
        "status" => renamed(&STATUSES, &text.to_lowercase()).into(),
        "severity" => renamed(&SEVERITIES, &text.to_lowercase()).into(),
        "tech_stack" => text.to_lowercase().into(),
        "active" => text.eq_ignore_ascii_case("active").into(),
        // An extension stands for all files that have it.
        "path" if text.starts_with('.') && !text.contains('/') => format!("*{text}").into(),
        _ => text.into(),
    })
}

/// Adds what a tool needs and nobody says.
pub(super) fn complete(tool: &Tool, arguments: &mut Map<String, Value>) {
    let usual = match tool.name {
        "create_task" => ("task_type", json!(USUAL_TASK_TYPE)),
        "log_error" => ("error_type", json!(USUAL_ERROR_TYPE)),
        _ => return,
    };
    arguments.entry(usual.0).or_insert(usual.1);
    if tool.name == "log_error" {
        arguments.entry("severity").or_insert(json!("error"));
    }
}

fn renamed(names: &[(&str, &'static str)], text: &str) -> String {
    let found = names.iter().find(|(other, _)| other.eq_ignore_ascii_case(text));
    found.map_or_else(|| text.to_owned(), |(_, name)| (*name).to_owned())
}

fn unquoted(text: &str) -> &str {
    let inner = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    ['"', '\'', '`'].into_iter().find_map(inner).unwrap_or(text)
}
