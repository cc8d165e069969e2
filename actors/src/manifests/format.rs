//! Which files are read, how large they may be, and who reads them.

use super::{
    cargo, composer, coverage, docker, gem, go, jvm, licence,
    marker::Marker,
    npm,
    part::Part,
    place::{self, Place},
    procfile, pypi,
    syntax::{self, Broken},
};

/// Manifests are written by people.
const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Lock files and reports are written by programs.
const MAX_GENERATED_BYTES: usize = 32 * 1024 * 1024;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Cargo(cargo::Format),
    Npm(npm::Format),
    Pypi(pypi::Format),
    Go(go::Format),
    Jvm(jvm::Format),
    Composer(composer::Format),
    Gem(gem::Format),
    Docker(docker::Format),
    Coverage(coverage::Format),
    Procfile,
    Licence,
    Marker(Marker),
}

impl Format {
    /// Tells a file's format from its path; none when nothing is to be learnt from it.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = place::file_name(path);
        match Place::of(path) {
            Place::Foreign => None,
            Place::Output => coverage::Format::of(name).map(Self::Coverage),
            Place::Aside => Self::of_manifest(path, name),
            Place::Product => Self::of_manifest(path, name)
                .or_else(|| docker::Format::of(path, name).map(Self::Docker))
                .or_else(|| coverage::Format::of(name).map(Self::Coverage))
                .or_else(|| Self::of_root(path))
                .or_else(|| Marker::of(path).map(Self::Marker)),
        }
    }

    fn of_manifest(path: &str, name: &str) -> Option<Self> {
        cargo::Format::of(name)
            .map(Self::Cargo)
            .or_else(|| npm::Format::of(name).map(Self::Npm))
            .or_else(|| pypi::Format::of(place::directory(path), name).map(Self::Pypi))
            .or_else(|| go::Format::of(name).map(Self::Go))
            .or_else(|| jvm::Format::of(name).map(Self::Jvm))
            .or_else(|| composer::Format::of(name).map(Self::Composer))
            .or_else(|| gem::Format::of(name).map(Self::Gem))
    }

    /// Knows what only counts in the project's own directory.
    fn of_root(path: &str) -> Option<Self> {
        if path == "Procfile" {
            Some(Self::Procfile)
        } else {
            licence::is_licence_file(path).then_some(Self::Licence)
        }
    }

    fn max_bytes(self) -> usize {
        let is_generated = match self {
            Self::Cargo(format) => format == cargo::Format::Lock,
            Self::Npm(format) => format.is_lock(),
            Self::Pypi(format) => format.is_lock(),
            Self::Go(format) => format == go::Format::Sum,
            Self::Composer(format) => format == composer::Format::Lock,
            Self::Gem(format) => format == gem::Format::Lock,
            Self::Coverage(_) => true,
            Self::Jvm(_) | Self::Docker(_) | Self::Procfile | Self::Licence | Self::Marker(_) => false,
        };
        if is_generated {
            MAX_GENERATED_BYTES
        } else {
            MAX_MANIFEST_BYTES
        }
    }

    /// Reads a file of this format.
    pub(super) fn read(self, path: &str, content: &[u8]) -> Result<Part, Broken> {
        if let Self::Marker(marker) = self {
            return Ok(Part::Marker(marker));
        }
        if content.len() > self.max_bytes() {
            let message = format!("is larger than {} MB", self.max_bytes() / (1024 * 1024));
            return Err(Broken::new(None, &message));
        }
        let source = syntax::text(content)?;
        // Readers of coverage reports skip what they do not ask for.
        if !matches!(self, Self::Coverage(_)) {
            syntax::check_values(source)?;
        }
        match self {
            Self::Cargo(format) => cargo::read(format, path, source),
            Self::Npm(format) => npm::read(format, path, source),
            Self::Pypi(format) => pypi::read(format, path, source),
            Self::Go(format) => go::read(format, path, source),
            Self::Jvm(format) => jvm::read(format, path, source),
            Self::Composer(format) => composer::read(format, path, source),
            Self::Gem(format) => Ok(gem::read(format, path, source)),
            Self::Docker(format) => docker::read(format, path, source),
            Self::Coverage(format) => coverage::read(format, path, source),
            Self::Procfile => Ok(Part::Processes(procfile::read(path, source))),
            Self::Licence => Ok(licence::from_text(source).map_or(Part::Nothing, Part::Licence)),
            Self::Marker(marker) => Ok(Part::Marker(marker)),
        }
    }
}
