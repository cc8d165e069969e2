//! What Agent Zero is asked, as text: it reads one message, so whatever a client says besides the prompt is written there.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::NAME;
use crate::{
    Error,
    id::ProjectId,
    tasks::{Attempt, TaskRequest, USUAL_PRIORITY},
};

/// Longer prompts fill the context of every model.
const MAX_PROMPT_CHARS: usize = 200_000;
const MAX_DESCRIPTION_CHARS: usize = 10_000;
const MAX_TYPE_CHARS: usize = 100;
const MAX_CONTEXT_BYTES: usize = 100_000;
/// How much of a prompt describes its task where nothing else does.
const MAX_BEGINNING_CHARS: usize = 200;
/// The kind of tasks whose kind was not said.
const USUAL_KIND: &str = "prompt";
/// What names a project in a context.
const PROJECT_KEY: &str = "project_id";

/// A request for work, as clients send it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execute {
    /// What kind of work it is, such as `code_execution`.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]+$"), length(max = MAX_TYPE_CHARS))]
    pub kind: Option<String>,
    /// What it is about.
    #[schemars(length(max = MAX_DESCRIPTION_CHARS))]
    pub description: Option<String>,
    /// What is to be done.
    #[schemars(regex(pattern = r"\S"), length(max = MAX_PROMPT_CHARS))]
    pub prompt: String,
    /// What else is to be known; `project_id` in it names the project.
    #[serde(default)]
    #[schemars(extend("properties" = json!({"project_id": {"type": ["integer", "null"], "minimum": 1}})))]
    pub context: Map<String, Value>,
}

/// What the input data of a task has that was made of such a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    prompt: String,
    #[serde(default)]
    context: Map<String, Value>,
}

impl Execute {
    /// Checks the request and makes it a task, for the project that its context names if it does.
    ///
    /// # Errors
    /// Names the field that is empty, too long, or no id.
    pub fn into_task(self, idempotency_key: Option<String>) -> Result<TaskRequest, Error> {
        self.check()?;
        let project_id = self.project_id()?;
        let mut input_data = json!({"prompt": self.prompt});
        if !self.context.is_empty() {
            input_data["context"] = Value::Object(self.context);
        }
        Ok(TaskRequest {
            project_id,
            agent_type: NAME.to_owned(),
            task_type: self.kind.unwrap_or_else(|| USUAL_KIND.to_owned()),
            description: match self.description.filter(|text| !text.trim().is_empty()) {
                Some(description) => description,
                None => beginning(&self.prompt),
            },
            priority: USUAL_PRIORITY,
            input_data,
            run_at: None,
            max_attempts: None,
            timeout_s: None,
            unique_key: None,
            idempotency_key,
        })
    }

    fn check(&self) -> Result<(), Error> {
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
        match pretty(&self.context).len() > MAX_CONTEXT_BYTES {
            true => Err(invalid(
                "context",
                format!("must have at most {MAX_CONTEXT_BYTES} bytes"),
            )),
            false => Ok(()),
        }
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

    fn project_id(&self) -> Result<Option<ProjectId>, Error> {
        match self.context.get(PROJECT_KEY) {
            None | Some(Value::Null) => Ok(None),
            Some(id) => match id.as_i64() {
                Some(id @ 1..) => Ok(Some(ProjectId(id))),
                _ => Err(invalid("context.project_id", "must be a positive whole number")),
            },
        }
    }
}

/// Writes the text for an attempt at a task, whether it was made of such a request or not.
pub(super) fn of(attempt: &Attempt) -> String {
    let mut text = match Given::deserialize(&attempt.input_data) {
        Ok(given) => render(attempt, &given),
        Err(_) => attempt.prompt(),
    };
    if let Some(project) = &attempt.project {
        note(
            &mut text,
            "Directory of the project",
            &project.directory.to_string_lossy(),
        );
    }
    text
}

fn render(attempt: &Attempt, given: &Given) -> String {
    let mut text = given.prompt.trim().to_owned();
    if attempt.task_type != USUAL_KIND {
        note(&mut text, "Kind of task", &attempt.task_type);
    }
    let description = attempt.description.trim();
    if !text.starts_with(description) {
        note(&mut text, "What it is about", description);
    }
    if !given.context.is_empty() {
        text.push_str(&format!("\n\nContext:\n```json\n{}\n```", pretty(&given.context)));
    }
    text
}

fn note(text: &mut String, name: &str, note: &str) {
    text.push_str(&format!("\n\n{name}: {note}"));
}

fn pretty(context: &Map<String, Value>) -> String {
    format!("{:#}", Value::Object(context.clone()))
}

/// Describes a task by how its prompt begins.
fn beginning(prompt: &str) -> String {
    let line = prompt.trim().lines().next().unwrap_or_default();
    line.chars().take(MAX_BEGINNING_CHARS).collect()
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
    use super::*;
    use crate::{id::TaskId, tasks::Project};

    fn request(body: Value) -> Execute {
        serde_json::from_value(body).unwrap()
    }

    /// Returns the text that an attempt at the task of this request is given.
    fn text(body: Value) -> String {
        let task = request(body).into_task(None).unwrap();
        of(&attempt(&task.task_type, &task.description, task.input_data))
    }

    fn attempt(task_type: &str, description: &str, input_data: Value) -> Attempt {
        Attempt {
            key: "key".to_owned(),
            task: TaskId(1),
            number: 1,
            project: Some(Project {
                id: ProjectId(1),
                directory: "/projects/mine".into(),
            }),
            task_type: task_type.to_owned(),
            description: description.to_owned(),
            input_data,
        }
    }

    #[test]
    fn everything_that_was_said_is_in_the_text() {
        let documented = json!({
            "type": "code_execution",
            "description": "Create a Python script to analyze logs",
            "prompt": "Write a script that parses error logs and generates a summary report",
            "context": {"project_id": 1, "log_path": "/logs/app.log"}
        });
        let task = request(documented.clone()).into_task(None).unwrap();
        assert_eq!(task.project_id, Some(ProjectId(1)));
        let expected = "Write a script that parses error logs and generates a summary report\n\n\
            Kind of task: code_execution\n\n\
            What it is about: Create a Python script to analyze logs\n\n\
            Context:\n```json\n{\n  \"log_path\": \"/logs/app.log\",\n  \"project_id\": 1\n}\n```\n\n\
            Directory of the project: /projects/mine";
        assert_eq!(text(documented), expected);
        let place = "Directory of the project: /projects/mine";
        assert_eq!(
            text(json!({"prompt": " hello\nyou "})),
            format!("hello\nyou\n\n{place}")
        );
        let other = of(&attempt("two words", "do it", json!({"prompt": "x", "level": 5})));
        assert!(
            other.starts_with("do it\n\nInput data:\n{") && other.ends_with(place),
            "{other}"
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
            (
                json!({"prompt": "x", "context": {"project_id": "1"}}),
                "context.project_id",
            ),
            (
                json!({"prompt": "x", "context": {"project_id": 0}}),
                "context.project_id",
            ),
        ] {
            let error = request(body).into_task(None).unwrap_err();
            assert!(
                matches!(&error, Error::InvalidField { field: named, .. } if named == field),
                "{error}"
            );
        }
        assert!(serde_json::from_value::<Execute>(json!({"prompt": "x", "pormpt": "y"})).is_err());
    }
}
