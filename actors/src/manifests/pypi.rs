//! Python: requirements files, pyproject.toml, Pipfile, setup.cfg and the lock files of Poetry, uv, PDM and Pipenv.

mod lock;
mod pipfile;
mod pyproject;
mod requirement;
mod requirements;
mod setup_cfg;

use super::{part::Part, syntax::Broken};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Requirements,
    Pyproject,
    Pipfile,
    SetupCfg,
    PipfileLock,
    PoetryLock,
    UvLock,
    PdmLock,
}

impl Format {
    pub(super) fn of(directory: &str, name: &str) -> Option<Self> {
        match name {
            "pyproject.toml" => Some(Self::Pyproject),
            "Pipfile" => Some(Self::Pipfile),
            "setup.cfg" => Some(Self::SetupCfg),
            "Pipfile.lock" => Some(Self::PipfileLock),
            "poetry.lock" => Some(Self::PoetryLock),
            "uv.lock" => Some(Self::UvLock),
            "pdm.lock" => Some(Self::PdmLock),
            _ => is_requirements(directory, name).then_some(Self::Requirements),
        }
    }

    pub(super) fn is_lock(self) -> bool {
        matches!(
            self,
            Self::PipfileLock | Self::PoetryLock | Self::UvLock | Self::PdmLock
        )
    }
}

/// Knows `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt` and `requirements/base.txt`. A
/// `requirements.in` is left out: the file compiled from it says the same and more.
fn is_requirements(directory: &str, name: &str) -> bool {
    let Some((stem, "txt")) = name.rsplit_once('.') else {
        return false;
    };
    let is_named =
        |text: &str| text == "requirements" || text.starts_with("requirements-") || text.starts_with("requirements_");
    is_named(stem)
        || stem.starts_with("requirements.")
        || stem.ends_with("-requirements")
        || stem.ends_with("_requirements")
        || directory == "requirements"
        || directory.ends_with("/requirements")
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    let manifest = match format {
        Format::Requirements => requirements::read(path, source),
        Format::Pyproject => pyproject::read(path, source)?,
        Format::Pipfile => pipfile::read(path, source)?,
        Format::SetupCfg => setup_cfg::read(path, source),
        Format::PipfileLock => return pipfile::read_lock(path, source).map(Part::Lock),
        Format::PoetryLock => return lock::read(path, source, "poetry").map(Part::Lock),
        Format::UvLock => return lock::read(path, source, "uv").map(Part::Lock),
        Format::PdmLock => return lock::read(path, source, "pdm").map(Part::Lock),
    };
    Ok(Part::Manifest(Box::new(manifest)))
}

/// Writes a name as the index compares it: lower case, runs of `-`, `_` and `.` as one `-`.
fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(character.to_lowercase());
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_requirements_are_known_by_their_names() {
        for (directory, name, is_one) in [
            ("", "requirements.txt", true),
            ("", "requirements-dev.txt", true),
            ("", "dev-requirements.txt", true),
            ("api/requirements", "base.txt", true),
            ("", "requirements.in", false),
            ("", "requirements.md", false),
            ("docs", "notes.txt", false),
        ] {
            assert_eq!(is_requirements(directory, name), is_one, "{directory}/{name}");
        }
    }

    #[test]
    fn names_are_compared_as_the_index_does() {
        assert_eq!(normalised("Zope._-Interface"), "zope-interface");
    }
}
