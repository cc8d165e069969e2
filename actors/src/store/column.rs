//! Between columns and values.

use sea_orm::JsonValue;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, seal::Sealed};

/// Reads a value from its text or number.
pub(super) fn parsed<T, Stored: TryInto<T>>(column: &'static str, stored: Stored) -> Result<T, Error> {
    stored.try_into().map_err(|_| unreadable(column))
}

/// Reads a value from its text or number, where there is one.
pub(super) fn parsed_opt<T, Stored: TryInto<T>>(
    column: &'static str,
    stored: Option<Stored>,
) -> Result<Option<T>, Error> {
    stored.map(|stored| parsed(column, stored)).transpose()
}

/// Reads a value from its JSON.
pub(super) fn from_json<T: DeserializeOwned>(column: &'static str, json: JsonValue) -> Result<T, Error> {
    serde_json::from_value(json).map_err(|_| unreadable(column))
}

/// Writes a value as JSON.
pub(super) fn to_json<T: Serialize>(column: &'static str, value: &T) -> Result<JsonValue, Error> {
    serde_json::to_value(value).map_err(|_| Error::Internal(format!("column `{column}` cannot hold this value")))
}

/// Reads a sealed environment.
pub(super) fn sealed(column: &'static str, json: JsonValue) -> Result<Sealed, Error> {
    match json {
        JsonValue::String(text) => Ok(Sealed::from_column(text)),
        _ => Err(unreadable(column)),
    }
}

/// Writes a sealed environment.
pub(super) fn to_sealed(sealed: &Sealed) -> JsonValue {
    JsonValue::String(sealed.as_str().to_owned())
}

/// The cause is left out, for it would repeat what the column holds, which may be a secret.
fn unreadable(column: &'static str) -> Error {
    Error::Internal(format!("column `{column}` holds what this program cannot read"))
}

/// Replaces NUL characters, which come with the output of programs and which PostgreSQL cannot store.
pub(super) fn storable(text: String) -> String {
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text,
    }
}

/// Replaces NUL characters in every text of a JSON value. Its depth is bounded by the parser that made it.
pub(super) fn storable_json(json: JsonValue) -> JsonValue {
    match json {
        JsonValue::String(text) => JsonValue::String(storable(text)),
        JsonValue::Array(items) => items.into_iter().map(storable_json).collect(),
        JsonValue::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (storable(name), storable_json(value)))
            .collect(),
        scalar => scalar,
    }
}
