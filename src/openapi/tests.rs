use std::collections::BTreeSet;

use super::*;

/// Every place in the document that refers to another.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_endpoint_is_described_once_and_nothing_else_is() {
    let described: Vec<&str> = TAGS
        .iter()
        .flat_map(|(_, _, operations)| operations())
        .map(|one| one.name)
        .collect();
    let unique: BTreeSet<&str> = described.iter().copied().collect();
    assert_eq!(unique.len(), described.len(), "an operation is described twice");
    let served: BTreeSet<&str> = TABLE.iter().map(|endpoint| endpoint.name).collect();
    assert_eq!(unique, served, "the route table and the descriptions differ");
}

#[test]
fn whatever_is_referred_to_is_there() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 30, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn operations_have_names_of_their_own_and_every_part_of_a_path_is_described() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{path}");
            let parameters = operation["parameters"].as_array().unwrap();
            let num_in_path = parameters.iter().filter(|one| one["in"] == "path").count();
            assert_eq!(num_in_path, path.matches('{').count(), "{path}");
        }
    }
    assert_eq!(names.len(), TABLE.len());
}
