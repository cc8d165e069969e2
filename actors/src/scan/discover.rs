//! Which projects lie below a directory.
//!
//! A directory with a repository or a manifest is a project, and the outermost such directory is one for all that is below
//! it. Below a project, a directory is a project of its own only when it stands alone:
//!
//! - it has a repository of its own (a clone, a worktree or a submodule), or
//! - it has a manifest and, beside it, what something has that is run or shown by itself: a Dockerfile, or a README together
//!   with a lock file.
//!
//! What the manifest of the project above names as a workspace member is part of that project either way, unless it has a
//! repository of its own. Nothing is looked for in what builds or installations left, in vendored code, or in test data.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

use super::artefact;

mod workspace;

const MAX_DEPTH: usize = 12;
const MAX_DIRECTORIES: usize = 200_000;
/// A directory with more entries holds data.
const MAX_ENTRIES: usize = 20_000;
const MANIFESTS: [&str; 21] = [
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "Pipfile",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "Gemfile",
    "mix.exs",
    "deno.json",
    "CMakeLists.txt",
    "meson.build",
    "Package.swift",
    "pubspec.yaml",
    "stack.yaml",
    "build.sbt",
    "docker-compose.yml",
];
const LOCK_FILES: [&str; 12] = [
    "Cargo.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "go.sum",
    "composer.lock",
    "Gemfile.lock",
    "mix.lock",
];
const SKIPPED: [&str; 12] = [
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "site-packages",
    "dist-packages",
    "venv",
    "env",
    "target",
    "testdata",
    "fixtures",
    "__fixtures__",
];

/// A project that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectRoot {
    /// Its directory.
    pub path: PathBuf,
    /// The directory's name.
    pub name: String,
    /// Why it is a project.
    pub evidence: Vec<Evidence>,
}

/// What makes a directory a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It has a repository.
    Git,
    /// It has a manifest of this name.
    Manifest(String),
}

/// Finds at most so many projects below a directory, or that directory itself; sorted by path.
///
/// Directories that cannot be read are passed over, and so is the excluded one. Symbolic links are not followed. Ends early
/// when the flag is set.
pub fn discover(root: &Path, cap: usize, excluded: Option<&Path>, cancel: &AtomicBool) -> Vec<ProjectRoot> {
    let mut search = Search {
        found: Vec::new(),
        num_directories: 0,
        cap,
        excluded,
        cancel,
    };
    search.enter(root, None, 0);
    search.found.sort_by(|left, right| left.path.cmp(&right.path));
    search.found
}

struct Search<'a> {
    found: Vec<ProjectRoot>,
    num_directories: usize,
    cap: usize,
    excluded: Option<&'a Path>,
    cancel: &'a AtomicBool,
}

impl Search<'_> {
    fn enter(&mut self, directory: &Path, above: Option<&Path>, depth: usize) {
        self.num_directories += 1;
        let is_over = depth > MAX_DEPTH || self.num_directories > MAX_DIRECTORIES || self.found.len() >= self.cap;
        if is_over || self.excluded == Some(directory) || self.cancel.load(Ordering::Relaxed) {
            return;
        }
        let Some(listing) = Listing::read(directory) else {
            return;
        };
        let is_project = listing.is_project() && above.is_none_or(|above| listing.stands_alone(directory, above));
        if is_project {
            self.found.push(ProjectRoot {
                path: directory.to_owned(),
                name: directory
                    .file_name()
                    .unwrap_or(directory.as_os_str())
                    .to_string_lossy()
                    .into_owned(),
                evidence: listing.evidence(),
            });
        }
        let above = if is_project { Some(directory) } else { above };
        for name in &listing.directories {
            self.enter(&directory.join(name), above, depth + 1);
        }
    }
}

/// What is in a directory.
#[derive(Default)]
struct Listing {
    files: Vec<String>,
    directories: Vec<String>,
    has_git: bool,
}

impl Listing {
    fn read(directory: &Path) -> Option<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(directory).ok()?.flatten().take(MAX_ENTRIES) {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            listing.has_git |= name == ".git";
            if kind.is_file() {
                listing.files.push(name);
            } else if kind.is_dir() && is_entered(&entry.path(), &name) {
                listing.directories.push(name);
            }
        }
        listing.directories.sort_unstable();
        Some(listing)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        self.files.iter().any(|file| names.contains(&file.as_str()))
    }

    fn is_project(&self) -> bool {
        self.has_git || self.has_any(&MANIFESTS)
    }

    /// Tells whether a project below another is one of its own.
    fn stands_alone(&self, directory: &Path, above: &Path) -> bool {
        if self.has_git {
            return true;
        }
        let has_readme = self.files.iter().any(|file| file.to_lowercase().starts_with("readme"));
        let is_own = self.has_any(&["Dockerfile", "Containerfile"]) || (has_readme && self.has_any(&LOCK_FILES));
        is_own && self.has_any(&MANIFESTS) && !workspace::has_member(above, directory)
    }

    fn evidence(&self) -> Vec<Evidence> {
        let manifests = MANIFESTS
            .iter()
            .filter(|name| self.files.iter().any(|file| file == *name));
        let manifests = manifests.map(|name| Evidence::Manifest((*name).to_owned()));
        self.has_git
            .then_some(Evidence::Git)
            .into_iter()
            .chain(manifests)
            .collect()
    }
}

/// Tells whether projects are looked for in a directory.
fn is_entered(path: &Path, name: &str) -> bool {
    !name.starts_with('.') && !SKIPPED.contains(&name) && !artefact::is_directory(path, name)
}

#[cfg(test)]
mod tests;
