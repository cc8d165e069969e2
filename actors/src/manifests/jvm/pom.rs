//! pom.xml. Parents and other files are not followed: a version that they set stays unknown.

use std::collections::HashMap;

use crate::manifests::{
    findings::{Ecosystem, Kind},
    licence,
    part::{Declared, Manifest, Patterns},
    syntax::Broken,
    xml::{self, Element},
};

/// A property may stand for others, which may stand for it.
const MAX_SUBSTITUTIONS: usize = 8;

/// Longer values come from properties that multiply each other.
const MAX_VALUE_BYTES: usize = 512;

pub(super) fn read(path: &str, source: &str) -> Result<Manifest, Broken> {
    let root = xml::read(source)?;
    if root.name != "project" {
        return Err(Broken::new(Some(1), "the root element is not `project`"));
    }
    let properties = properties(&root);
    let managed = managed(&root, &properties);
    let mut manifest = Manifest::new(path, Ecosystem::Maven, Some("java"));
    manifest.name = root.text(&["artifactId"]).map(str::to_owned);
    manifest.description = root
        .text(&["description"])
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    manifest.licence = root
        .text(&["licenses", "license", "name"])
        .and_then(licence::expression);
    manifest.is_package = root.text(&["packaging"]) != Some("pom");
    manifest.is_lockable = false;
    manifest.workspace = modules(&root);
    let listed = root.each(&["dependencies"], "dependency");
    manifest.dependencies = listed
        .filter_map(|element| dependency(element, &properties, &managed))
        .collect();
    manifest.hints = hints(&root);
    Ok(manifest)
}

fn modules(root: &Element) -> Option<Patterns> {
    let listed = root.each(&["modules"], "module");
    let included: Vec<String> = listed.map(|module| module.text.trim().to_owned()).collect();
    let excluded = Vec::new();
    (!included.is_empty()).then_some(Patterns { included, excluded })
}

/// Collects the plugins, and the parent, which often is a framework's.
fn hints(root: &Element) -> Vec<String> {
    let plugins = root
        .each(&["build", "plugins"], "plugin")
        .filter_map(|plugin| plugin.text(&["artifactId"]))
        .map(|id| format!("plugin:{id}"));
    let parent = root.text(&["parent", "artifactId"]).map(str::to_owned);
    plugins.chain(parent).chain(["manager:maven".to_owned()]).collect()
}

/// Collects what `${name}` stands for in this file.
fn properties(root: &Element) -> HashMap<String, String> {
    let listed = root
        .find(&["properties"])
        .map(|table| table.children.iter())
        .into_iter()
        .flatten();
    let mut found: HashMap<String, String> = listed
        .map(|element| (element.name.clone(), element.text.trim().to_owned()))
        .collect();
    for key in ["groupId", "artifactId", "version"] {
        let own = root.text(&[key]).or_else(|| root.text(&["parent", key]));
        if let Some(value) = own {
            found.insert(format!("project.{key}"), value.to_owned());
        }
        if let Some(value) = root.text(&["parent", key]) {
            found.insert(format!("project.parent.{key}"), value.to_owned());
        }
    }
    found
}

/// Collects the versions that the file sets for dependencies that name none.
fn managed(root: &Element, properties: &HashMap<String, String>) -> HashMap<String, String> {
    let listed = root.each(&["dependencyManagement", "dependencies"], "dependency");
    listed
        .filter_map(|element| {
            Some((
                coordinates(element, properties)?,
                filled(element.text(&["version"])?, properties)?,
            ))
        })
        .collect()
}

fn coordinates(element: &Element, properties: &HashMap<String, String>) -> Option<String> {
    let group = filled(element.text(&["groupId"])?, properties)?;
    let artifact = filled(element.text(&["artifactId"])?, properties)?;
    Some(format!("{group}:{artifact}"))
}

fn dependency(
    element: &Element,
    properties: &HashMap<String, String>,
    managed: &HashMap<String, String>,
) -> Option<Declared> {
    let name = coordinates(element, properties)?;
    let kind = match element.text(&["scope"]) {
        Some("test") => Kind::Dev,
        _ if element.text(&["optional"]) == Some("true") => Kind::Optional,
        _ => Kind::Runtime,
    };
    let own = element.text(&["version"]).and_then(|text| filled(text, properties));
    let mut declared = Declared::new(&name, kind);
    declared.requirement = own.or_else(|| managed.get(&name).cloned());
    declared.version = declared
        .requirement
        .clone()
        .filter(|text| super::gradle::is_exact(text));
    Some(declared)
}

/// Puts the local properties in; none when one of them is not known here.
fn filled(text: &str, properties: &HashMap<String, String>) -> Option<String> {
    let mut value = text.to_owned();
    for _ in 0..MAX_SUBSTITUTIONS {
        let Some(start) = value.find("${") else {
            return Some(value);
        };
        let end = start + value[start..].find('}')?;
        let replacement = properties.get(&value[start + 2..end])?;
        value.replace_range(start..=end, replacement);
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_that_go_round_in_circles_give_nothing() {
        let pairs = [
            ("a", "${b}"),
            ("b", "${a}"),
            ("c", "1.${d}"),
            ("d", "2"),
            ("e", "${e}${e}${e}${e}${e}${e}"),
        ];
        let properties = pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(filled("${a}", &properties), None);
        assert_eq!(filled("${e}", &properties), None);
        assert_eq!(filled("${c}", &properties), Some("1.2".to_owned()));
        assert_eq!(filled("${unknown}", &properties), None);
    }
}
