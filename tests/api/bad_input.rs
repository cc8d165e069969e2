//! The bad input table: each field and parameter in every way in which it can be wrong. The answer is a 4xx that names
//! it, and nothing is written.

mod bodies;
mod queries;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

/// Sends a body as text, so that it can be wrong in ways that JSON values cannot.
async fn send_text(world: &World, method: &Method, path: &str, text: String) -> Answer {
    let request = world
        .request(method.clone(), path)
        .header("content-type", "application/json");
    Answer::to(request.body(text)).await.unwrap()
}

/// Checks that the answer refuses this field by name.
#[track_caller]
fn assert_refused(answer: Answer, field: &str, sent: &str) {
    let shown: String = sent.chars().take(200).collect();
    assert_eq!(answer.status, 400, "{shown}: {}", answer.text);
    assert_eq!(answer.json["code"], "INVALID_FIELD", "{shown}: {}", answer.text);
    let message = answer.json["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("`{field}")),
        "{shown}: {message} does not begin with `{field}`"
    );
    assert!(message.len() < 500, "{shown}: the message is as long as the input");
}

/// Values of every wrong type for a field that is text.
fn no_texts() -> Vec<Value> {
    vec![
        json!(1),
        json!(-1),
        json!(0),
        json!(1e300),
        json!(true),
        json!([]),
        json!({}),
        json!(["a"]),
    ]
}

/// Values of every wrong type and size for a field that is a whole number from 1.
fn no_numbers() -> Vec<Value> {
    vec![
        json!("1"),
        json!(""),
        json!(true),
        json!([1]),
        json!({}),
        json!(1.5),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e30),
        json!("\u{0661}"),
    ]
}
