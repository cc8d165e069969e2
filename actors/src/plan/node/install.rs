//! How the packages of a Node.js project are installed.

use super::{MANIFEST, Package};
use crate::plan::{Images, dockerfile::Text, tree::Tree};

/// Scripts that run while packages are installed, and may need the project's files.
const AT_INSTALL: [&str; 5] = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
/// Settings that package managers read.
const SETTINGS: [&str; 4] = [".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml"];
/// Where a version may be a place in the project.
const LOCAL: [&str; 5] = ["file:", "link:", "portal:", "workspace:", "patch:"];

/// Which program installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ManagerKind {
    Npm,
    Pnpm,
    /// Version 1, which comes with the images of Node.js.
    Yarn,
    /// Version 2 and newer, which Corepack brings.
    YarnBerry,
}

impl ManagerKind {
    /// Returns the command that runs a script.
    pub(super) fn run(self, script: &str) -> String {
        let program = match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn | Self::YarnBerry => "yarn",
        };
        format!("{program} run {script}")
    }
}

/// A package manager, and how it was found.
pub(super) struct Manager {
    pub(super) kind: ManagerKind,
    lock: Option<&'static str>,
    pub(super) why: String,
    pub(super) warnings: Vec<String>,
}

impl Manager {
    /// Finds the one that has written the lock file, else the one that the manifest names.
    pub(super) fn of(tree: &Tree, package: &Package) -> Self {
        let yarn = || match is_berry(tree, package) {
            true => ManagerKind::YarnBerry,
            false => ManagerKind::Yarn,
        };
        let locks = [
            ("package-lock.json", ManagerKind::Npm),
            ("npm-shrinkwrap.json", ManagerKind::Npm),
            ("pnpm-lock.yaml", ManagerKind::Pnpm),
            ("yarn.lock", yarn()),
        ];
        let mut found = locks.into_iter().filter(|(lock, _)| tree.has(lock));
        let Some((lock, kind)) = found.next() else {
            return Self::without_lock(tree, package, yarn());
        };
        let further: Vec<&str> = found.map(|(lock, _)| lock).collect();
        let warnings = match further.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "there are several lock files: {lock} counts, and {} does not",
                further.join(", ")
            )],
        };
        Self {
            kind,
            lock: Some(lock),
            why: format!(
                "{MANIFEST} and {lock} are there: `{}` installs the packages",
                install_line(kind, true, true)
            ),
            warnings,
        }
    }

    fn without_lock(tree: &Tree, package: &Package, yarn: ManagerKind) -> Self {
        let named = package.package_manager.as_deref().unwrap_or_default();
        let kind = match named {
            _ if named.starts_with("pnpm@") => ManagerKind::Pnpm,
            _ if named.starts_with("yarn@") => yarn,
            _ => ManagerKind::Npm,
        };
        let bun = ["bun.lock", "bun.lockb"].into_iter().find(|lock| tree.has(lock));
        let warning = match bun {
            Some(lock) => format!("{lock} is not used: versions of packages are chosen anew by each build"),
            None => "there is no lock file: versions of packages are chosen anew by each build".to_owned(),
        };
        Self {
            kind,
            lock: None,
            why: format!("{MANIFEST} is there"),
            warnings: package.has_dependencies().then_some(warning).into_iter().collect(),
        }
    }

    /// Writes the stage `build` up to where all packages and files are there. What changes seldom comes first, so that an
    /// engine need not repeat it.
    pub(super) fn install(&self, text: &mut Text, tree: &Tree, images: &Images, package: &Package, with_dev: bool) {
        text.add(format_args!("FROM {} AS build", images.node.as_str()));
        text.add("WORKDIR /app");
        if !package.has_dependencies() && self.lock.is_none() {
            text.add("COPY . .");
            return;
        }
        if let Some(tool) = self.corepack() {
            text.add(format_args!("RUN corepack enable {tool}"));
        }
        if needs_all_files(tree, package) {
            text.add("COPY . .");
            text.add(format_args!(
                "RUN {}",
                install_line(self.kind, self.lock.is_some(), with_dev)
            ));
            return;
        }
        let mut first = vec![MANIFEST];
        first.extend(self.lock);
        first.extend(tree.existing(&SETTINGS));
        text.add(format_args!("COPY {} ./", first.join(" ")));
        text.add(format_args!(
            "RUN {}",
            install_line(self.kind, self.lock.is_some(), with_dev)
        ));
        text.add("COPY . .");
    }

    /// Returns what removes the packages that only the build needed.
    pub(super) fn prune(&self) -> Option<&'static str> {
        match self.kind {
            ManagerKind::Npm => Some("npm prune --omit=dev"),
            ManagerKind::Pnpm => Some("pnpm prune --prod"),
            ManagerKind::Yarn => Some("yarn install --production --ignore-scripts --prefer-offline"),
            ManagerKind::YarnBerry => None,
        }
    }

    fn corepack(&self) -> Option<&'static str> {
        match self.kind {
            ManagerKind::Pnpm => Some("pnpm"),
            ManagerKind::YarnBerry => Some("yarn"),
            ManagerKind::Npm | ManagerKind::Yarn => None,
        }
    }
}

fn is_berry(tree: &Tree, package: &Package) -> bool {
    let named = package
        .package_manager
        .as_deref()
        .and_then(|text| text.strip_prefix("yarn@"));
    match named {
        Some(version) => !version.starts_with("0.") && !version.starts_with("1."),
        None => tree.has(".yarnrc.yml"),
    }
}

fn needs_all_files(tree: &Tree, package: &Package) -> bool {
    let listed = [
        &package.dependencies,
        &package.dev_dependencies,
        &package.optional_dependencies,
    ];
    let mut versions = listed.into_iter().flat_map(|listed| listed.values());
    package.workspaces.is_some()
        || tree.has("pnpm-workspace.yaml")
        || tree.has_directory(".yarn")
        || tree.has_directory("patches")
        || AT_INSTALL.iter().any(|script| package.script(script).is_some())
        || versions.any(|version| LOCAL.iter().any(|local| version.starts_with(local)))
}

fn install_line(kind: ManagerKind, is_locked: bool, with_dev: bool) -> &'static str {
    match (kind, is_locked, with_dev) {
        (ManagerKind::Npm, true, true) => "npm ci",
        (ManagerKind::Npm, true, false) => "npm ci --omit=dev",
        (ManagerKind::Npm, false, true) => "npm install",
        (ManagerKind::Npm, false, false) => "npm install --omit=dev",
        (ManagerKind::Pnpm, true, true) => "pnpm install --frozen-lockfile",
        (ManagerKind::Pnpm, true, false) => "pnpm install --frozen-lockfile --prod",
        (ManagerKind::Pnpm, false, true) => "pnpm install",
        (ManagerKind::Pnpm, false, false) => "pnpm install --prod",
        (ManagerKind::Yarn, true, true) => "yarn install --frozen-lockfile",
        (ManagerKind::Yarn, true, false) => "yarn install --frozen-lockfile --production",
        (ManagerKind::Yarn, false, true) => "yarn install",
        (ManagerKind::Yarn, false, false) => "yarn install --production",
        (ManagerKind::YarnBerry, true, _) => "yarn install --immutable",
        (ManagerKind::YarnBerry, false, _) => "yarn install",
    }
}
