//! Compares answers with the examples of the API reference.

use chrono::DateTime;
use serde_json::Value;

/// Checks that everything an example has is in the answer, with the same type: keys may be added, never missing. A
/// `null` of the example stands for any value, a point in time for any other in the same form.
#[track_caller]
pub(super) fn assert_documented(answer: &Value, example: &Value) {
    if let Err(difference) = compare(answer, example, "the answer") {
        panic!("{difference} in {answer:#}");
    }
}

fn compare(answer: &Value, example: &Value, place: &str) -> Result<(), String> {
    match (answer, example) {
        (_, Value::Null) | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (Value::Number(answer), Value::Number(example)) if example.is_f64() || !answer.is_f64() => Ok(()),
        (Value::String(answer), Value::String(example)) => compare_text(answer, example, place),
        (Value::Array(answers), Value::Array(examples)) => match examples.first() {
            Some(example) => answers.iter().try_for_each(|answer| compare(answer, example, place)),
            None => Ok(()),
        },
        (Value::Object(answers), Value::Object(examples)) => examples.iter().try_for_each(|(key, example)| {
            let answer = answers.get(key).ok_or_else(|| format!("{place} lacks `{key}`"))?;
            compare(answer, example, key)
        }),
        _ => Err(format!("`{place}` is {answer} instead of something like {example}")),
    }
}

fn compare_text(answer: &str, example: &str, place: &str) -> Result<(), String> {
    let is_time = |text: &str| DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z');
    match is_time(example) && !is_time(answer) {
        true => Err(format!("`{place}` is `{answer}`, which is no time in UTC")),
        false => Ok(()),
    }
}

#[test]
fn differences_are_seen() {
    let example = serde_json::json!({"id": 1, "at": "2024-01-15T10:30:00Z", "list": [{"a": 1.5}], "any": null});
    let good = serde_json::json!({"id": 2, "at": "2025-01-15T10:30:00.123Z", "list": [{"a": 1}], "any": 1, "more": 1});
    assert_documented(&good, &example);
    for (key, bad) in [
        ("id", Value::from("1")),
        ("at", Value::from("2025-01-15T10:30:00+01:00")),
        ("list", serde_json::json!([{}])),
    ] {
        let mut answer = good.clone();
        answer[key] = bad;
        assert!(compare(&answer, &example, "it").is_err(), "{key}");
    }
}
