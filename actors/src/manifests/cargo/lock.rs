//! Cargo.lock, every version of it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::manifests::{
    findings::{Ecosystem, Kind, Source},
    part::{Asker, Lock, Locked},
    syntax::{self, Broken},
};

#[derive(Deserialize)]
struct CargoLock {
    /// The package itself, in the first version of the format.
    root: Option<Package>,
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

pub(super) fn read(path: &str, source: &str) -> Result<Lock, Broken> {
    let parts: Vec<CargoLock> = syntax::toml_packages(source)?;
    let packages: Vec<Package> = parts
        .into_iter()
        .flat_map(|part| part.package.into_iter().chain(part.root))
        .collect();
    let mut lock = Lock::new(path, Ecosystem::Cargo, None);
    let mut versions: HashMap<&str, &str> = HashMap::new();
    for entry in &packages {
        versions.insert(&entry.name, &entry.version);
    }
    for member in packages.iter().filter(|entry| entry.source.is_none()) {
        for line in &member.dependencies {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            if let Some(version) = words.next().or_else(|| versions.get(name).copied()) {
                let asker = Asker::Package(member.name.clone());
                lock.choose(asker, name, version);
            }
        }
    }
    for entry in &packages {
        lock.add(locked(entry));
    }
    Ok(lock)
}

fn locked(entry: &Package) -> Locked {
    Locked {
        name: entry.name.clone(),
        version: Some(entry.version.clone()),
        kind: Kind::Runtime,
        source: match &entry.source {
            None => Source::Path,
            Some(source) if source.starts_with("git+") => Source::Git,
            Some(_) => Source::Registry,
        },
    }
}
