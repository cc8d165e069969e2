//! The schemas of what is sent and answered, made from the types themselves.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::COMPONENTS;

/// What may be left out and must not be `null` has no default: leaving it out is what changes nothing.
fn without_empty_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// Collects schemas. A type that is read has another schema than one that is written, even if it is the same type: what
/// may be left out differs.
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
    /// Rows that have only the fields that were asked for.
    cut_down: Map<String, Value>,
}

/// Makes or names the schema of a type that the function was made for.
pub(super) type Maker = fn(&mut Schemas) -> Value;

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = format!("{COMPONENTS}/schemas").into();
            settings.meta_schema = None;
        });
        let settings = settings.with_transform(RecursiveTransform(without_empty_default));
        Self {
            read: settings.clone().for_deserialize().into_generator(),
            written: settings.for_serialize().into_generator(),
            cut_down: Map::new(),
        }
    }

    /// Returns the schema of what clients send.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Returns the schema of what they are answered.
    pub(super) fn answer<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    /// Returns the schema of a list: a bare array, or the envelope for those who page.
    pub(super) fn list<T: JsonSchema>(&mut self) -> Value {
        let row = self.answer::<T>();
        self.list_of(row)
    }

    /// Returns the schema of a list whose rows have only the fields that were asked for.
    pub(super) fn list_of_fields<T: JsonSchema>(&mut self) -> Value {
        // For what its fields refer to.
        self.answer::<T>();
        let mut row = self.written.clone().into_root_schema_for::<T>();
        for key in ["required", "components"] {
            row.remove(key);
        }
        let name = format!("{}Fields", T::schema_name());
        let reference = format!("{COMPONENTS}/schemas/{name}");
        self.cut_down.insert(name, row.to_value());
        self.list_of(json!({"$ref": reference}))
    }

    fn list_of(&mut self, row: Value) -> Value {
        let rows = json!({"type": "array", "items": row});
        let envelope = json!({
            "type": "object",
            "required": ["data", "pagination"],
            "properties": {"data": rows, "pagination": self.answer::<crate::reply::Pagination>()},
        });
        json!({"anyOf": [rows, envelope]})
    }

    /// Returns what the schemas refer to, by name.
    pub(super) fn into_components(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        for (name, schema) in self.written.take_definitions(true) {
            debug_assert!(
                all.get(&name).is_none_or(|other| *other == schema),
                "two types are called {name}"
            );
            all.insert(name, schema);
        }
        all.extend(self.cut_down);
        all
    }
}
