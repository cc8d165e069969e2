//! Go: go.mod, go.sum and go.work.

use super::{
    findings::{Ecosystem, Kind, Source},
    part::{Declared, Lock, Locked, Manifest, Part, Patterns, Role},
    syntax::Broken,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Mod,
    Sum,
    Work,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "go.mod" => Some(Self::Mod),
            "go.sum" => Some(Self::Sum),
            "go.work" => Some(Self::Work),
            _ => None,
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    match format {
        Format::Mod => Ok(Part::Manifest(Box::new(read_mod(path, source)?))),
        Format::Sum => Ok(Part::Lock(read_sum(path, source))),
        Format::Work => Ok(Part::Manifest(Box::new(read_work(path, source)?))),
    }
}

/// A directive with its arguments, also where a block lists several.
struct Directive<'text> {
    line: usize,
    verb: &'text str,
    arguments: Vec<&'text str>,
    comment: &'text str,
}

/// Reads the grammar that go.mod and go.work share.
fn directives(source: &str) -> Result<Vec<Directive<'_>>, Broken> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for (index, raw) in source.lines().enumerate() {
        let (code, comment) = raw.split_once("//").unwrap_or((raw, ""));
        let is_opening = block.is_none() && code.trim_end().ends_with('(');
        let mut arguments = words(code);
        if arguments.is_empty() {
            continue;
        }
        if block.is_some() && arguments == [")"] {
            block = None;
            continue;
        }
        let line = index + 1;
        let verb = block.unwrap_or_else(|| arguments.remove(0));
        if !is_verb(verb) {
            return Err(Broken::new(Some(line), &format!("unknown directive `{verb}`")));
        }
        if is_opening {
            block = Some(verb);
        } else {
            found.push(Directive {
                line,
                verb,
                arguments,
                comment: comment.trim(),
            });
        }
    }
    let last_line = source.lines().count();
    let unclosed = block.map(|verb| Broken::new(Some(last_line), &format!("the `{verb}` block is not closed")));
    unclosed.map_or(Ok(found), Err)
}

/// Splits a line into words without quotes and without the parenthesis that opens a block.
fn words(code: &str) -> Vec<&str> {
    let listed = code.trim_end().trim_end_matches('(').split_whitespace();
    listed.map(|word| word.trim_matches(['"', '`'])).collect()
}

fn is_verb(word: &str) -> bool {
    const VERBS: &[&str] = &[
        "module",
        "go",
        "toolchain",
        "godebug",
        "require",
        "exclude",
        "replace",
        "retract",
        "tool",
        "ignore",
        "use",
    ];
    VERBS.contains(&word)
}

fn read_mod(path: &str, source: &str) -> Result<Manifest, Broken> {
    let mut manifest = Manifest::new(path, Ecosystem::Go, Some("go"));
    for directive in directives(source)? {
        match (directive.verb, directive.arguments.as_slice()) {
            ("module", [name, ..]) => manifest.name = Some((*name).to_owned()),
            ("require", [name, version]) => {
                manifest.dependencies.push(required(name, version, directive.comment));
            }
            ("require", _) => {
                return Err(Broken::new(
                    Some(directive.line),
                    "a requirement is a module and a version",
                ));
            }
            ("replace", arguments) => replace(&mut manifest.dependencies, arguments),
            _ => {}
        }
    }
    // Whether it is a library shows in the absence of a main package beside it.
    manifest.is_library = true;
    Ok(manifest)
}

fn required(name: &str, version: &str, comment: &str) -> Declared {
    let mut declared = Declared::new(name, Kind::Runtime);
    declared.requirement = Some(version.to_owned());
    declared.version = Some(version.to_owned());
    if comment.split(';').any(|note| note.trim() == "indirect") {
        declared.role = Role::Indirect;
    }
    declared
}

/// Applies `old [version] => new [version]`, where a new path that begins with a dot is a directory.
fn replace(found: &mut [Declared], arguments: &[&str]) {
    let Some(arrow) = arguments.iter().position(|word| *word == "=>") else {
        return;
    };
    let (Some(old), Some(new)) = (arguments.first(), arguments.get(arrow + 1)) else {
        return;
    };
    for declared in found.iter_mut().filter(|declared| declared.name == *old) {
        if new.starts_with(['.', '/']) {
            declared.source = Source::Path;
        } else if let Some(version) = arguments.get(arrow + 2) {
            declared.version = Some((*version).to_owned());
        }
    }
}

/// Reads which modules have a checksum of their content; those that only have one of their go.mod are not built.
fn read_sum(path: &str, source: &str) -> Lock {
    let mut lock = Lock::new(path, Ecosystem::Go, None);
    for line in source.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version), Some(_)) = (words.next(), words.next(), words.next())
            && !version.ends_with("/go.mod")
        {
            lock.add(Locked {
                name: name.to_owned(),
                version: Some(version.to_owned()),
                kind: Kind::Runtime,
                source: Source::Registry,
            });
        }
    }
    lock
}

fn read_work(path: &str, source: &str) -> Result<Manifest, Broken> {
    let mut manifest = Manifest::new(path, Ecosystem::Go, Some("go"));
    manifest.is_package = false;
    let uses = directives(source)?
        .into_iter()
        .filter(|directive| directive.verb == "use");
    manifest.workspace = Some(Patterns {
        included: uses
            .flat_map(|directive| directive.arguments)
            .map(str::to_owned)
            .collect(),
        excluded: Vec::new(),
    });
    Ok(manifest)
}
