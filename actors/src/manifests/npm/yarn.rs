//! yarn.lock: the own format of Yarn 1 and the YAML of later ones, which share the lines that matter.

use super::package::split_descriptor;
use crate::manifests::{
    findings::{Ecosystem, Kind, Source},
    part::{Asker, Lock, Locked},
};

/// A block: descriptors, then indented fields.
#[derive(Default)]
struct Block<'text> {
    descriptors: Vec<&'text str>,
    version: Option<&'text str>,
    resolution: &'text str,
}

pub(super) fn read(path: &str, source: &str) -> Lock {
    let mut lock = Lock::new(path, Ecosystem::Npm, Some("yarn"));
    let mut block = Block::default();
    for line in source.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            finish(&mut lock, &block);
            block = Block {
                descriptors: descriptors(line),
                ..Block::default()
            };
        } else if let Some(value) = field(line, "version") {
            block.version = Some(value);
        } else if let Some(value) = field(line, "resolution").or_else(|| field(line, "resolved")) {
            block.resolution = value;
        }
    }
    finish(&mut lock, &block);
    lock
}

/// Reads `"@a/b@^1.0.0", "@a/b@^1.1":` as well as `"a@npm:^1, a@npm:^2":`.
fn descriptors(line: &str) -> Vec<&str> {
    let listed = line.trim_end().trim_end_matches(':');
    listed
        .split(',')
        .map(|part| part.trim().trim_matches('"'))
        .filter(|part| part.contains('@'))
        .collect()
}

/// Reads a field of the block itself, which is indented by two.
fn field<'text>(line: &'text str, name: &str) -> Option<&'text str> {
    let rest = line.strip_prefix("  ")?.strip_prefix(name)?;
    let value = rest.strip_prefix(':').unwrap_or(rest).strip_prefix(' ')?;
    Some(value.trim().trim_matches('"'))
}

fn finish(lock: &mut Lock, block: &Block<'_>) {
    let (Some(first), Some(version)) = (block.descriptors.first(), block.version) else {
        return;
    };
    let (first_name, first_range) = split_descriptor(first);
    for descriptor in &block.descriptors {
        let (name, range) = split_descriptor(descriptor);
        let plain_range = range.unwrap_or_default().trim_start_matches("npm:");
        let asker = Asker::Requirement(plain_range.to_owned());
        lock.choose(asker, name, version);
    }
    let is_member = block.resolution.contains("@workspace:");
    lock.add(Locked {
        name: renamed(first_range).unwrap_or(first_name).to_owned(),
        version: (!is_member).then(|| version.to_owned()),
        kind: Kind::Runtime,
        source: source_of(block.resolution, is_member),
    });
}

/// Returns the real name in a range such as `npm:other@^1`.
fn renamed(range: Option<&str>) -> Option<&str> {
    let (name, inner) = split_descriptor(range?.strip_prefix("npm:")?);
    inner.map(|_| name)
}

fn source_of(resolution: &str, is_member: bool) -> Source {
    if is_member || resolution.contains("@file:") || resolution.contains("@portal:") || resolution.contains("@link:") {
        Source::Path
    } else if resolution.contains(".git#") {
        Source::Git
    } else {
        Source::Registry
    }
}
