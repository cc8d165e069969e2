//! Containers: Dockerfiles, compose files, and the services that CI files start.

mod compose;
mod dockerfile;
mod variable;

use super::{ci, part::Part, syntax::Broken};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Dockerfile,
    Compose,
    Ci(ci::Service),
}

/// What a Dockerfile makes.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) path: String,
    /// What the last stage stands on.
    pub(super) base: String,
    pub(super) ports: Vec<u16>,
}

/// What runs beside the code.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) path: String,
    /// The tool that starts them.
    pub(super) tool: &'static str,
    pub(super) images: Vec<String>,
    pub(super) ports: Vec<u16>,
}

impl Format {
    pub(super) fn of(path: &str, name: &str) -> Option<Self> {
        let is_dockerfile = matches!(name, "Dockerfile" | "Containerfile")
            || name.starts_with("Dockerfile.") && !name.ends_with(".dockerignore")
            || name.ends_with(".Dockerfile")
            || name.ends_with(".dockerfile");
        if is_dockerfile {
            return Some(Self::Dockerfile);
        }
        let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
        let is_compose = |stem: &str| {
            ["docker-compose", "compose"].iter().any(|word| {
                stem.strip_prefix(word)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
            })
        };
        if stem.is_some_and(is_compose) {
            return Some(Self::Compose);
        }
        ci::Service::of(path).map(Self::Ci)
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    match format {
        Format::Dockerfile => Ok(dockerfile::read(path, source).map_or(Part::Nothing, Part::Image)),
        Format::Compose => Ok(Part::Services(compose::read(path, source)?)),
        Format::Ci(service) => Ok(Part::Services(ci::read(service, path, source)?)),
    }
}

/// Returns the ports that the last stage of a Dockerfile exposes, as far as the text tells.
pub(crate) fn exposed_ports(source: &str) -> Vec<u16> {
    dockerfile::read("Dockerfile", source).map_or_else(Vec::new, |image| image.ports)
}

/// Takes registry, tag and digest off an image: `registry.example:5000/library/postgres:16@sha256:..` is `postgres`.
pub(super) fn short_name(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let last = without_digest.rsplit('/').next().unwrap_or(without_digest);
    last.split(':').next().unwrap_or(last)
}
