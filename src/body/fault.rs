//! Turns what serde says about a value into a refusal that names the field and says what is allowed.
//!
//! Serde has no structured errors, so its texts are taken apart here and nowhere else; the tests of `body` pin them.

use crate::problem::Problem;

/// How the refusal of a field that is given twice begins; serde's derived code says it the same way.
pub(super) const DUPLICATE: &str = "duplicate field ";
const MISSING: &str = "missing field ";
const UNKNOWN_FIELD: &str = "unknown field ";
const UNKNOWN_VARIANT: &str = "unknown variant ";
const EXPECTED: &str = ", expected ";
/// How much of a field's path is repeated in an answer.
const MAX_SHOWN_CHARS: usize = 100;

/// Explains a fault at a path such as `environment.A`, or `.` for the whole body.
pub(super) fn explain(path: &str, text: &str) -> Problem {
    let text = without_position(text);
    if let Some(name) = text.strip_prefix(MISSING) {
        return refuse(&below(path, name), "is required");
    }
    if let Some(name) = text.strip_prefix(DUPLICATE) {
        return refuse(&below(path, name), "must not be given twice");
    }
    if let Some(rest) = text.strip_prefix(UNKNOWN_FIELD) {
        let (name, known) = rest.rsplit_once(EXPECTED).unwrap_or((rest, ""));
        return refuse(&below(path, name), &unknown_reason(known));
    }
    let reason = match text.rsplit_once(EXPECTED) {
        Some((fault, allowed)) if fault.starts_with(UNKNOWN_VARIANT) => format!("must be {allowed}"),
        Some((_, expected)) => format!("must be {}", in_json_words(expected)),
        None => text.to_owned(),
    };
    refuse(path, &reason)
}

fn refuse(path: &str, reason: &str) -> Problem {
    if path == "." {
        return Problem::new(
            warp::http::StatusCode::BAD_REQUEST,
            "INVALID_FIELD",
            format!("the body {reason}"),
        );
    }
    let shown: String = path.chars().take(MAX_SHOWN_CHARS).collect();
    Problem::invalid_field(shown, reason)
}

/// Cuts the ` at line 1 column 2` that serde_json appends.
fn without_position(text: &str) -> &str {
    match text.rsplit_once(" at line ") {
        Some((head, tail))
            if tail
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b" column".contains(&byte)) =>
        {
            head
        }
        _ => text,
    }
}

/// Appends a quoted name to a path, unless the path already ends in it.
fn below(path: &str, quoted: &str) -> String {
    let name = quoted.trim_matches('`');
    match path {
        "." => name.to_owned(),
        _ if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn unknown_reason(known: &str) -> String {
    let names = known.strip_prefix("one of ").unwrap_or(known);
    match names {
        "" => "is not a field of this request, which has none".to_owned(),
        _ => format!("is not a field of this request, which has {names}"),
    }
}

/// Says in the words of JSON what serde expected in those of Rust.
fn in_json_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}
