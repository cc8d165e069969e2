//! package.json.

use serde_json::Value;

use crate::manifests::{
    findings::{Ecosystem, EntryKind, Kind},
    licence,
    part::{Declared, Manifest, Patterns, Role},
    syntax::{self, Broken},
    tree,
};

/// Keys of a package that other packages import. `main` is none of them: `npm init` writes it for every package.
const LIBRARY_KEYS: &[&str] = &[
    "module",
    "exports",
    "types",
    "typings",
    "files",
    "publishConfig",
    "peerDependencies",
];

pub(super) fn read(path: &str, source: &str) -> Result<Manifest, Broken> {
    let root: Value = syntax::json(source)?;
    if !root.is_object() {
        return Err(Broken::new(Some(1), "is not an object"));
    }
    let mut manifest = Manifest::new(path, Ecosystem::Npm, Some("javascript"));
    manifest.name = tree::text(&root, &["name"]);
    manifest.description = tree::text(&root, &["description"]);
    manifest.licence = tree::text(&root, &["license"])
        .or_else(|| tree::text(&root, &["license", "type"]))
        .and_then(|text| licence::expression(&text));
    let is_public = !tree::flag(&root, &["private"]);
    manifest.is_library = is_public && LIBRARY_KEYS.iter().any(|key| root.get(key).is_some());
    manifest.is_installable = is_public && root.get("main").is_some();
    manifest.workspace = workspace(&root);
    manifest.dependencies = dependencies(&root);
    manifest.hints = hints(&root);
    add_entries(&mut manifest, &root);
    Ok(manifest)
}

fn workspace(root: &Value) -> Option<Patterns> {
    let keys: &[&str] = match root.get("workspaces")? {
        Value::Array(_) => &["workspaces"],
        _ => &["workspaces", "packages"],
    };
    Some(Patterns::with_exclusions(tree::texts(root, keys).into_iter()))
}

fn dependencies(root: &Value) -> Vec<Declared> {
    let mut found = Vec::new();
    for (section, kind, role) in [
        ("dependencies", Kind::Runtime, Role::Direct),
        ("devDependencies", Kind::Dev, Role::Direct),
        ("optionalDependencies", Kind::Optional, Role::Direct),
        ("peerDependencies", Kind::Runtime, Role::Peer),
    ] {
        for (key, value) in tree::entries(root, &[section]) {
            let is_optional_peer = role == Role::Peer && tree::flag(root, &["peerDependenciesMeta", key, "optional"]);
            let actual_kind = if is_optional_peer { Kind::Optional } else { kind };
            let mut declared = dependency(key, value.as_str(), actual_kind);
            declared.role = role;
            found.push(declared);
        }
    }
    found
}

fn dependency(key: &str, spec: Option<&str>, kind: Kind) -> Declared {
    let renamed = spec.and_then(|text| text.strip_prefix("npm:")).map(split_descriptor);
    let (name, requirement) = match renamed {
        Some((name, range)) => (name, range),
        None => (key, spec),
    };
    let mut declared = Declared::new(name, kind);
    declared.alias = (name != key).then(|| key.to_owned());
    declared.requirement = requirement.filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(text) = requirement {
        declared.source = super::source_of(text);
    }
    declared
}

/// Splits `name@range`, where the name itself may begin with `@`.
pub(super) fn split_descriptor(descriptor: &str) -> (&str, Option<&str>) {
    let skipped = usize::from(descriptor.starts_with('@'));
    match descriptor[skipped..].find('@') {
        Some(at) => (&descriptor[..skipped + at], Some(&descriptor[skipped + at + 1..])),
        None => (descriptor, None),
    }
}

/// Collects what tells of tools without being a dependency.
fn hints(root: &Value) -> Vec<String> {
    let manager = tree::text(root, &["packageManager"]).map(|text| split_descriptor(&text).0.to_owned());
    let sections = [
        "jest",
        "eslintConfig",
        "prettier",
        "babel",
        "nyc",
        "browserslist",
        "husky",
        "lint-staged",
    ];
    let configured = sections
        .into_iter()
        .filter(|key| root.get(key).is_some())
        .map(str::to_owned);
    manager
        .map(|name| format!("manager:{name}"))
        .into_iter()
        .chain(configured)
        .collect()
}

fn add_entries(manifest: &mut Manifest, root: &Value) {
    let own_name = manifest.name.clone().unwrap_or_default();
    if let Some(target) = tree::text(root, &["bin"]) {
        let (_, short_name) = own_name.rsplit_once('/').unwrap_or(("", &own_name));
        manifest.add_entry(EntryKind::Program, short_name, Some(target));
    }
    for (section, kind) in [("bin", EntryKind::Program), ("scripts", EntryKind::Script)] {
        for (name, value) in tree::entries(root, &[section]) {
            manifest.add_entry(kind, name, value.as_str().map(str::to_owned));
        }
    }
}
