//! PHP: composer.json and composer.lock.

use serde::Deserialize;
use serde_json::Value;

use super::{
    findings::{Ecosystem, EntryKind, Kind, Source},
    licence,
    part::{Declared, Lock, Locked, Manifest, Part},
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
            "composer.json" => Some(Self::Manifest),
            "composer.lock" => Some(Self::Lock),
            _ => None,
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    match format {
        Format::Manifest => Ok(Part::Manifest(Box::new(manifest(path, &syntax::json(source)?)))),
        Format::Lock => Ok(Part::Lock(lock(path, source)?)),
    }
}

fn manifest(path: &str, root: &Value) -> Manifest {
    let mut manifest = Manifest::new(path, Ecosystem::Composer, Some("php"));
    manifest.name = tree::text(root, &["name"]);
    manifest.description = tree::text(root, &["description"]);
    let choices = tree::texts(root, &["license"]).join(" OR ");
    manifest.licence = licence::expression(&tree::text(root, &["license"]).unwrap_or(choices));
    // What is left unsaid is a library for Composer, but people leave it unsaid for sites too.
    let type_name = tree::text(root, &["type"]);
    manifest.is_library = type_name.as_ref().is_some_and(|text| text != "project");
    manifest.is_installable = manifest.name.is_some() && type_name.is_none();
    for (section, kind) in [("require", Kind::Runtime), ("require-dev", Kind::Dev)] {
        for (name, value) in tree::entries(root, &[section]) {
            add_requirement(&mut manifest, name, value.as_str(), kind);
        }
    }
    for program in tree::texts(root, &["bin"]) {
        manifest.add_entry(
            EntryKind::Program,
            super::place::file_name(&program),
            Some(program.clone()),
        );
    }
    for (name, value) in tree::entries(root, &["scripts"]) {
        manifest.add_entry(EntryKind::Script, name, value.as_str().map(str::to_owned));
    }
    manifest
}

/// Adds a package; `php`, `ext-pgsql` and the like are none, but extensions tell of databases.
fn add_requirement(manifest: &mut Manifest, name: &str, requirement: Option<&str>, kind: Kind) {
    if name.contains('/') {
        let mut declared = Declared::new(name, kind);
        declared.requirement = requirement.map(str::to_owned);
        manifest.dependencies.push(declared);
    } else {
        manifest.hints.push(name.to_owned());
    }
}

#[derive(Deserialize)]
struct ComposerLock {
    #[serde(default)]
    packages: Vec<Package>,
    #[serde(default, rename = "packages-dev")]
    packages_dev: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn lock(path: &str, source: &str) -> Result<Lock, Broken> {
    let ComposerLock { packages, packages_dev } = syntax::json(source)?;
    let mut lock = Lock::new(path, Ecosystem::Composer, None);
    for (list, kind) in [(packages, Kind::Runtime), (packages_dev, Kind::Dev)] {
        for package in list {
            lock.add(locked(package, kind));
        }
    }
    Ok(lock)
}

fn locked(package: Package, kind: Kind) -> Locked {
    let is_local = package
        .dist
        .and_then(|dist| dist.kind)
        .is_some_and(|text| text == "path");
    Locked {
        name: package.name,
        version: Some(package.version.trim_start_matches('v').to_owned()),
        kind,
        source: if is_local { Source::Path } else { Source::Registry },
    }
}
