//! Gradle's version catalogues: `gradle/libs.versions.toml`.

use serde_json::Value;

use super::gradle::is_exact;
use crate::manifests::{
    findings::{Ecosystem, Kind},
    part::{Declared, Manifest},
    syntax::{self, Broken},
    tree,
};

pub(super) fn read(path: &str, source: &str) -> Result<Manifest, Broken> {
    let root: Value = syntax::toml(source)?;
    let mut manifest = Manifest::new(path, Ecosystem::Maven, None);
    manifest.is_package = false;
    manifest.is_lockable = false;
    manifest.dependencies = tree::entries(&root, &["libraries"])
        .filter_map(|(_, entry)| library(&root, entry))
        .collect();
    manifest.hints = tree::entries(&root, &["plugins"])
        .filter_map(|(_, entry)| tree::text(entry, &["id"]).or_else(|| entry.as_str().map(str::to_owned)))
        .map(|text| format!("plugin:{}", text.split(':').next().unwrap_or_default()))
        .collect();
    Ok(manifest)
}

/// Reads `"group:artifact:version"` or a table; what a library is for is only said where it is used.
fn library(root: &Value, entry: &Value) -> Option<Declared> {
    if let Some(text) = entry.as_str() {
        let (group, rest) = text.split_once(':')?;
        let (artifact, version) = rest.split_once(':')?;
        return Some(declared(&format!("{group}:{artifact}"), Some(version.to_owned())));
    }
    let name = tree::text(entry, &["module"]).or_else(|| {
        Some(format!(
            "{}:{}",
            tree::text(entry, &["group"])?,
            tree::text(entry, &["name"])?
        ))
    })?;
    let referred =
        tree::text(entry, &["version", "ref"]).and_then(|key| plain_version(tree::at(root, &["versions", &key])?));
    Some(declared(
        &name,
        tree::at(entry, &["version"]).and_then(plain_version).or(referred),
    ))
}

/// Reads `"1.0"` or a table of rules, of which the strictest is taken.
fn plain_version(value: &Value) -> Option<String> {
    let rule = |key: &str| tree::text(value, &[key]);
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| rule("strictly"))
        .or_else(|| rule("require"))
        .or_else(|| rule("prefer"))
}

fn declared(name: &str, requirement: Option<String>) -> Declared {
    let mut declared = Declared::new(name, Kind::Runtime);
    declared.version = requirement.clone().filter(|text| is_exact(text));
    declared.requirement = requirement;
    declared
}
