//! What the manifests of a project say, in the form in which it is stored and shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The package world that a dependency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Ecosystem {
    /// Rust crates.
    Cargo,
    /// JavaScript packages, whatever installs them.
    Npm,
    /// Python distributions.
    Pypi,
    /// Go modules.
    Go,
    /// Artefacts for the JVM, built by Maven or Gradle.
    Maven,
    /// PHP packages.
    Composer,
    /// Ruby gems.
    Gem,
}

/// What a dependency is needed for, the most binding use first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DependencyKind")]
pub enum Kind {
    /// To run.
    Runtime,
    /// To be built.
    Build,
    /// Only when a feature or an extra asks for it.
    Optional,
    /// To develop or test.
    Dev,
}

/// Where a dependency is fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DependencySource")]
pub enum Source {
    /// A package registry.
    Registry,
    /// A Git repository.
    Git,
    /// A directory beside the manifest, or a member of the same workspace.
    Path,
    /// An archive at an address.
    Url,
}

/// One package that the project uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// The package world.
    pub ecosystem: Ecosystem,
    /// The package's own name, also where the manifest renames it.
    pub name: String,
    /// The versions that the manifest allows, as it writes them.
    pub requirement: Option<String>,
    /// The one version in use: from the lock file, or from a manifest that fixes it.
    pub version: Option<String>,
    /// What it is needed for.
    pub kind: Kind,
    /// Where it is fetched from.
    pub source: Source,
    /// Whether a manifest names it; otherwise another dependency brings it.
    pub is_direct: bool,
    /// The manifest that names it, or the lock file that lists it.
    pub manifest: String,
}

/// What a manifest and its lock file disagree on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Drift {
    /// The manifest.
    pub manifest: String,
    /// The package world.
    pub ecosystem: Ecosystem,
    /// What is wrong.
    #[serde(flatten)]
    pub gap: Gap,
}

/// What is missing between a manifest and its lock file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum Gap {
    /// The manifest has dependencies and no lock file covers it.
    NoLock,
    /// The lock file does not know a direct dependency.
    NotLocked {
        /// The dependency.
        name: String,
    },
}

/// The technologies that a project is made of, each list with the most telling first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Programming languages.
    pub languages: Vec<String>,
    /// Frameworks and large libraries.
    pub frameworks: Vec<String>,
    /// Databases, caches, queues and search engines.
    pub databases: Vec<String>,
    /// Tools to build, test, check and ship.
    pub tools: Vec<String>,
}

/// How much of the code the tests run, as a report says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Per cent of the lines, 0 to 100, with two decimals.
    pub percent: f64,
    /// The report's path.
    pub source: String,
    /// The lines that ran, where the report counts them.
    pub covered: Option<u64>,
    /// The lines that could run, where the report counts them.
    pub lines: Option<u64>,
}

/// A TCP port that the project serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// The port.
    pub port: u16,
    /// The file that names it.
    pub source: String,
}

/// The image that a Dockerfile's last stage stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImageBase {
    /// The Dockerfile.
    pub dockerfile: String,
    /// The image, with the defaults of build arguments put in.
    pub image: String,
}

/// A way into the project: a script, a program or a process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryPoint {
    /// Its name.
    pub name: String,
    /// The command or the target behind it, where the manifest says.
    pub target: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// The manifest.
    pub manifest: String,
}

/// What an entry point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A program that an installation puts on the path.
    Program,
    /// A line of a Procfile.
    Process,
    /// A script that a package manager runs by name.
    Script,
}

/// A manifest that ties several packages together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// The manifest.
    pub manifest: String,
    /// The patterns that name its members, relative to the project.
    pub patterns: Vec<String>,
    /// The patterns that take directories out again, relative to the project.
    pub excluded: Vec<String>,
    /// The directories with a manifest of the same package world that are members.
    pub members: Vec<String>,
}

/// A manifest that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Invalid {
    /// Its path.
    pub file: String,
    /// The line, from 1, where known.
    pub line: Option<u32>,
    /// What is wrong, in one line.
    pub message: String,
}

/// Everything that the manifests of a project say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The packages in use, direct ones first; at most [`MAX_DEPENDENCIES`](super::MAX_DEPENDENCIES).
    pub dependencies: Vec<Dependency>,
    /// Whether dependencies were left out.
    pub truncated: bool,
    /// The direct dependencies of each package world.
    pub direct: BTreeMap<Ecosystem, usize>,
    /// The lock files.
    pub lockfiles: Vec<String>,
    /// How many direct dependencies neither a lock file nor their own requirement ties to one version.
    pub unpinned: usize,
    /// What manifests and lock files disagree on.
    pub drift: Vec<Drift>,
    /// The technologies.
    pub stack: Stack,
    /// The kind of project, such as `web` or `library`; the rules are in `project_type.rs`.
    pub project_type: String,
    /// Test coverage, from the most telling report.
    pub coverage: Option<Coverage>,
    /// The TCP ports that the project serves.
    pub ports: Vec<Port>,
    /// The base images.
    pub image_bases: Vec<ImageBase>,
    /// The licence as an SPDX expression.
    pub licence: Option<String>,
    /// The project in its own words.
    pub description: Option<String>,
    /// Ways into the project.
    pub entry_points: Vec<EntryPoint>,
    /// Manifests that tie packages together.
    pub workspaces: Vec<Workspace>,
    /// Manifests that cannot be read.
    pub invalid: Vec<Invalid>,
}

impl Findings {
    /// Returns the stack as one list of lower-case names: languages, frameworks, databases, tools, at most 100.
    pub fn tech_stack(&self) -> Vec<String> {
        let Stack {
            languages,
            frameworks,
            databases,
            tools,
        } = &self.stack;
        let mut names: Vec<String> = Vec::new();
        for name in [languages, frameworks, databases, tools].into_iter().flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names.truncate(100);
        names
    }
}
