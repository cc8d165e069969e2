//! What Agent Zero is asked, as text: it reads one message, so whatever a client says besides the prompt is written there.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Error;

/// Longer prompts fill the context of every model.
const MAX_PROMPT_CHARS: usize = 200_000;
const MAX_DESCRIPTION_CHARS: usize = 10_000;
const MAX_TYPE_CHARS: usize = 100;
const MAX_CONTEXT_BYTES: usize = 100_000;

/// A request for work, as clients send it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// What kind of work it is, such as `code_execution`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// What is to be done.
    pub prompt: String,
    /// What else is to be known.
    #[serde(default)]
    pub context: Map<String, Value>,
}

/// The text for Agent Zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt(String);

impl Execute {
    /// Checks the request and writes the text.
    ///
    /// # Errors
    /// Names the field that is empty or too long.
    pub fn to_prompt(&self) -> Result<Prompt, Error> {
        if self.prompt.trim().is_empty() {
            return Err(invalid("prompt", "must not be empty"));
        }
        check_length("prompt", &self.prompt, MAX_PROMPT_CHARS)?;
        check_length(
            "description",
            self.description.as_deref().unwrap_or_default(),
            MAX_DESCRIPTION_CHARS,
        )?;
        self.check_kind()?;
        Ok(Prompt(self.render()?))
    }

    fn check_kind(&self) -> Result<(), Error> {
        let Some(kind) = &self.kind else { return Ok(()) };
        let is_word = |kind: &str| {
            kind.chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        if kind.is_empty() || kind.len() > MAX_TYPE_CHARS || !is_word(kind) {
            return Err(invalid(
                "type",
                format!("must be one word of at most {MAX_TYPE_CHARS} letters, digits, `_` and `-`"),
            ));
        }
        Ok(())
    }

    fn render(&self) -> Result<String, Error> {
        let mut text = self.prompt.trim().to_owned();
        let notes = [("Kind of task", &self.kind), ("What it is about", &self.description)];
        for (name, note) in notes {
            if let Some(note) = note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\n\n{name}: {note}");
            }
        }
        if !self.context.is_empty() {
            let context = serde_json::to_string_pretty(&self.context)
                .map_err(|cause| Error::Internal(format!("a context cannot be written: {cause}")))?;
            if context.len() > MAX_CONTEXT_BYTES {
                return Err(invalid(
                    "context",
                    format!("must have at most {MAX_CONTEXT_BYTES} bytes"),
                ));
            }
            let _ = write!(text, "\n\nContext:\n```json\n{context}\n```");
        }
        Ok(text)
    }
}

impl Prompt {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_length(field: &str, text: &str, max_chars: usize) -> Result<(), Error> {
    match text.chars().count() > max_chars {
        true => Err(invalid(field, format!("must have at most {max_chars} characters"))),
        false => Ok(()),
    }
}

fn invalid(field: &str, reason: impl Into<String>) -> Error {
    Error::InvalidField {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: Value) -> Execute {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn everything_that_was_said_is_in_the_text() {
        let execute = request(json!({
            "type": "code_execution",
            "description": "Create a Python script to analyze logs",
            "prompt": "Write a script that parses error logs and generates a summary report",
            "context": {"project_id": 1, "log_path": "/logs/app.log"}
        }));
        let expected = "Write a script that parses error logs and generates a summary report\n\n\
            Kind of task: code_execution\n\n\
            What it is about: Create a Python script to analyze logs\n\n\
            Context:\n```json\n{\n  \"log_path\": \"/logs/app.log\",\n  \"project_id\": 1\n}\n```";
        assert_eq!(execute.to_prompt().unwrap().as_str(), expected);
        assert_eq!(
            request(json!({"prompt": " hello "})).to_prompt().unwrap().as_str(),
            "hello"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, field) in [
            (json!({"prompt": " \n"}), "prompt"),
            (json!({"prompt": "x".repeat(MAX_PROMPT_CHARS + 1)}), "prompt"),
            (json!({"prompt": "x", "type": "two words"}), "type"),
            (
                json!({"prompt": "x", "description": "x".repeat(MAX_DESCRIPTION_CHARS + 1)}),
                "description",
            ),
            (
                json!({"prompt": "x", "context": {"a": "x".repeat(MAX_CONTEXT_BYTES)}}),
                "context",
            ),
        ] {
            let error = request(body).to_prompt().unwrap_err();
            assert!(
                matches!(&error, Error::InvalidField { field: named, .. } if named == field),
                "{error}"
            );
        }
        assert!(serde_json::from_value::<Execute>(json!({"prompt": "x", "pormpt": "y"})).is_err());
    }
}
