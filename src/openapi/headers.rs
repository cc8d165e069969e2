//! The headers of answers.

use serde_json::{Map, Value, json};

use super::COMPONENTS;

/// Every answer has these.
const ALWAYS: [&str; 1] = ["X-Request-Id"];
/// The answers to requests that count against the rate limit have these, where there is a limit.
pub(super) const RATE: [&str; 3] = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
/// Lists have these.
pub(super) const PAGE: [&str; 2] = ["X-Total-Count", "Link"];
/// What says how many there are without being a list of pages.
pub(super) const COUNT: [&str; 1] = ["X-Total-Count"];
/// What was created has this.
pub(super) const LOCATION: [&str; 1] = ["Location"];
/// A search that has not looked everywhere has this.
pub(super) const TRUNCATED: [&str; 1] = ["X-Truncated"];

/// Files have this.
pub(super) const TAG: [&str; 1] = ["ETag"];

/// Describes all of them.
pub(super) fn components() -> Map<String, Value> {
    let number = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    let all = [
        ("Allow", "The methods that the path takes.", text()),
        ("ETag", "The same as long as the file is.", text()),
        (
            "Link",
            "The neighbouring pages, as `rel=\"next\"` and `rel=\"prev\"`.",
            text(),
        ),
        ("Location", "The path of what was created.", text()),
        ("Retry-After", "In so many seconds another try may do better.", number()),
        ("WWW-Authenticate", "How to send a credential.", text()),
        (
            "X-RateLimit-Limit",
            "So many requests a minute go on for ever.",
            number(),
        ),
        ("X-RateLimit-Remaining", "So many may be sent at once.", number()),
        (
            "X-RateLimit-Reset",
            "The Unix second at which all may be sent at once again.",
            number(),
        ),
        (
            "X-Request-Id",
            "The name of the request: the client's own, if it sent one.",
            text(),
        ),
        ("X-Total-Count", "How many there are in all.", number()),
        (
            "X-Truncated",
            "Why the search has not looked everywhere.",
            json!({"type": "string", "enum": ["lines", "deadline", "cancelled", "rebuilding"]}),
        ),
    ];
    let described = |(name, description, schema): (&str, &str, Value)| {
        (name.to_owned(), json!({"description": description, "schema": schema}))
    };
    all.into_iter().map(described).collect()
}

/// Refers to these, and to what every answer has.
pub(super) fn of_answer<'a>(names: impl IntoIterator<Item = &'a &'static str>) -> Value {
    let refer = |name: &&str| {
        let reference = json!({"$ref": format!("{COMPONENTS}/headers/{name}")});
        ((*name).to_owned(), reference)
    };
    let all: Map<String, Value> = ALWAYS.iter().chain(names).map(refer).collect();
    Value::Object(all)
}

/// Refers to those of an error answer.
pub(super) fn of_problem(status: u16) -> Value {
    of_answer(match status {
        401 => &["WWW-Authenticate"][..],
        405 => &["Allow"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    })
}
