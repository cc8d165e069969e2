//! JSON text as a tree, with two rules of our own: a field given twice is refused at every level, and a number such as
//! `1.0` is the integer that JSON Schema says it is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, error::Category};
use warp::http::StatusCode;

use super::fault;
use crate::problem::Problem;

/// Up to here every integer has its own floating point number.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads the whole text.
///
/// # Errors
/// `INVALID_JSON` with line and column, or `INVALID_FIELD` for a field that is given twice.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let tree = serde_path_to_error::deserialize::<_, Tree>(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        match cause.classify() {
            Category::Data => fault::explain(&path, &cause.to_string()),
            _ => invalid_json(&cause),
        }
    })?;
    deserializer.end().map_err(|cause| invalid_json(&cause))?;
    Ok(tree.0)
}

fn invalid_json(cause: &serde_json::Error) -> Problem {
    let message = format!("the body is not JSON: {cause}");
    Problem::new(StatusCode::BAD_REQUEST, "INVALID_JSON", message)
}

struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Self)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() <= MAX_EXACT {
            return Ok(Value::from(value as i64));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("must be a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Tree(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if values.contains_key(&name) {
                return Err(A::Error::custom(format_args!("{}`{name}`", fault::DUPLICATE)));
            }
            let Tree(value) = fields.next_value()?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}
