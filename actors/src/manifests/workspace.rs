//! Which packages belong to which workspace.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{
    findings::Workspace,
    part::{Manifest, Patterns},
    place,
};

/// No workspace that people keep by hand has more.
const MAX_PATTERNS: usize = 1_000;

/// Finds every workspace that names members, and the manifests that are members of it.
pub(super) fn find(manifests: &[Manifest]) -> Vec<Workspace> {
    let roots = manifests
        .iter()
        .filter_map(|manifest| Some((manifest, manifest.workspace.as_ref()?)))
        .filter(|(_, patterns)| !patterns.included.is_empty());
    roots
        .map(|(root, patterns)| workspace(root, patterns, manifests))
        .collect()
}

fn workspace(root: &Manifest, patterns: &Patterns, manifests: &[Manifest]) -> Workspace {
    let base = place::directory(&root.path);
    let included = joined(base, &patterns.included);
    let excluded = joined(base, &patterns.excluded);
    let (inside, outside) = (matcher(&included), matcher(&excluded));
    let mut members: Vec<String> = manifests
        .iter()
        .filter(|manifest| manifest.ecosystem == root.ecosystem && manifest.is_package)
        .map(|manifest| place::directory(&manifest.path))
        .filter(|directory| *directory != base && inside.is_match(directory) && !outside.is_match(directory))
        .map(str::to_owned)
        .collect();
    members.sort();
    members.dedup();
    Workspace {
        manifest: root.path.clone(),
        patterns: included,
        excluded,
        members,
    }
}

/// Makes patterns relative to the project; those that leave it have no members here.
fn joined(base: &str, patterns: &[String]) -> Vec<String> {
    let within = patterns.iter().take(MAX_PATTERNS);
    within.filter_map(|pattern| place::join(base, pattern.trim())).collect()
}

/// Compiles patterns in which `*` stays within one directory; one that is no pattern matches nothing.
fn matcher(patterns: &[String]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_else(|_| GlobSet::empty())
}
