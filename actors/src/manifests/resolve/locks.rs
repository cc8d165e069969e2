//! Asks lock files which version a manifest gets.

use std::collections::HashMap;

use crate::manifests::{
    findings::{Source, Workspace},
    part::{Asker, Declared, Lock, Locked, Manifest},
    place,
};

/// What a lock file says about a dependency.
pub(super) enum Answer {
    /// It is listed, with this version where it has one.
    Locked(Option<String>),
    /// It is not listed.
    Absent,
}

/// The lock files of a project, with their packages by name.
pub(super) struct Locks<'project> {
    indexed: Vec<Indexed<'project>>,
    workspaces: &'project [Workspace],
}

struct Indexed<'project> {
    lock: &'project Lock,
    by_name: HashMap<&'project str, Vec<&'project Locked>>,
}

impl<'project> Locks<'project> {
    pub(super) fn new(locks: &'project [Lock], workspaces: &'project [Workspace]) -> Self {
        let index = |lock: &'project Lock| {
            let mut by_name: HashMap<&str, Vec<&Locked>> = HashMap::new();
            for locked in lock.packages() {
                by_name.entry(&locked.name).or_default().push(locked);
            }
            Indexed { lock, by_name }
        };
        Self {
            indexed: locks.iter().map(index).collect(),
            workspaces,
        }
    }

    /// Returns the places of the lock files that cover a manifest: those beside it, or those beside the nearest
    /// workspace that it is a member of.
    pub(super) fn covering(&self, manifest: &Manifest) -> Vec<usize> {
        let own = place::directory(&manifest.path);
        for directory in place::upwards(own) {
            let found: Vec<usize> = self
                .indexed
                .iter()
                .enumerate()
                .filter(|(_, Indexed { lock, .. })| lock.ecosystem == manifest.ecosystem)
                .filter(|(_, Indexed { lock, .. })| place::directory(&lock.path) == directory)
                .filter(|(_, indexed)| directory == own || self.is_member(directory, own, manifest, indexed))
                .map(|(position, _)| position)
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Cargo makes members of directories that others depend on by path; its lock file then lists them without source.
    fn is_member(&self, root: &str, own: &str, manifest: &Manifest, indexed: &Indexed<'_>) -> bool {
        let is_named = || {
            let listed = manifest.name.as_deref().and_then(|name| indexed.by_name.get(name));
            listed.is_some_and(|packages| packages.iter().any(|locked| locked.source == Source::Path))
        };
        let of_root = self
            .workspaces
            .iter()
            .filter(|workspace| place::directory(&workspace.manifest) == root);
        of_root
            .into_iter()
            .any(|workspace| workspace.members.iter().any(|member| member == own))
            || is_named()
    }

    /// Asks the covering lock files in order.
    pub(super) fn version(&self, covering: &[usize], manifest: &Manifest, declared: &Declared) -> Answer {
        let answers = covering
            .iter()
            .map(|position| self.indexed[*position].version(manifest, declared));
        answers
            .into_iter()
            .find(|answer| matches!(answer, Answer::Locked(_)))
            .unwrap_or(Answer::Absent)
    }
}

impl Indexed<'_> {
    fn version(&self, manifest: &Manifest, declared: &Declared) -> Answer {
        let key = declared.alias.as_ref().unwrap_or(&declared.name);
        let own = place::relative(place::directory(&self.lock.path), place::directory(&manifest.path));
        let askers = [
            manifest.name.clone().map(Asker::Package),
            own.map(|directory| Asker::Directory(directory.to_owned())),
            Some(Asker::Directory(String::new())),
            declared.requirement.clone().map(Asker::Requirement),
        ];
        // Cargo's file asks by the package's own name, npm's by the name that the manifest gives.
        for asker in askers.into_iter().flatten() {
            for name in [key, &declared.name] {
                if let Some(version) = self.lock.choice(&asker, name) {
                    return Answer::Locked(Some(version.clone()));
                }
            }
        }
        match self.by_name.get(declared.name.as_str()) {
            Some(listed) => Answer::Locked(chosen(listed, declared)),
            None => Answer::Absent,
        }
    }
}

/// Picks the version that the manifest fixes, or else the last one, which is the highest in most files.
fn chosen(listed: &[&Locked], declared: &Declared) -> Option<String> {
    let is_listed = |version: &&String| listed.iter().any(|locked| locked.version.as_ref() == Some(version));
    let fixed = declared.version.as_ref().filter(is_listed);
    fixed.or_else(|| listed.last()?.version.as_ref()).cloned()
}
