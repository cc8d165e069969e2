//! Tells one build of the program from another.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

/// The version of this program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Identifies the file of a program. A file that was replaced is another one, whatever its version.
pub(super) fn of_file(program: &Path) -> io::Result<String> {
    let file = fs::metadata(program)?;
    Ok(format!(
        "{}:{}:{}.{}",
        file.dev(),
        file.ino(),
        file.mtime(),
        file.mtime_nsec()
    ))
}

/// Identifies the file that this process runs, also when it was deleted since.
pub(super) fn of_this_process() -> String {
    of_file(Path::new("/proc/self/exe")).unwrap_or_else(|error| {
        tracing::warn!(%error, "the file of this program cannot be identified");
        String::new()
    })
}
