//! Whole projects, one package world each, and what has to be known about them.

mod broken;
mod cargo;
mod composer_and_gem;
mod coverage;
mod fuzz;
mod go;
mod jvm;
mod kinds;
mod npm;
mod pypi;
mod stack;

use super::*;

/// Reads a project, and checks that nobody is asked for files in vain.
fn project(files: &[(&str, &str)]) -> Findings {
    let files: Vec<File> = files
        .iter()
        .map(|(path, content)| File {
            path: (*path).to_owned(),
            content: content.as_bytes().to_vec(),
        })
        .collect();
    let findings = read(&files);
    let mut reversed = files;
    reversed.reverse();
    assert_eq!(read(&reversed), findings, "the order of the files changes the answer");
    findings
}

/// Writes dependencies as `name requirement version kind source`, with `-` for what is not known and `+` before what
/// others bring.
fn lines(findings: &Findings) -> Vec<String> {
    let word = |text: &Option<String>| text.as_ref().map_or("-".to_owned(), |text| text.replace(' ', "_"));
    let line = |dependency: &Dependency| {
        let mark = if dependency.is_direct { "" } else { "+" };
        format!(
            "{mark}{} {} {} {:?} {:?}",
            dependency.name,
            word(&dependency.requirement),
            word(&dependency.version),
            dependency.kind,
            dependency.source
        )
    };
    findings.dependencies.iter().map(line).collect()
}
