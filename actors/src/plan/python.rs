//! Python projects: what is installed, and what is started.

mod install;
mod way;

use std::collections::BTreeSet;

use self::install::Installer;
use super::{
    DEFAULT_PORT, Draft, Images, Kind,
    dockerfile::{Text, USER},
    start::Said,
    tree::Tree,
};
use crate::manifests::{self, Ecosystem, EntryKind, File, Findings};

/// Files that tell what a project depends on.
const MANIFESTS: [&str; 5] = ["requirements.txt", "pyproject.toml", "setup.cfg", "setup.py", "Pipfile"];
const IGNORED: &[&str] = &["**/__pycache__", ".venv", "venv"];
/// Where packages are installed.
const ENVIRONMENT: &str = "ENV VIRTUAL_ENV=/venv PATH=/venv/bin:$PATH";

/// What is known of a project's packages.
struct Packages {
    names: BTreeSet<String>,
    /// Programs that the project itself installs.
    programs: Vec<String>,
}

impl Packages {
    fn read(tree: &Tree) -> Result<Self, String> {
        let mut files = Vec::new();
        for path in MANIFESTS {
            if let Some(text) = tree.text(path)? {
                files.push(File {
                    path: path.to_owned(),
                    content: text.into_bytes(),
                });
            }
        }
        let findings: Findings = manifests::read(&files);
        if let Some(invalid) = findings.invalid.first() {
            return Err(format!("{} is not valid: {}", invalid.file, invalid.message));
        }
        let of_python = findings
            .dependencies
            .iter()
            .filter(|found| found.ecosystem == Ecosystem::Pypi);
        let programs = findings
            .entry_points
            .iter()
            .filter(|entry| entry.kind == EntryKind::Program);
        Ok(Self {
            names: of_python
                .map(|found| found.name.to_ascii_lowercase().replace('_', "-"))
                .collect(),
            programs: programs.map(|entry| entry.name.clone()).collect(),
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Looks for a manifest, or for nothing but a command that `python` runs.
pub(super) fn detect(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Option<Draft>, String> {
    let found = tree.existing(&MANIFESTS);
    if found.is_empty() && said.and_then(Said::stack) != Some(Kind::Python) {
        return Ok(None);
    }
    let packages = Packages::read(tree)?;
    let installer = Installer::of(tree)?;
    let way = way::find(tree, &packages, said)?;
    let port = way.port.unwrap_or(DEFAULT_PORT);
    let first = match found.is_empty() {
        true => "the start command is Python's".to_owned(),
        false => format!("{} is there", found.join(", ")),
    };
    let mut why = vec![first];
    why.extend(installer.why.clone());
    why.push(way.why);
    let mut warnings = installer.warnings.clone();
    warnings.extend(way.warnings);
    Ok(Some(Draft {
        kind: Kind::Python,
        why,
        warnings,
        dockerfile: dockerfile(tree, images, &installer, &way.command, port),
        ignored: IGNORED,
        command: way.command,
        port,
    }))
}

/// Installs in one stage and runs in another, which has no caches, and whose files belong to the program.
fn dockerfile(tree: &Tree, images: &Images, installer: &Installer, command: &[String], port: u16) -> String {
    let mut text = Text::for_project("a Python project");
    text.add(format_args!("FROM {} AS build", images.python.as_str()));
    text.add("WORKDIR /app");
    text.add("RUN python -m venv /venv");
    text.add(ENVIRONMENT);
    installer.write(&mut text, tree);
    text.add(format_args!("FROM {}", images.python.as_str()));
    text.add("COPY --from=build /venv /venv");
    text.add(format_args!("COPY --from=build --chown={USER} /app /app"));
    text.add("WORKDIR /app");
    text.add(ENVIRONMENT);
    text.add("ENV PYTHONUNBUFFERED=1");
    text.finish(command, port)
}
