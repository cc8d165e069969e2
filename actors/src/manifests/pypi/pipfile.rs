//! Pipfile and Pipfile.lock.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{normalised, pyproject::table_entry};
use crate::manifests::{
    findings::{Ecosystem, EntryKind, Kind, Source},
    part::{Lock, Locked, Manifest},
    syntax::{self, Broken},
    tree,
};

pub(super) fn read(path: &str, source: &str) -> Result<Manifest, Broken> {
    let root: Value = syntax::toml(source)?;
    let mut manifest = Manifest::new(path, Ecosystem::Pypi, Some("python"));
    manifest.hints = vec!["pipenv".to_owned()];
    for (section, kind) in [("packages", Kind::Runtime), ("dev-packages", Kind::Dev)] {
        let entries = tree::entries(&root, &[section]);
        manifest
            .dependencies
            .extend(entries.filter_map(|(name, value)| table_entry(name, value, kind)));
    }
    for (name, value) in tree::entries(&root, &["scripts"]) {
        manifest.add_entry(EntryKind::Script, name, value.as_str().map(str::to_owned));
    }
    Ok(manifest)
}

#[derive(Deserialize)]
struct PipfileLock {
    #[serde(default)]
    default: BTreeMap<String, Entry>,
    #[serde(default)]
    develop: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    git: Option<String>,
    path: Option<String>,
    file: Option<String>,
}

pub(super) fn read_lock(path: &str, source: &str) -> Result<Lock, Broken> {
    let PipfileLock { default, develop } = syntax::json(source)?;
    let mut lock = Lock::new(path, Ecosystem::Pypi, Some("pipenv"));
    for (section, kind) in [(default, Kind::Runtime), (develop, Kind::Dev)] {
        for (name, entry) in section {
            lock.add(locked(&name, entry, kind));
        }
    }
    Ok(lock)
}

fn locked(name: &str, entry: Entry, kind: Kind) -> Locked {
    Locked {
        name: normalised(name),
        source: if entry.git.is_some() {
            Source::Git
        } else if entry.path.is_some() {
            Source::Path
        } else if entry.file.is_some() {
            Source::Url
        } else {
            Source::Registry
        },
        version: entry.version.map(|text| text.trim_start_matches('=').to_owned()),
        kind,
    }
}
