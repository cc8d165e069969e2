//! poetry.lock, uv.lock and pdm.lock: a list of packages in TOML.

use serde::Deserialize;
use serde_json::Value;

use super::normalised;
use crate::manifests::{
    findings::{Ecosystem, Kind, Source},
    part::{Lock, Locked},
    syntax::{self, Broken},
    tree,
};

#[derive(Deserialize)]
struct PackageList {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    /// A table with `type` in Poetry's file, with the kind as its key in uv's.
    #[serde(default)]
    source: Value,
    #[serde(default)]
    optional: bool,
    category: Option<String>,
    groups: Option<Vec<String>>,
    git: Option<String>,
    path: Option<String>,
}

pub(super) fn read(path: &str, source: &str, tool: &'static str) -> Result<Lock, Broken> {
    let mut lock = Lock::new(path, Ecosystem::Pypi, Some(tool));
    for package in syntax::toml_packages::<PackageList>(source)?
        .into_iter()
        .flat_map(|list| list.package)
    {
        lock.add(locked(package));
    }
    Ok(lock)
}

fn locked(package: Package) -> Locked {
    Locked {
        name: normalised(&package.name),
        kind: kind_of(&package),
        source: source_of(&package),
        version: package.version,
    }
}

fn kind_of(package: &Package) -> Kind {
    let is_for_main = |groups: &Vec<String>| groups.iter().any(|group| group == "main" || group == "default");
    if package.category.as_deref() == Some("dev") || package.groups.as_ref().is_some_and(|groups| !is_for_main(groups))
    {
        Kind::Dev
    } else if package.optional {
        Kind::Optional
    } else {
        Kind::Runtime
    }
}

fn source_of(package: &Package) -> Source {
    let has = |key: &str| package.source.get(key).is_some();
    let kind = tree::text(&package.source, &["type"]).unwrap_or_default();
    if package.git.is_some() || has("git") || kind == "git" {
        Source::Git
    } else if package.path.is_some()
        || ["editable", "virtual", "directory", "path"].into_iter().any(has)
        || matches!(kind.as_str(), "directory" | "file")
    {
        Source::Path
    } else if (has("url") && kind.is_empty()) || kind == "url" {
        Source::Url
    } else {
        Source::Registry
    }
}
