//! bun.lock: JSON with trailing commas, which YAML's flow style allows too.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{package::split_descriptor, source_of};
use crate::manifests::{
    findings::{Ecosystem, Kind, Source},
    part::{Asker, Lock, Locked},
    syntax::{self, Broken},
};

#[derive(Deserialize)]
struct BunLock {
    /// By where it is installed, such as `a` or, for the package `a` alone, `a/b`: first `name@version`, then more.
    #[serde(default)]
    packages: BTreeMap<String, Vec<Value>>,
}

pub(super) fn read(path: &str, source: &str) -> Result<Lock, Broken> {
    let mut lock = Lock::new(path, Ecosystem::Npm, Some("bun"));
    for document in syntax::yaml::<BunLock>(source)? {
        for (place, entry) in document.packages {
            if let Some((name, Some(version))) = entry.first().and_then(Value::as_str).map(split_descriptor) {
                add(&mut lock, &place, name, version);
            }
        }
    }
    Ok(lock)
}

fn add(lock: &mut Lock, place: &str, name: &str, version: &str) {
    let source = source_of(version);
    let is_version = source == Source::Registry;
    if is_version {
        lock.choose(Asker::Directory(String::new()), place, version);
    }
    lock.add(Locked {
        name: name.to_owned(),
        version: is_version.then(|| version.to_owned()),
        kind: Kind::Runtime,
        source,
    });
}
