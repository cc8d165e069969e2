//! Completes the dependencies that a member of a workspace takes over from its root by name.

use std::collections::BTreeMap;

use super::{
    part::{Declared, Manifest, Role},
    place,
};

pub(super) fn complete(manifests: &mut [Manifest]) {
    let roots: BTreeMap<String, BTreeMap<String, Declared>> = manifests
        .iter()
        .filter(|manifest| !manifest.shared.is_empty())
        .map(|manifest| (place::directory(&manifest.path).to_owned(), manifest.shared.clone()))
        .collect();
    for manifest in manifests {
        let own = place::directory(&manifest.path).to_owned();
        let Some(shared) = place::upwards(&own).find_map(|directory| roots.get(directory)) else {
            continue;
        };
        let inherited = manifest.dependencies.iter_mut();
        for declared in inherited.filter(|declared| declared.role == Role::Inherited) {
            if let Some(original) = shared.get(&declared.name) {
                take_over(declared, original);
            }
        }
    }
}

/// Takes the package and its source from the root; the member may add features, and says what it is for.
fn take_over(declared: &mut Declared, original: &Declared) {
    declared.name.clone_from(&original.name);
    declared.alias.clone_from(&original.alias);
    declared.requirement.clone_from(&original.requirement);
    declared.source = original.source;
    declared.features.extend(original.features.iter().cloned());
}
