//! What a model says in its turn. Services differ in what they leave out, so little is required.

use serde::Deserialize;
use serde_json::{Value, json};

/// What a model says.
#[derive(Debug)]
pub(super) struct Turn {
    /// The message as it came, which the next question repeats.
    pub(super) message: Value,
    pub(super) words: String,
    pub(super) calls: Vec<Call>,
    pub(super) tokens: u64,
    pub(super) model: Option<String>,
}

/// A tool that the model wants called.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    /// JSON, as the model wrote it.
    pub(super) arguments: String,
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

/// Reads an answer.
pub(super) fn read(answer: &[u8]) -> Result<Turn, String> {
    let body: Body = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let choice = body.choices.into_iter().next().ok_or("it has no `choices`")?;
    let Message {
        content,
        refusal,
        tool_calls,
    } = choice.message;
    let calls: Vec<Call> = tool_calls.into_iter().flatten().map(Call::from).collect();
    if content.is_none() && refusal.is_none() && calls.is_empty() {
        return Err("it has neither `content` nor `tool_calls`".to_owned());
    }
    let repeated: Vec<Value> = calls.iter().map(Call::repeated).collect();
    Ok(Turn {
        message: json!({"role": "assistant", "content": content, "tool_calls": repeated}),
        words: content.or(refusal).unwrap_or_default(),
        calls,
        tokens: body.usage.and_then(|usage| usage.total_tokens).unwrap_or_default(),
        model: body.model,
    })
}

impl From<ToolCall> for Call {
    fn from(call: ToolCall) -> Self {
        Self {
            id: call.id,
            name: call.function.name,
            arguments: call.function.arguments.unwrap_or_else(|| "{}".to_owned()),
        }
    }
}

impl Call {
    fn repeated(&self) -> Value {
        json!({"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}})
    }
}
