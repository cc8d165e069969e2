//! What builds and installations leave in a tree: it is neither scanned nor searched for projects.

use std::path::Path;

/// Directories that are never anything else.
const DIRECTORIES: [&str; 20] = [
    "node_modules",
    "bower_components",
    "__pycache__",
    ".venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".eggs",
    ".gradle",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".turbo",
    ".parcel-cache",
    ".terraform",
    ".dart_tool",
    ".stack-work",
    ".direnv",
];
/// Files that compilers and packagers make.
const EXTENSIONS: [&str; 17] = [
    "pyc", "pyo", "class", "o", "obj", "a", "so", "dylib", "dll", "exe", "jar", "war", "whl", "egg", "rlib", "beam",
    "pdb",
];

/// Tells whether a directory holds only what a build or an installation made.
pub(super) fn is_directory(path: &Path, name: &str) -> bool {
    match name {
        "target" => path.join("CACHEDIR.TAG").exists() || has_sibling(path, &["Cargo.toml", "pom.xml"]),
        "venv" | "env" => path.join("pyvenv.cfg").exists(),
        name => DIRECTORIES.contains(&name) || name.ends_with(".egg-info"),
    }
}

/// Tells whether a file is one that a compiler or packager makes.
pub(super) fn is_file(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

fn has_sibling(path: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| path.with_file_name(name).exists())
}
