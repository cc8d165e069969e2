//! Code that is at hand: copies of some files of crates in Cargo's registry cache and of Python's standard library, so that
//! nothing changes under a test.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use super::world::{World, files_below};

/// Where Python keeps its own modules.
const PYTHON: &str = "import sysconfig; print(sysconfig.get_path('stdlib'))";

/// Says on the terminal that a test could not be made.
pub(super) fn skip(reason: &str) {
    writeln!(std::io::stderr(), "skipped: {reason}").unwrap();
}

/// Copies files of so many crates, at most so many bytes of each. Says whether there are any.
pub(super) fn copy_crates(world: &World, num_crates: usize, max_bytes: usize) -> bool {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let Some(Ok(registries)) = home.map(|home| fs::read_dir(home.join("registry/src"))) else {
        return false;
    };
    let mut crates: Vec<PathBuf> = registries
        .filter_map(|registry| fs::read_dir(registry.unwrap().path()).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    crates.sort();
    for folder in crates.iter().step_by(crates.len() / num_crates + 1) {
        copy_some(world, folder, max_bytes);
    }
    !crates.is_empty()
}

/// Copies some packages of Python's standard library. Says whether there are any.
pub(super) fn copy_python(world: &World, packages: &[&str], max_bytes: usize) -> bool {
    let Ok(output) = Command::new("python3").args(["-c", PYTHON]).output() else {
        return false;
    };
    let library = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let folders: Vec<PathBuf> = packages.iter().map(|package| library.join(package)).collect();
    let present = folders.iter().filter(|folder| folder.is_dir());
    present.map(|folder| copy_some(world, folder, max_bytes)).count() > 0
}

fn copy_some(world: &World, folder: &Path, max_bytes: usize) {
    let name = Path::new(folder.file_name().unwrap());
    let mut bytes = 0;
    for path in files_below(folder) {
        let content = fs::read(folder.join(&path)).unwrap_or_default();
        if content.contains(&0) {
            continue;
        }
        bytes += content.len();
        if bytes > max_bytes {
            break;
        }
        world.write(&name.join(&path).to_string_lossy(), &content);
    }
}
