//! What is asked about the project as a whole, and which file answers it.

use super::{
    MAX_LISTED,
    findings::{EntryPoint, ImageBase, Port},
    gather::Gathered,
    part::Manifest,
    procfile::served_port,
};

/// A description beyond this is a document.
const MAX_DESCRIPTION_CHARS: usize = 1_000;

pub(super) fn ports(gathered: &Gathered) -> Vec<Port> {
    let port = |port: u16, source: &str| Port {
        port,
        source: source.to_owned(),
    };
    let exposed = gathered
        .images
        .iter()
        .flat_map(|image| image.ports.iter().map(|number| port(*number, &image.path)));
    let published = gathered
        .services
        .iter()
        .flat_map(|services| services.ports.iter().map(|number| port(*number, &services.path)));
    let scripts = gathered.products().flat_map(|manifest| &manifest.entry_points);
    let served = gathered
        .processes
        .iter()
        .chain(scripts)
        .filter_map(|entry| Some(port(served_port(entry)?, &entry.manifest)));
    let mut all: Vec<Port> = exposed.chain(published).chain(served).collect();
    all.sort();
    all.dedup();
    all.truncate(MAX_LISTED);
    all
}

pub(super) fn image_bases(gathered: &Gathered) -> Vec<ImageBase> {
    let bases = gathered.images.iter().map(|image| ImageBase {
        dockerfile: image.path.clone(),
        image: image.base.clone(),
    });
    bases.take(MAX_LISTED).collect()
}

/// Returns the licence of the manifest nearest to the project's directory, or else that of its licence files, between
/// which a user may choose.
pub(super) fn licence(gathered: &Gathered) -> Option<String> {
    let from_texts = || {
        let mut ids = gathered.licences.clone();
        ids.sort_unstable();
        ids.dedup();
        (!ids.is_empty()).then(|| ids.join(" OR "))
    };
    let stated = |manifest: &Manifest| manifest.licence.clone();
    gathered
        .products()
        .filter(|manifest| is_at_root(manifest))
        .find_map(stated)
        .or_else(from_texts)
        .or_else(|| gathered.products().find_map(stated))
}

/// Returns the description in the project's own directory, or that of its only package: one of several packages does
/// not describe the whole.
pub(super) fn description(gathered: &Gathered) -> Option<String> {
    let stated = |manifest: &Manifest| manifest.description.clone();
    let mut below = gathered
        .products()
        .filter(|manifest| manifest.is_package && !is_at_root(manifest));
    let only = below.next().filter(|_| below.next().is_none());
    let text = gathered
        .products()
        .filter(|manifest| is_at_root(manifest))
        .find_map(stated)
        .or_else(|| only.and_then(stated))?;
    Some(text.chars().take(MAX_DESCRIPTION_CHARS).collect())
}

fn is_at_root(manifest: &Manifest) -> bool {
    !manifest.path.contains('/')
}

pub(super) fn entry_points(gathered: &Gathered) -> Vec<EntryPoint> {
    let own = gathered.products().flat_map(|manifest| &manifest.entry_points);
    gathered.processes.iter().chain(own).take(MAX_LISTED).cloned().collect()
}
