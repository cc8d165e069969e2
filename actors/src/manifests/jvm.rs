//! Java, Kotlin and Scala: pom.xml, Gradle's build scripts and its version catalogues.

mod catalog;
mod gradle;
mod pom;

use super::{part::Part, syntax::Broken};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Pom,
    GradleBuild,
    GradleSettings,
    GradleCatalog,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "pom.xml" => Some(Self::Pom),
            "build.gradle" | "build.gradle.kts" => Some(Self::GradleBuild),
            "settings.gradle" | "settings.gradle.kts" => Some(Self::GradleSettings),
            _ => name.ends_with(".versions.toml").then_some(Self::GradleCatalog),
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    let manifest = match format {
        Format::Pom => pom::read(path, source)?,
        Format::GradleBuild => gradle::read_build(path, source),
        Format::GradleSettings => gradle::read_settings(path, source),
        Format::GradleCatalog => catalog::read(path, source)?,
    };
    Ok(Part::Manifest(Box::new(manifest)))
}
