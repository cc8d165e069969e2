//! pyproject.toml: the standard tables, and those of Poetry, uv and PDM.

use serde_json::Value;

use super::{normalised, requirement};
use crate::manifests::{
    findings::{Ecosystem, EntryKind, Kind, Source},
    licence,
    part::{Declared, Manifest, Patterns},
    syntax::{self, Broken},
    tree,
};

/// What libraries say of themselves, in contrast to programs that are installed the same way.
const LIBRARY_TOPIC: &str = "Topic :: Software Development :: Libraries";

pub(super) fn read(path: &str, source: &str) -> Result<Manifest, Broken> {
    let root: Value = syntax::toml(source)?;
    let mut manifest = Manifest::new(path, Ecosystem::Pypi, Some("python"));
    let classifiers = tree::texts(&root, &["project", "classifiers"]);
    let either =
        |key: &str| tree::text(&root, &["project", key]).or_else(|| tree::text(&root, &["tool", "poetry", key]));
    manifest.name = either("name");
    manifest.description = either("description");
    manifest.licence = either("license")
        .or_else(|| tree::text(&root, &["project", "license", "text"]))
        .and_then(|text| licence::expression(&text))
        .or_else(|| licence::from_classifiers(&classifiers));
    manifest.is_package = manifest.name.is_some();
    manifest.is_installable = manifest.is_package && root.get("build-system").is_some();
    manifest.is_library = classifiers.iter().any(|text| text.starts_with(LIBRARY_TOPIC));
    // Without a name it only configures tools, and nothing would be locked.
    manifest.is_lockable = manifest.is_package || tree::at(&root, &["tool", "poetry"]).is_some();
    manifest.hints = tree::entries(&root, &["tool"])
        .map(|(tool, _)| tool.to_owned())
        .collect();
    manifest.workspace = tree::at(&root, &["tool", "uv", "workspace"]).map(|workspace| Patterns {
        included: tree::texts(workspace, &["members"]),
        excluded: tree::texts(workspace, &["exclude"]),
    });
    add_dependencies(&mut manifest.dependencies, &root);
    add_poetry(&mut manifest.dependencies, &root);
    relocate(&mut manifest.dependencies, &root);
    add_scripts(&mut manifest, &root);
    Ok(manifest)
}

fn add_dependencies(found: &mut Vec<Declared>, root: &Value) {
    add_list(found, tree::items(root, &["project", "dependencies"]), Kind::Runtime);
    for (_, group) in tree::entries(root, &["project", "optional-dependencies"]) {
        add_list(found, group.as_array().into_iter().flatten(), Kind::Optional);
    }
    add_list(found, tree::items(root, &["build-system", "requires"]), Kind::Build);
    for groups in [&["dependency-groups"][..], &["tool", "pdm", "dev-dependencies"]] {
        for (_, group) in tree::entries(root, groups) {
            add_list(found, group.as_array().into_iter().flatten(), Kind::Dev);
        }
    }
    add_list(found, tree::items(root, &["tool", "uv", "dev-dependencies"]), Kind::Dev);
}

/// Adds the texts of a list; a group may also include another one by a table, which is listed itself.
fn add_list<'tree>(found: &mut Vec<Declared>, list: impl Iterator<Item = &'tree Value>, kind: Kind) {
    found.extend(
        list.filter_map(Value::as_str)
            .filter_map(|text| requirement::read(text, kind)),
    );
}

fn add_poetry(found: &mut Vec<Declared>, root: &Value) {
    let poetry = |key: &'static str| tree::entries(root, &["tool", "poetry", key]);
    found.extend(poetry("dependencies").filter_map(|(name, value)| table_entry(name, value, Kind::Runtime)));
    found.extend(poetry("dev-dependencies").filter_map(|(name, value)| table_entry(name, value, Kind::Dev)));
    for (group, table) in poetry("group") {
        let kind = if group == "main" { Kind::Runtime } else { Kind::Dev };
        let members = tree::entries(table, &["dependencies"]);
        found.extend(members.filter_map(|(name, value)| table_entry(name, value, kind)));
    }
}

/// Reads `name = "^1.0"` or `name = { version = "^1.0", extras = [..] }`, as Poetry and Pipenv write it.
pub(super) fn table_entry(name: &str, value: &Value, kind: Kind) -> Option<Declared> {
    if name == "python" {
        return None;
    }
    // A list has one table per platform; the first says what the package is.
    let entry = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    let mut declared = Declared::new(&normalised(name), kind);
    declared.requirement = entry
        .as_str()
        .map(str::to_owned)
        .or_else(|| tree::text(entry, &["version"]))
        .filter(|text| text != "*");
    declared.version = declared.requirement.as_deref().and_then(requirement::exact);
    declared.features = tree::texts(entry, &["extras"]);
    declared.source = source_of(entry);
    if tree::flag(entry, &["optional"]) {
        declared.kind = Kind::Optional;
    }
    Some(declared)
}

fn source_of(entry: &Value) -> Source {
    let has = |key: &str| entry.get(key).is_some();
    if has("git") || has("hg") || has("svn") {
        Source::Git
    } else if has("path") || tree::flag(entry, &["workspace"]) {
        Source::Path
    } else if has("url") || has("file") {
        Source::Url
    } else {
        Source::Registry
    }
}

/// Applies the table in which uv says where packages come from.
fn relocate(found: &mut [Declared], root: &Value) {
    for (name, value) in tree::entries(root, &["tool", "uv", "sources"]) {
        let entry = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let wanted = normalised(name);
        for declared in found.iter_mut().filter(|declared| declared.name == wanted) {
            declared.source = source_of(entry);
        }
    }
}

fn add_scripts(manifest: &mut Manifest, root: &Value) {
    for keys in [
        &["project", "scripts"][..],
        &["project", "gui-scripts"],
        &["tool", "poetry", "scripts"],
    ] {
        for (name, value) in tree::entries(root, keys) {
            manifest.add_entry(EntryKind::Program, name, value.as_str().map(str::to_owned));
        }
    }
}
