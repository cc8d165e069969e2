//! setup.cfg: the metadata and options of setuptools, in the dialect of Python's configparser.

use super::requirement;
use crate::manifests::{
    findings::{Ecosystem, EntryKind, Kind},
    licence,
    part::Manifest,
};

/// A key of a section with its lines; lists are written one item per indented line.
struct Field<'text> {
    section: &'text str,
    key: &'text str,
    lines: Vec<&'text str>,
}

pub(super) fn read(path: &str, source: &str) -> Manifest {
    let mut manifest = Manifest::new(path, Ecosystem::Pypi, None);
    manifest.is_package = false;
    manifest.is_lockable = false;
    for field in fields(source) {
        apply(&mut manifest, &field);
    }
    manifest
}

fn fields(source: &str) -> Vec<Field<'_>> {
    let mut found: Vec<Field<'_>> = Vec::new();
    let mut section = "";
    for line in source.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if let Some(last) = found.last_mut() {
                last.lines.push(content);
            }
        } else if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            found.push(Field {
                section,
                key: "",
                lines: Vec::new(),
            });
        } else if let Some((key, value)) = content.split_once(['=', ':']) {
            let lines = Some(value.trim()).filter(|text| !text.is_empty()).into_iter().collect();
            found.push(Field {
                section,
                key: key.trim(),
                lines,
            });
        }
    }
    found
}

fn apply(manifest: &mut Manifest, field: &Field<'_>) {
    let first = field.lines.first().map(|text| (*text).to_owned());
    match (field.section, field.key) {
        ("metadata", "name") => {
            manifest.name = first;
            manifest.language = Some("python");
            manifest.is_package = true;
            manifest.is_installable = true;
        }
        ("metadata", "description" | "summary") => manifest.description = first,
        ("metadata", "license") => manifest.licence = first.and_then(|text| licence::expression(&text)),
        ("options", "install_requires") => add(manifest, &field.lines, Kind::Runtime),
        ("options", "setup_requires") => add(manifest, &field.lines, Kind::Build),
        ("options", "tests_require") => add(manifest, &field.lines, Kind::Dev),
        ("options.extras_require", key) if !key.is_empty() => add(manifest, &field.lines, Kind::Optional),
        ("options.entry_points", "console_scripts") => {
            for line in &field.lines {
                if let Some((name, target)) = line.split_once('=') {
                    manifest.add_entry(EntryKind::Program, name.trim(), Some(target.trim().to_owned()));
                }
            }
        }
        (section, "") => manifest
            .hints
            .push(section.split(':').next().unwrap_or(section).to_owned()),
        _ => {}
    }
}

fn add(manifest: &mut Manifest, lines: &[&str], kind: Kind) {
    let requirements = lines.iter().filter_map(|text| requirement::read(text, kind));
    manifest.dependencies.extend(requirements);
}
