//! pnpm-lock.yaml, versions 5 to 9, and pnpm-workspace.yaml.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::package::split_descriptor;
use crate::manifests::{
    findings::{Ecosystem, Source},
    part::{Asker, Lock, Locked, Manifest, Patterns},
    syntax::{self, Broken},
    tree,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PnpmLock {
    /// A number or a text.
    lockfile_version: Option<Value>,
    #[serde(default)]
    importers: BTreeMap<String, Importer>,
    packages: Option<BTreeMap<String, Package>>,
    /// What the only importer has, where the file has no list of them. Flattening an `Importer` into here would make
    /// serde hold the whole file in memory.
    #[serde(default)]
    dependencies: BTreeMap<String, Chosen>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Chosen>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Chosen>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    dependencies: BTreeMap<String, Chosen>,
    dev_dependencies: BTreeMap<String, Chosen>,
    optional_dependencies: BTreeMap<String, Chosen>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Chosen {
    Version(String),
    Entry { version: String },
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Package {
    dev: bool,
    optional: bool,
}

pub(super) fn read_lock(path: &str, source: &str) -> Result<Lock, Broken> {
    let mut lock = Lock::new(path, Ecosystem::Npm, Some("pnpm"));
    for document in syntax::yaml::<PnpmLock>(source)? {
        let own = Importer {
            dependencies: document.dependencies,
            dev_dependencies: document.dev_dependencies,
            optional_dependencies: document.optional_dependencies,
        };
        choose(&mut lock, "", own);
        for (directory, importer) in document.importers {
            choose(&mut lock, if directory == "." { "" } else { &directory }, importer);
        }
        let version = document
            .lockfile_version
            .map(|value| value.to_string())
            .unwrap_or_default();
        let is_fifth = version.trim_start_matches('"').starts_with('5');
        for (key, package) in document.packages.unwrap_or_default() {
            if let Some((name, package_version)) = split_key(&key, is_fifth) {
                lock.add(Locked {
                    name: name.to_owned(),
                    version: Some(plain_version(package_version).to_owned()),
                    kind: super::kind_of(package.dev, package.optional),
                    source: super::source_of(package_version),
                });
            }
        }
    }
    Ok(lock)
}

fn choose(lock: &mut Lock, directory: &str, importer: Importer) {
    let sections = [
        importer.dependencies,
        importer.dev_dependencies,
        importer.optional_dependencies,
    ];
    for (name, chosen) in sections.iter().flatten() {
        let (Chosen::Version(version) | Chosen::Entry { version }) = chosen else {
            continue;
        };
        if super::source_of(version) == Source::Registry {
            lock.choose(Asker::Directory(directory.to_owned()), name, plain_version(version));
        }
    }
}

/// Drops the peers that a version was combined with: `1.2.0(react@18.0.0)`, `1.2.0_react@18.0.0`.
fn plain_version(version: &str) -> &str {
    let end = version.find(['(', '_']).unwrap_or(version.len());
    let (_, plain) = version[..end].rsplit_once('@').unwrap_or(("", &version[..end]));
    plain
}

/// Splits `/name/1.0.0` (5), `/name@1.0.0` (6) or `name@1.0.0` (9).
fn split_key(key: &str, is_fifth: bool) -> Option<(&str, &str)> {
    let end = key.find('(').unwrap_or(key.len());
    let descriptor = key[..end].trim_start_matches('/');
    if is_fifth {
        return descriptor.rsplit_once('/');
    }
    let (name, version) = split_descriptor(descriptor);
    Some((name, version?))
}

/// Reads the members; the file belongs to the package.json beside it and describes no package itself.
pub(super) fn read_workspace(path: &str, source: &str) -> Result<Manifest, Broken> {
    let documents: Vec<Value> = syntax::yaml(source)?;
    let mut manifest = Manifest::new(path, Ecosystem::Npm, None);
    let patterns = documents
        .iter()
        .flat_map(|document| tree::texts(document, &["packages"]));
    manifest.is_package = false;
    manifest.hints = vec!["manager:pnpm".to_owned()];
    manifest.workspace = Some(Patterns::with_exclusions(patterns));
    Ok(manifest)
}
