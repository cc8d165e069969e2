//! JSON Schemas of what tools take.

use serde_json::{Map, Value, json};

use super::{Kind, Parameter};

/// Describes an object with these parameters and no others.
pub(super) fn of(parameters: &[Parameter]) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    let properties: Map<String, Value> = parameters.iter().map(property).collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    let required: Vec<&str> = parameters.iter().filter(|p| p.is_required).map(|p| p.name).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn property(parameter: &Parameter) -> (String, Value) {
    let mut property = match parameter.kind {
        Kind::Id => json!({"type": "integer", "minimum": 1}),
        Kind::Number { min, max: i64::MAX } => json!({"type": "integer", "minimum": min}),
        Kind::Number { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Text { max_chars } => json!({"type": "string", "minLength": 1, "maxLength": max_chars}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        Kind::Object => json!({"type": "object"}),
    };
    property["description"] = json!(parameter.description);
    (parameter.name.to_owned(), property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_names_what_is_needed_and_nothing_else() {
        let schema = of(&[
            Parameter::path("project_id", "{id}", Kind::Id, "which"),
            Parameter::query("class", Kind::Choice(&["test"]), "what for"),
        ]);
        let expected = json!({
            "type": "object",
            "properties": {
                "project_id": {"type": "integer", "minimum": 1, "description": "which"},
                "class": {"type": "string", "enum": ["test"], "description": "what for"},
            },
            "required": ["project_id"],
            "additionalProperties": false,
        });
        assert_eq!(Value::Object(schema), expected);
    }
}
