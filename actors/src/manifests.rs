//! What the manifests, lock files, container files, CI files and coverage reports of a project say about it.
//!
//! Everything here is a function of bytes: nothing is opened, asked or run. The caller walks the project, passes the
//! files for which [`is_wanted`] says yes, and gets [`Findings`].
//!
//! ```text
//! file --format--> reader of its kind --> part --gather--> inherit --> workspace --> resolve ------> findings
//!                                                                \----> stack ------> project type ---^
//! ```
//!
//! Files in vendored directories and fixtures are not wanted. Those among tests, examples and documentation only bring
//! dependencies for development. Words in prose never count.

mod cargo;
mod ci;
mod composer;
mod coverage;
mod docker;
mod findings;
mod format;
mod gather;
mod gem;
mod go;
mod inherit;
mod jvm;
mod licence;
mod marker;
mod npm;
mod part;
mod place;
mod procfile;
mod project_type;
mod pypi;
mod resolve;
mod stack;
mod summary;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod workspace;
mod xml;

pub(crate) use docker::exposed_ports;
pub use findings::{
    Coverage, Dependency, Drift, Ecosystem, EntryKind, EntryPoint, Findings, Gap, ImageBase, Invalid, Kind, Port,
    Source, Stack, Workspace,
};
pub(crate) use procfile::port_in;

/// Findings have no more dependencies than this: a large monorepo has some ten thousand.
pub const MAX_DEPENDENCIES: usize = 20_000;

/// The other lists are cut here.
const MAX_LISTED: usize = 1_000;

/// A file of a project.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path relative to the project, with `/` between the parts.
    pub path: String,
    /// All of its content.
    pub content: Vec<u8>,
}

/// Reads the one document of a YAML file, with bounds on what it can cost.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn yaml_document(source: &str) -> Result<serde_json::Value, String> {
    let documents: Vec<serde_json::Value> = syntax::yaml(source).map_err(|broken| broken.message)?;
    match <[serde_json::Value; 1]>::try_from(documents) {
        Ok([document]) => Ok(document),
        Err(documents) => Err(format!("it has {} documents instead of one", documents.len())),
    }
}

/// Says whether [`read`] learns something from the file at a path relative to the project.
pub fn is_wanted(path: &str) -> bool {
    format::Format::of(path).is_some()
}

/// Reads the wanted files of a project; the answer does not depend on their order.
///
/// The work is bounded by the size of the files, of which manifests over 1 MB and lock files or reports over 32 MB are
/// reported and not read. Call it from a blocking task.
pub fn read(files: &[File]) -> Findings {
    let mut gathered = gather::Gathered::read(files);
    inherit::complete(&mut gathered.manifests);
    let workspaces = workspace::find(&gathered.manifests);
    let resolved = resolve::resolve(&gathered, &workspaces);
    let technologies = stack::Technologies::find(&gathered);
    let project_type = project_type::decide(&gathered, &workspaces, &technologies);
    let mut invalid = std::mem::take(&mut gathered.invalid);
    invalid.truncate(MAX_LISTED);
    Findings {
        dependencies: resolved.dependencies,
        truncated: resolved.truncated,
        direct: resolved.direct,
        lockfiles: gathered
            .locks
            .iter()
            .map(|lock| lock.path.clone())
            .take(MAX_LISTED)
            .collect(),
        unpinned: resolved.unpinned,
        drift: resolved.drift,
        stack: technologies.stack(),
        project_type: project_type.to_owned(),
        coverage: coverage::best(std::mem::take(&mut gathered.reports)),
        ports: summary::ports(&gathered),
        image_bases: summary::image_bases(&gathered),
        licence: summary::licence(&gathered),
        description: summary::description(&gathered),
        entry_points: summary::entry_points(&gathered),
        workspaces,
        invalid,
    }
}
