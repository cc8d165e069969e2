//! Files for `pip install -r`. No crate reads them as pip does, so this follows pip's own documentation.
//!
//! A file that is included with `-r` has a name that is recognised too, or is left out: nothing is opened here.

use super::{
    normalised,
    requirement::{self, source_of},
};
use crate::manifests::{
    findings::{Ecosystem, Kind},
    part::{Declared, Manifest, Role},
    place,
    syntax::Broken,
};

/// Words in a file's name that tell that nothing in it is needed to run.
const DEV_WORDS: &[&str] = &[
    "dev",
    "develop",
    "development",
    "test",
    "tests",
    "testing",
    "lint",
    "doc",
    "docs",
    "ci",
    "typing",
];

/// One requirement with its continuation lines put together, and where it begins.
struct Line {
    number: usize,
    text: String,
    /// The comments behind and below it.
    comment: String,
}

impl Line {
    /// Whether `pip-compile` wrote that only other packages ask for it: `# via flask`, and not `# via -r base.in` or
    /// `# via site (pyproject.toml)`.
    fn is_brought(&self) -> bool {
        self.comment.starts_with("via ") && !self.comment.contains(" -r ") && !self.comment.contains('(')
    }
}

pub(super) fn read(path: &str, source: &str) -> Manifest {
    let mut manifest = Manifest::new(path, Ecosystem::Pypi, Some("python"));
    manifest.is_lockable = false;
    let kind = kind_of(path);
    for line in logical_lines(source) {
        match read_line(&line.text, kind) {
            Ok(Some(mut declared)) => {
                if line.is_brought() {
                    declared.role = Role::Indirect;
                }
                manifest.dependencies.push(declared);
            }
            Ok(None) => {}
            Err(message) => {
                manifest.problem.get_or_insert(Broken::new(Some(line.number), message));
            }
        }
    }
    manifest
}

fn kind_of(path: &str) -> Kind {
    let stem = place::file_name(path).rsplit_once('.').map_or("", |(stem, _)| stem);
    let is_dev = stem.split(['-', '_', '.']).any(|word| DEV_WORDS.contains(&word));
    if is_dev { Kind::Dev } else { Kind::Runtime }
}

/// Puts continued lines together and sets the comments apart.
fn logical_lines(source: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut is_open = false;
    for (index, raw) in source.lines().enumerate() {
        let (code, comment) = split_comment(raw.trim());
        let content = code.strip_suffix('\\').unwrap_or(code).trim();
        match lines.last_mut() {
            Some(last) if is_open => {
                last.text.push(' ');
                last.text.push_str(content);
            }
            _ if content.is_empty() => {}
            _ => lines.push(Line {
                number: index + 1,
                text: content.to_owned(),
                comment: String::new(),
            }),
        }
        // A comment at the margin begins a new section and does not belong to the line above.
        if let Some(last) = lines
            .last_mut()
            .filter(|_| !raw.starts_with('#') && !comment.is_empty())
        {
            last.comment.push_str(comment);
            last.comment.push(' ');
        }
        is_open = code.ends_with('\\');
    }
    lines
}

/// Splits a line at the `#` that begins it or follows a space.
fn split_comment(line: &str) -> (&str, &str) {
    if let Some(comment) = line.strip_prefix('#') {
        return ("", comment.trim());
    }
    line.split_once(" #")
        .map_or((line, ""), |(code, comment)| (code.trim(), comment.trim()))
}

/// Reads one line; none for options and for what has no name.
fn read_line(text: &str, kind: Kind) -> Result<Option<Declared>, &'static str> {
    let without_hashes = text.split(" --").next().unwrap_or(text).trim();
    for option in ["-e ", "--editable ", "--editable="] {
        if let Some(address) = text.strip_prefix(option) {
            return Ok(at_address(address.trim(), kind));
        }
    }
    if text.starts_with('-') || text.contains("{{") || text.contains("{%") {
        return Ok(None);
    }
    if is_address(without_hashes) {
        return Ok(at_address(without_hashes, kind));
    }
    match requirement::read(without_hashes, kind) {
        Some(declared) => Ok(Some(declared)),
        None => Err("is neither a requirement nor an option"),
    }
}

fn is_address(text: &str) -> bool {
    let first_word = text.split([' ', '@']).next().unwrap_or(text);
    text.contains("://") && !text.contains(" @ ") || first_word.starts_with(['.', '/']) || first_word.ends_with(".whl")
}

/// Reads what lies at an address, if the address names it.
fn at_address(address: &str, kind: Kind) -> Option<Declared> {
    let name = match address.split_once("#egg=") {
        Some((_, egg)) => egg.split(['&', '[']).next().unwrap_or(egg),
        None => {
            let last = address
                .split(['#', '?'])
                .next()
                .unwrap_or(address)
                .rsplit('/')
                .next()
                .unwrap_or_default();
            match last.strip_suffix(".whl") {
                Some(wheel) => wheel.split('-').next().unwrap_or(wheel),
                None => last.split('@').next().unwrap_or(last).trim_end_matches(".git"),
            }
        }
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    is_name.then(|| {
        let mut declared = Declared::new(&normalised(name), kind);
        declared.source = source_of(address);
        declared.requirement = Some(address.to_owned());
        declared
    })
}
