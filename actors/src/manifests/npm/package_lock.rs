//! package-lock.json and npm-shrinkwrap.json, versions 1 to 3.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::manifests::{
    findings::{Ecosystem, Source},
    part::{Asker, Lock, Locked},
    syntax::{self, Broken},
};

/// Separates a package's directory from the packages that are installed for it.
const INSTALLED: &str = "node_modules/";

#[derive(Deserialize)]
struct PackageLock {
    /// Every installed directory: versions 2 and 3.
    packages: Option<BTreeMap<String, Installed>>,
    /// A tree by name: versions 1 and 2.
    #[serde(default)]
    dependencies: BTreeMap<String, Tree>,
}

#[derive(Deserialize)]
struct Installed {
    /// Said where the directory is called differently.
    name: Option<String>,
    version: Option<String>,
    /// An address, or `true` where there is none.
    resolved: Option<Value>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    link: bool,
}

/// A package and what is installed below it. Flattening an `Installed` into here would make serde hold all of it twice.
#[derive(Deserialize)]
struct Tree {
    version: Option<String>,
    resolved: Option<Value>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dependencies: BTreeMap<String, Tree>,
}

pub(super) fn read(path: &str, source: &str) -> Result<Lock, Broken> {
    let PackageLock { packages, dependencies } = syntax::json(source)?;
    let mut lock = Lock::new(path, Ecosystem::Npm, None);
    match packages {
        Some(directories) => {
            for (directory, installed) in directories {
                add_directory(&mut lock, &directory, installed);
            }
        }
        None => {
            for (name, tree) in dependencies {
                if let Some(version) = &tree.version {
                    lock.choose(Asker::Directory(String::new()), &name, version);
                }
                add_tree(&mut lock, name, tree);
            }
        }
    }
    Ok(lock)
}

/// Adds one installed directory such as `packages/app/node_modules/@scope/name`; others are members of the workspace.
fn add_directory(lock: &mut Lock, directory: &str, installed: Installed) {
    let Some(at) = directory.rfind(INSTALLED) else {
        return;
    };
    let key = &directory[at + INSTALLED.len()..];
    let owner = directory[..at].trim_end_matches('/');
    if let Some(version) = installed.version.as_ref().filter(|_| !owner.contains(INSTALLED)) {
        lock.choose(Asker::Directory(owner.to_owned()), key, version);
    }
    lock.add(Locked {
        name: installed.name.unwrap_or_else(|| key.to_owned()),
        version: installed.version,
        kind: super::kind_of(installed.dev, installed.optional),
        source: if installed.link {
            Source::Path
        } else {
            source_of(installed.resolved.as_ref())
        },
    });
}

/// Adds a package and what is installed below it; the parser has bounded the depth.
fn add_tree(lock: &mut Lock, name: String, tree: Tree) {
    lock.add(Locked {
        name,
        version: tree.version,
        kind: super::kind_of(tree.dev, tree.optional),
        source: source_of(tree.resolved.as_ref()),
    });
    for (name_below, tree_below) in tree.dependencies {
        add_tree(lock, name_below, tree_below);
    }
}

fn source_of(resolved: Option<&Value>) -> Source {
    let address = resolved.and_then(Value::as_str).unwrap_or_default();
    if address.starts_with("git") {
        Source::Git
    } else if address.starts_with("file:") {
        Source::Path
    } else {
        Source::Registry
    }
}
