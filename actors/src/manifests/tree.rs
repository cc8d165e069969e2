//! Looks into a parsed manifest. People write manifests by hand, so a value of another type than expected is passed
//! over: the package manager is who judges it.

use serde_json::Value;

/// Returns the value below nested keys.
pub(super) fn at<'tree>(root: &'tree Value, keys: &[&str]) -> Option<&'tree Value> {
    keys.iter().try_fold(root, |node, key| node.get(key))
}

/// Returns the text below nested keys, unless it is blank.
pub(super) fn text(root: &Value, keys: &[&str]) -> Option<String> {
    let trimmed = at(root, keys)?.as_str()?.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Returns whether the value below nested keys is `true`.
pub(super) fn flag(root: &Value, keys: &[&str]) -> bool {
    at(root, keys).and_then(Value::as_bool).unwrap_or(false)
}

/// Iterates over the entries of the table below nested keys.
pub(super) fn entries<'tree>(
    root: &'tree Value,
    keys: &[&str],
) -> impl Iterator<Item = (&'tree str, &'tree Value)> + use<'tree> {
    let table = at(root, keys).and_then(Value::as_object);
    table.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// Iterates over the list below nested keys.
pub(super) fn items<'tree>(root: &'tree Value, keys: &[&str]) -> impl Iterator<Item = &'tree Value> + use<'tree> {
    at(root, keys).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the texts of the list below nested keys.
pub(super) fn texts(root: &Value, keys: &[&str]) -> Vec<String> {
    items(root, keys).filter_map(Value::as_str).map(str::to_owned).collect()
}
