//! What a request may have in its path, its query and its headers.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::query::{DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT_CHARS, Names};

/// Texts without control characters.
const TEXT_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]+$";

/// One parameter.
#[derive(Clone)]
pub(super) struct Parameter {
    name: &'static str,
    place: &'static str,
    description: &'static str,
    schema: Value,
    is_required: bool,
}

impl Parameter {
    fn query(name: &'static str, description: &'static str, schema: Value) -> Self {
        Self {
            name,
            place: "query",
            description,
            schema,
            is_required: false,
        }
    }

    /// A header.
    pub(super) fn header(name: &'static str, description: &'static str, schema: Value) -> Self {
        Self {
            place: "header",
            ..Self::query(name, description, schema)
        }
    }

    /// A text.
    pub(super) fn text(name: &'static str, description: &'static str) -> Self {
        let schema = json!({"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS, "pattern": TEXT_PATTERN});
        Self::query(name, description, schema)
    }

    /// A text of a type of ours, which knows its own schema.
    pub(super) fn of<T: JsonSchema>(name: &'static str, description: &'static str) -> Self {
        Self::query(
            name,
            description,
            SchemaGenerator::default().subschema_for::<T>().to_value(),
        )
    }

    /// `true` or `false`.
    pub(super) fn flag(name: &'static str, description: &'static str) -> Self {
        Self::query(name, description, json!({"type": "boolean"}))
    }

    /// The id of something.
    pub(super) fn id(name: &'static str, description: &'static str) -> Self {
        Self::query(name, description, id())
    }

    /// A whole number within bounds, with what counts when it is not given.
    pub(super) fn number(name: &'static str, description: &'static str, min: u64, max: u64, default: u64) -> Self {
        let schema = json!({"type": "integer", "minimum": min, "maximum": max, "default": default});
        Self::query(name, description, schema)
    }

    /// A point in time.
    pub(super) fn time(name: &'static str, description: &'static str) -> Self {
        Self::query(name, description, json!({"type": "string", "format": "date-time"}))
    }

    /// One of the words that the route reads.
    pub(super) fn choice<T>(name: &'static str, description: &'static str, choices: &[(&'static str, T)]) -> Self {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        Self::query(name, description, json!({"type": "string", "enum": words}))
    }

    /// What every list takes.
    pub(super) fn page() -> [Self; 2] {
        [
            Self::number("limit", "How many at most.", 1, MAX_LIMIT, DEFAULT_LIMIT),
            Self::query(
                "offset",
                "How many are passed over. Whoever names it is answered with the envelope.",
                json!({"type": "integer", "minimum": 0, "maximum": i64::MAX}),
            ),
        ]
    }

    /// The fields of its rows that a list is to have.
    pub(super) fn fields<T: JsonSchema>() -> Self {
        let names = Names::of::<T>();
        let names: Vec<&str> = names.iter().collect();
        let schema = json!({"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1});
        Self::query(
            "fields",
            "The only fields that are wanted, separated by commas.",
            schema,
        )
    }

    /// A part of a path, as the route table names it.
    pub(super) fn of_path(name: &str) -> Option<Self> {
        let (name, description, schema) = match name {
            "id" => ("id", "Its id.", id()),
            "delivery" => ("delivery", "The id of the message.", id()),
            "path" => (
                "path",
                "Its place in the tree, such as `deployment/1`; each `/` as it is or as `%2F`.",
                json!({"type": "string", "pattern": "^[A-Za-z0-9/._-]+$", "maxLength": 200, "examples": ["event-bus"]}),
            ),
            "file" => (
                "file",
                "Its path below the root; each `/` as it is or as `%2F`.",
                json!({"type": "string", "minLength": 1, "examples": ["README.md"]}),
            ),
            "agent" => ("agent", "Its name.", json!({"type": "string", "minLength": 1})),
            _ => return None,
        };
        Some(Self {
            place: "path",
            is_required: true,
            ..Self::query(name, description, schema)
        })
    }

    /// The request needs it.
    pub(super) fn required(self) -> Self {
        Self {
            is_required: true,
            ..self
        }
    }

    /// The text has at most so many characters.
    pub(super) fn at_most(mut self, max_chars: usize) -> Self {
        self.schema["maxLength"] = json!(max_chars);
        self
    }

    /// An example of it.
    pub(super) fn example(mut self, example: &str) -> Self {
        self.schema["examples"] = json!([example]);
        self
    }

    pub(super) fn render(&self) -> Value {
        let mut parameter = json!({
            "name": self.name,
            "in": self.place,
            "description": self.description,
            "required": self.is_required,
            "schema": self.schema,
        });
        if self.schema["type"] == "array" {
            // One text with commas, where the default would be the parameter once for each entry.
            parameter["explode"] = Value::Bool(false);
        }
        parameter
    }
}

fn id() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX})
}
