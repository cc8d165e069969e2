//! Puts manifests and lock files together.

mod locks;
mod requirement;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    MAX_DEPENDENCIES, MAX_LISTED,
    findings::{Dependency, Drift, Ecosystem, Gap, Kind, Source, Workspace},
    gather::Gathered,
    part::{Declared, Manifest, Role},
    place,
};
use locks::{Answer, Locks};

/// The dependencies of a project, and how well they are tied down.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) dependencies: Vec<Dependency>,
    pub(super) truncated: bool,
    pub(super) direct: BTreeMap<Ecosystem, usize>,
    pub(super) unpinned: usize,
    pub(super) drift: Vec<Drift>,
}

/// What makes two mentions of a package the same dependency.
type Identity = (Ecosystem, String, Option<String>);

pub(super) fn resolve(gathered: &Gathered, workspaces: &[Workspace]) -> Resolved {
    let locks = Locks::new(&gathered.locks, workspaces);
    let mut resolver = Resolver {
        gathered,
        locks,
        resolved: Resolved::default(),
        positions: HashMap::new(),
        unpinned: HashSet::new(),
    };
    for manifest in &gathered.manifests {
        resolver.add_manifest(manifest);
    }
    resolver.add_locked();
    resolver.finish()
}

struct Resolver<'project> {
    gathered: &'project Gathered,
    locks: Locks<'project>,
    resolved: Resolved,
    /// Where each dependency is in the list.
    positions: HashMap<Identity, usize>,
    /// Places in the list of direct dependencies that are not tied to one version.
    unpinned: HashSet<usize>,
}

impl Resolver<'_> {
    fn add_manifest(&mut self, manifest: &Manifest) {
        let covering = self.locks.covering(manifest);
        for declared in &manifest.dependencies {
            let version = match self.locks.version(&covering, manifest, declared) {
                Answer::Locked(version) => version,
                Answer::Absent => {
                    if !covering.is_empty() && manifest.is_lockable && is_lockable(manifest, declared) {
                        let name = declared.name.clone();
                        self.drift(manifest, Gap::NotLocked { name });
                    }
                    None
                }
            };
            self.add_declared(manifest, declared, version);
        }
        let has_lockable = || {
            manifest
                .dependencies
                .iter()
                .any(|declared| is_lockable(manifest, declared))
        };
        if covering.is_empty() && manifest.is_lockable && !manifest.is_aside && has_lockable() {
            self.drift(manifest, Gap::NoLock);
        }
    }

    fn drift(&mut self, manifest: &Manifest, gap: Gap) {
        self.resolved.drift.push(Drift {
            manifest: manifest.path.clone(),
            ecosystem: manifest.ecosystem,
            gap,
        });
    }

    fn add_declared(&mut self, manifest: &Manifest, declared: &Declared, locked: Option<String>) {
        let fixed = || requirement::fixed(manifest.ecosystem, declared.requirement.as_deref());
        let version = locked.or_else(|| declared.version.clone()).or_else(fixed);
        let is_loose = version.is_none() && is_lockable(manifest, declared) && !is_managed(manifest, declared);
        let position = self.add(Dependency {
            ecosystem: manifest.ecosystem,
            name: declared.name.clone(),
            requirement: declared.requirement.clone(),
            version,
            kind: if manifest.is_aside { Kind::Dev } else { declared.kind },
            source: declared.source,
            is_direct: declared.role != Role::Indirect,
            manifest: manifest.path.clone(),
        });
        if is_loose {
            self.unpinned.insert(position);
        }
    }

    /// Adds a dependency, or joins it with one that is there: the first mention stays, the most binding use counts.
    fn add(&mut self, dependency: Dependency) -> usize {
        let told_apart_by = dependency.version.clone().or_else(|| dependency.requirement.clone());
        let identity = (dependency.ecosystem, dependency.name.clone(), told_apart_by);
        let dependencies = &mut self.resolved.dependencies;
        if let Some(position) = self.positions.get(&identity) {
            let known = &mut dependencies[*position];
            if dependency.is_direct || !known.is_direct {
                known.kind = known.kind.min(dependency.kind);
            }
            return *position;
        }
        let position = dependencies.len();
        self.positions.insert(identity, position);
        dependencies.push(dependency);
        position
    }

    /// Adds what the lock files list beyond the direct dependencies.
    fn add_locked(&mut self) {
        let known_modules: HashSet<String> = self
            .resolved
            .dependencies
            .iter()
            .filter(|dependency| dependency.ecosystem == Ecosystem::Go)
            .map(|dependency| dependency.name.clone())
            .collect();
        for lock in &self.gathered.locks {
            let is_aside = place::Place::of(&lock.path) == place::Place::Aside;
            for locked in lock.packages().iter().filter(|locked| locked.source != Source::Path) {
                // go.sum also keeps the versions that were not chosen; go.mod has the one that was.
                if lock.ecosystem == Ecosystem::Go && known_modules.contains(&locked.name) {
                    continue;
                }
                self.add(Dependency {
                    ecosystem: lock.ecosystem,
                    name: locked.name.clone(),
                    requirement: None,
                    version: locked.version.clone(),
                    kind: if is_aside { Kind::Dev } else { locked.kind },
                    source: locked.source,
                    is_direct: false,
                    manifest: lock.path.clone(),
                });
            }
        }
    }

    fn finish(self) -> Resolved {
        let mut resolved = self.resolved;
        resolved.unpinned = self.unpinned.len();
        for dependency in resolved.dependencies.iter().filter(|dependency| dependency.is_direct) {
            *resolved.direct.entry(dependency.ecosystem).or_default() += 1;
        }
        resolved.dependencies.sort_by(|one, other| {
            let key = |dependency: &Dependency| (!dependency.is_direct, dependency.ecosystem);
            let by_name =
                || (&one.name, &one.version, &one.requirement).cmp(&(&other.name, &other.version, &other.requirement));
            key(one).cmp(&key(other)).then_with(by_name)
        });
        resolved.truncated = resolved.dependencies.len() > MAX_DEPENDENCIES;
        resolved.dependencies.truncate(MAX_DEPENDENCIES);
        resolved.drift.sort();
        resolved.drift.dedup();
        resolved.drift.truncate(MAX_LISTED);
        resolved
    }
}

/// Whether a lock file would tie a dependency down: what builds a Python package is installed apart from it, and what a
/// path or an address names is already one thing.
fn is_lockable(manifest: &Manifest, declared: &Declared) -> bool {
    let is_asked = matches!(declared.role, Role::Direct | Role::Inherited);
    let is_apart = manifest.ecosystem == Ecosystem::Pypi && declared.kind == Kind::Build;
    is_asked && !is_apart && matches!(declared.source, Source::Registry | Source::Git)
}

/// Whether a parent or a catalogue elsewhere sets the version, as for Maven's artefacts that name none.
fn is_managed(manifest: &Manifest, declared: &Declared) -> bool {
    manifest.ecosystem == Ecosystem::Maven && declared.requirement.is_none()
}
