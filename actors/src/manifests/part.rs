//! What one file says by itself, before files are put together.

use std::collections::{BTreeMap, HashMap};

use super::{
    findings::{Ecosystem, EntryKind, EntryPoint, Kind, Source},
    place,
};

/// A lock file lists no more packages than this; ten times as many as findings hold.
const MAX_LOCKED: usize = 200_000;

/// What was read from one file.
#[derive(Debug)]
pub(super) enum Part {
    /// A package, its dependencies and what it says of itself.
    Manifest(Box<Manifest>),
    /// The versions that a package manager chose.
    Lock(Lock),
    /// The final image and the ports of a Dockerfile.
    Image(super::docker::Image),
    /// Container images that run beside the code, and the ports that they publish.
    Services(super::docker::Services),
    /// The processes of a Procfile.
    Processes(Vec<EntryPoint>),
    /// A coverage report.
    Report(super::coverage::Report),
    /// The licence that a licence text is.
    Licence(&'static str),
    /// A file whose presence says something.
    Marker(super::marker::Marker),
    /// A file that says nothing of use.
    Nothing,
}

/// What one package says of itself.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: String,
    pub(super) ecosystem: Ecosystem,
    /// The language that the package world stands for; none where a file beside it tells.
    pub(super) language: Option<&'static str>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) dependencies: Vec<Declared>,
    /// What members of the workspace take over by name.
    pub(super) shared: BTreeMap<String, Declared>,
    /// Names that are no dependencies and tell of technologies all the same: plugins, sections for tools, platforms.
    pub(super) hints: Vec<String>,
    pub(super) workspace: Option<Patterns>,
    pub(super) entry_points: Vec<EntryPoint>,
    /// Whether it is made to be used by other packages.
    pub(super) is_library: bool,
    /// Whether it can be installed as a package, which people also do with programs.
    pub(super) is_installable: bool,
    /// Whether it describes a package of its own, and not only a workspace.
    pub(super) is_package: bool,
    /// Whether its package manager would write a lock file.
    pub(super) is_lockable: bool,
    /// A line that could not be understood in a file that could be read otherwise.
    pub(super) problem: Option<super::syntax::Broken>,
    /// Whether it lies among tests, examples or documentation.
    pub(super) is_aside: bool,
}

impl Manifest {
    pub(super) fn new(path: &str, ecosystem: Ecosystem, language: Option<&'static str>) -> Self {
        Self {
            path: path.to_owned(),
            ecosystem,
            language,
            name: None,
            description: None,
            licence: None,
            dependencies: Vec::new(),
            shared: BTreeMap::new(),
            hints: Vec::new(),
            workspace: None,
            entry_points: Vec::new(),
            is_library: false,
            is_installable: false,
            is_package: true,
            is_lockable: true,
            problem: None,
            is_aside: place::Place::of(path) == place::Place::Aside,
        }
    }

    pub(super) fn add_entry(&mut self, kind: EntryKind, name: &str, target: Option<String>) {
        self.entry_points.push(EntryPoint {
            name: name.to_owned(),
            target,
            kind,
            manifest: self.path.clone(),
        });
    }

    pub(super) fn has_program(&self) -> bool {
        self.entry_points.iter().any(|entry| entry.kind == EntryKind::Program)
    }
}

/// The members of a workspace, as its manifest names them.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    pub(super) included: Vec<String>,
    pub(super) excluded: Vec<String>,
}

impl Patterns {
    /// Sorts patterns of which those with `!` take directories out again.
    pub(super) fn with_exclusions(patterns: impl Iterator<Item = String>) -> Self {
        let mut sorted = Self::default();
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(excluded) => sorted.excluded.push(excluded.to_owned()),
                None => sorted.included.push(pattern),
            }
        }
        sorted
    }
}

/// How a dependency stands in its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Asked for.
    Direct,
    /// Listed because another dependency brings it.
    Indirect,
    /// Expected to be brought by whoever uses the package.
    Peer,
    /// Taken over from the workspace, which says the rest.
    Inherited,
}

/// A dependency as a manifest declares it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    /// The name that the manifest gives to it, where that is another one.
    pub(super) alias: Option<String>,
    pub(super) requirement: Option<String>,
    /// The version, where the manifest itself fixes it.
    pub(super) version: Option<String>,
    pub(super) kind: Kind,
    pub(super) source: Source,
    /// Features and extras that were asked for.
    pub(super) features: Vec<String>,
    pub(super) role: Role,
}

impl Declared {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            alias: None,
            requirement: None,
            version: None,
            kind,
            source: Source::Registry,
            features: Vec::new(),
            role: Role::Direct,
        }
    }
}

/// A package as a lock file lists it.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) kind: Kind,
    pub(super) source: Source,
}

/// Who asks a lock file for a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// The package with this name.
    Package(String),
    /// The manifest in this directory, relative to the lock file.
    Directory(String),
    /// Whoever wrote this requirement.
    Requirement(String),
}

/// The versions that a package manager chose.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) path: String,
    pub(super) ecosystem: Ecosystem,
    /// At most [`MAX_LOCKED`].
    packages: Vec<Locked>,
    /// What each asker gets for a name, where the file tells them apart; at most [`MAX_LOCKED`].
    choices: HashMap<(Asker, String), String>,
    /// The package manager, where its name tells something.
    pub(super) tool: Option<&'static str>,
}

impl Lock {
    pub(super) fn new(path: &str, ecosystem: Ecosystem, tool: Option<&'static str>) -> Self {
        Self {
            path: path.to_owned(),
            ecosystem,
            packages: Vec::new(),
            choices: HashMap::new(),
            tool,
        }
    }

    /// Adds a package; beyond the limit it is left out, and so many more are than findings hold.
    pub(super) fn add(&mut self, locked: Locked) {
        if self.packages.len() < MAX_LOCKED {
            self.packages.push(locked);
        }
    }

    /// Notes which version an asker gets for a name.
    pub(super) fn choose(&mut self, asker: Asker, name: &str, version: &str) {
        if self.choices.len() < MAX_LOCKED {
            self.choices.insert((asker, name.to_owned()), version.to_owned());
        }
    }

    /// Returns all packages.
    pub(super) fn packages(&self) -> &[Locked] {
        &self.packages
    }

    /// Returns the version that an asker gets for a name.
    pub(super) fn choice(&self, asker: &Asker, name: &str) -> Option<&String> {
        self.choices.get(&(asker.clone(), name.to_owned()))
    }
}
