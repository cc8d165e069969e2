//! What a model's service says.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::tasks::{Failure, Output};

#[derive(Deserialize)]
struct Answer {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// Reads what a task came to from an answer.
pub(super) fn output(body: &[u8]) -> Result<Output, Failure> {
    let unreadable = |reason: String| Failure::passing("llm_answer", format!("the answer cannot be read: {reason}"));
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let choice = answer.choices.into_iter().next();
    let choice = choice.ok_or_else(|| unreadable("it has no `choices`".to_owned()))?;
    let content = match choice.message {
        Message {
            content: Some(content), ..
        } => content,
        Message {
            refusal: Some(refusal), ..
        } => return Err(Failure::lasting("llm_refused", format!("the model refused: {refusal}"))),
        _ => return Err(unreadable("it has no `content`".to_owned())),
    };
    let usage = answer.usage.map(|usage| {
        json!({
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        })
    });
    Ok(Output(json!({
        "content": content,
        "model": answer.model,
        "finish_reason": choice.finish_reason,
        "tokens": usage,
    })))
}

/// Returns what a service says of its refusal, as the protocol has it or as it came.
pub(super) fn complaint(body: &[u8]) -> String {
    let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let message = said["error"]["message"].as_str().or_else(|| said["error"].as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), str::to_owned)
}
