//! Which fields of its rows a client wants: a list of hundreds of projects is a hundredth of the size without what a table
//! does not show.

use borgos_actors::Error;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Query, invalid};

/// Fields by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(Vec<&'static str>);

impl Fields {
    /// Returns a row with these fields only.
    ///
    /// # Errors
    /// Fails when a row cannot be written as an object, which is a defect.
    pub fn of(&self, row: &impl Serialize) -> Result<Map<String, Value>, Error> {
        match serde_json::to_value(row) {
            Ok(Value::Object(mut fields)) => {
                fields.retain(|name, _| self.0.contains(&name.as_str()));
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
    pub fn fields(&self, known: &[&'static str]) -> Result<Option<Fields>, Error> {
        let Some(text) = self.text("fields")? else {
            return Ok(None);
        };
        let find = |name: &str| known.iter().find(|known| **known == name).copied();
        let wanted: Option<Vec<&'static str>> = text.split(',').map(find).collect();
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

    fn fields(raw: &str) -> Result<Option<Fields>, Error> {
        let query = Query::parse("/list", raw, &["fields"]).unwrap();
        query.fields(&["id", "name", "path"])
    }

    #[test]
    fn only_what_is_named_is_left() {
        let wanted = fields("fields=name,id").unwrap().unwrap();
        let row = json!({"id": 1, "name": "a", "path": "/a"});
        assert_eq!(Value::Object(wanted.of(&row).unwrap()), json!({"id": 1, "name": "a"}));
        assert_eq!(fields("").unwrap(), None);
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_known_ones() {
        for bad in ["fields=nam", "fields=id,", "fields=ID", "fields=id,%20name"] {
            let refused = fields(bad).unwrap_err().to_string();
            assert_eq!(
                refused, "`fields` must be some of `id`, `name`, `path`, separated by commas",
                "{bad}"
            );
        }
    }
}
