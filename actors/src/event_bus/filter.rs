//! Filters of a subscription: flat equality on keys of an event's data.

use serde_json::{Map, Value};

/// Lets an event through if every key of the filter has that value in the event's data. An empty one lets all through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(Map<String, Value>);

/// Why something is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// Comparing whole objects would depend on details of the events that may change.
    #[error("the filter's `{0}` must be a text, a number, a boolean or null")]
    NotFlat(String),
    /// Every key costs time for each event.
    #[error("a filter has at most {} keys", Filter::MAX_KEYS)]
    TooManyKeys,
}

impl Filter {
    /// A filter has no more keys than that.
    pub const MAX_KEYS: usize = 8;

    /// Says whether an event with this data passes.
    pub fn passes(&self, data: &Value) -> bool {
        self.0
            .iter()
            .all(|(key, wanted)| data.get(key).unwrap_or(&Value::Null) == wanted)
    }
}

impl TryFrom<Map<String, Value>> for Filter {
    type Error = InvalidFilter;

    fn try_from(keys: Map<String, Value>) -> Result<Self, Self::Error> {
        if keys.len() > Self::MAX_KEYS {
            return Err(InvalidFilter::TooManyKeys);
        }
        match keys.iter().find(|(_, value)| value.is_object() || value.is_array()) {
            Some((key, _)) => Err(InvalidFilter::NotFlat(key.clone())),
            None => Ok(Self(keys)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(value: Value) -> Result<Filter, InvalidFilter> {
        Filter::try_from(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn every_key_must_be_equal() {
        let filter = filter(json!({"project_id": 1, "severity": "critical"})).unwrap();
        assert!(filter.passes(&json!({"project_id": 1, "severity": "critical", "message": "x"})));
        assert!(!filter.passes(&json!({"project_id": 1, "severity": "low"})));
        assert!(!filter.passes(&json!({"project_id": "1", "severity": "critical"})));
        assert!(!filter.passes(&json!({"severity": "critical"})));
        assert!(!filter.passes(&json!("text")));
    }

    #[test]
    fn an_empty_filter_passes_all_and_null_matches_what_is_absent() {
        assert!(Filter::default().passes(&json!(null)));
        assert!(filter(json!({"project_id": null})).unwrap().passes(&json!({"id": 1})));
    }

    #[test]
    fn nested_and_many_keys_are_refused() {
        assert_eq!(
            filter(json!({"a": {"b": 1}})),
            Err(InvalidFilter::NotFlat("a".to_owned()))
        );
        assert_eq!(filter(json!({"a": [1]})), Err(InvalidFilter::NotFlat("a".to_owned())));
        let many: Map<String, Value> = (0..9).map(|key| (key.to_string(), json!(key))).collect();
        assert_eq!(Filter::try_from(many), Err(InvalidFilter::TooManyKeys));
    }
}
