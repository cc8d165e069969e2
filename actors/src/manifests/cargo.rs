//! Rust: Cargo.toml and Cargo.lock.

mod lock;

use serde_json::Value;

use super::{
    findings::{Ecosystem, EntryKind, Kind, Source},
    licence,
    part::{Declared, Manifest, Part, Patterns, Role},
    syntax::{self, Broken},
    tree,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Manifest,
    Lock,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "Cargo.toml" => Some(Self::Manifest),
            "Cargo.lock" => Some(Self::Lock),
            _ => None,
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    match format {
        Format::Manifest => Ok(Part::Manifest(Box::new(manifest(path, &syntax::toml(source)?)))),
        Format::Lock => Ok(Part::Lock(lock::read(path, source)?)),
    }
}

fn manifest(path: &str, root: &Value) -> Manifest {
    let mut manifest = Manifest::new(path, Ecosystem::Cargo, Some("rust"));
    let own_or_shared =
        |key: &str| tree::text(root, &["package", key]).or_else(|| tree::text(root, &["workspace", "package", key]));
    manifest.name = tree::text(root, &["package", "name"]);
    manifest.description = own_or_shared("description");
    manifest.licence = own_or_shared("license").and_then(|text| licence::expression(&text));
    manifest.is_package = root.get("package").is_some();
    manifest.is_library = root.get("lib").is_some();
    for program in tree::items(root, &["bin"]) {
        if let Some(name) = tree::text(program, &["name"]) {
            manifest.add_entry(EntryKind::Program, &name, tree::text(program, &["path"]));
        }
    }
    manifest.workspace = root.get("workspace").map(|workspace| Patterns {
        included: tree::texts(workspace, &["members"]),
        excluded: tree::texts(workspace, &["exclude"]),
    });
    manifest.shared = tree::entries(root, &["workspace", "dependencies"])
        .map(|(key, value)| (key.to_owned(), dependency(key, value, Kind::Runtime)))
        .collect();
    manifest.dependencies = dependencies(root);
    manifest
}

/// Collects the dependencies for every platform.
fn dependencies(root: &Value) -> Vec<Declared> {
    let mut found = Vec::new();
    let platforms = tree::entries(root, &["target"]).map(|(_, table)| table);
    for table in std::iter::once(root).chain(platforms) {
        for (section, kind) in [
            ("dependencies", Kind::Runtime),
            ("build-dependencies", Kind::Build),
            ("build_dependencies", Kind::Build),
            ("dev-dependencies", Kind::Dev),
            ("dev_dependencies", Kind::Dev),
        ] {
            found.extend(tree::entries(table, &[section]).map(|(key, value)| dependency(key, value, kind)));
        }
    }
    found
}

fn dependency(key: &str, value: &Value, kind: Kind) -> Declared {
    let name = tree::text(value, &["package"]).unwrap_or_else(|| key.to_owned());
    let mut declared = Declared::new(&name, kind);
    declared.alias = (name != key).then(|| key.to_owned());
    declared.requirement = value
        .as_str()
        .map(str::to_owned)
        .or_else(|| tree::text(value, &["version"]));
    declared.features = tree::texts(value, &["features"]);
    if value.get("git").is_some() {
        declared.source = Source::Git;
    } else if value.get("path").is_some() {
        declared.source = Source::Path;
    }
    if tree::flag(value, &["optional"]) {
        declared.kind = Kind::Optional;
    }
    if tree::flag(value, &["workspace"]) {
        declared.role = Role::Inherited;
    }
    declared
}
