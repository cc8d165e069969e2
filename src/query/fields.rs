//! Which fields of its rows a client wants: a list of hundreds of projects is a hundredth of the size without what a table
//! does not show.

use std::{convert::Infallible, sync::Arc};

use borgos_actors::Error;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value};
use warp::Filter;

use super::{Query, invalid};

/// The fields that every row of a list has. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Names(Arc<[String]>);

/// Fields by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Vec<String>);

impl Names {
    /// Reads them from the type of the rows.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let schema = generator.into_root_schema_for::<T>();
        let names = schema.get("required").and_then(Value::as_array);
        let names = names.into_iter().flatten().filter_map(Value::as_str);
        Self(names.map(str::to_owned).collect())
    }

    /// Returns them in the order of the type.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Finds them once, and hands them to every request.
    pub(crate) fn filter<T: JsonSchema>() -> impl Filter<Extract = (Self,), Error = Infallible> + Clone {
        let names = Self::of::<T>();
        warp::any().map(move || names.clone())
    }
}

impl Fields {
    /// Returns a row with these fields only.
    ///
    /// # Errors
    /// Fails when a row cannot be written as an object, which is a defect.
    pub fn of(&self, row: &impl Serialize) -> Result<Map<String, Value>, Error> {
        match serde_json::to_value(row) {
            Ok(Value::Object(mut fields)) => {
                fields.retain(|name, _| self.0.contains(name));
                Ok(fields)
            }
            other => Err(Error::Internal(format!("a row is no object: {other:?}"))),
        }
    }
}

impl Query {
    /// Returns the fields that `fields` names, separated by commas.
    ///
    /// # Errors
    /// Names the known ones when there is another one among them.
    pub fn fields(&self, known: &Names) -> Result<Option<Fields>, Error> {
        let Some(text) = self.text("fields")? else {
            return Ok(None);
        };
        let find = |name: &str| known.iter().find(|known| *known == name).map(str::to_owned);
        let wanted: Option<Vec<String>> = text.split(',').map(find).collect();
        let wanted = wanted.ok_or_else(|| {
            let words: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            invalid(
                "fields",
                format!("must be some of {}, separated by commas", words.join(", ")),
            )
        })?;
        Ok(Some(Fields(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Row {
        id: i64,
        name: Option<String>,
        path: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<String>,
    }

    fn fields(raw: &str) -> Result<Option<Fields>, Error> {
        let query = Query::parse("/list", raw, &["fields"]).unwrap();
        query.fields(&Names::of::<Row>())
    }

    #[test]
    fn only_what_is_named_is_left() {
        let wanted = fields("fields=name,id").unwrap().unwrap();
        let row = Row {
            id: 1,
            name: None,
            path: "/a",
            details: None,
        };
        assert_eq!(Value::Object(wanted.of(&row).unwrap()), json!({"id": 1, "name": null}));
        assert_eq!(fields("").unwrap(), None);
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_known_ones() {
        for bad in [
            "fields=nam",
            "fields=id,",
            "fields=ID",
            "fields=id,%20name",
            "fields=details",
        ] {
            let refused = fields(bad).unwrap_err().to_string();
            assert_eq!(
                refused, "`fields` must be some of `id`, `name`, `path`, separated by commas",
                "{bad}"
            );
        }
    }
}
