//! Ruby: Gemfile and Gemfile.lock. A Gemfile is a program and is never run: only its plain `gem` lines are read.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    findings::{Ecosystem, Kind, Source},
    part::{Declared, Lock, Locked, Manifest, Part},
    syntax::pattern,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Gemfile,
    Lock,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "Gemfile" | "gems.rb" => Some(Self::Gemfile),
            "Gemfile.lock" | "gems.locked" => Some(Self::Lock),
            _ => None,
        }
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Part {
    match format {
        Format::Gemfile => Part::Manifest(Box::new(gemfile(path, source))),
        Format::Lock => Part::Lock(lock(path, source)),
    }
}

/// A `gem` line: the name, then the version requirements that follow as plain texts.
static GEM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^gem[ (]\s*["']([\w.\-]+)["']((?:\s*,\s*["'][^"']*["'])*)(.*)$"#));

/// Groups that are not needed to run.
static DEV_GROUP: LazyLock<Regex> = LazyLock::new(|| pattern(r":?\b(development|test|ci|lint)\b"));

fn gemfile(path: &str, source: &str) -> Manifest {
    let mut manifest = Manifest::new(path, Ecosystem::Gem, Some("ruby"));
    // One entry per open block: whether it is a group for development.
    let mut blocks: Vec<bool> = Vec::new();
    for line in source.lines().map(str::trim) {
        let is_dev = blocks.contains(&true);
        if let Some(parts) = GEM.captures(line) {
            manifest
                .dependencies
                .push(declared(&parts[1], &parts[2], &parts[3], is_dev));
        } else if line == "gemspec" || line.starts_with("gemspec ") {
            manifest.is_library = true;
        } else if line == "end" {
            blocks.pop();
        } else if opens_block(line) {
            blocks.push(line.starts_with("group") && DEV_GROUP.is_match(line));
        }
    }
    manifest
}

fn opens_block(line: &str) -> bool {
    line.ends_with(" do") || line.contains(" do |") || line.starts_with("if ") || line.starts_with("unless ")
}

fn declared(name: &str, versions: &str, options: &str, is_dev: bool) -> Declared {
    let has = |key: &str| options.contains(&format!("{key}:")) || options.contains(&format!(":{key} =>"));
    let is_dev_alone = has("group") && DEV_GROUP.is_match(options);
    let kind = if is_dev || is_dev_alone {
        Kind::Dev
    } else {
        Kind::Runtime
    };
    let mut declared = Declared::new(name, kind);
    let requirement: Vec<&str> = versions
        .split(',')
        .map(|text| text.trim().trim_matches(['"', '\'']))
        .filter(|text| !text.is_empty())
        .collect();
    declared.requirement = (!requirement.is_empty()).then(|| requirement.join(", "));
    if has("git") || has("github") || has("bitbucket") {
        declared.source = Source::Git;
    } else if has("path") {
        declared.source = Source::Path;
    }
    declared
}

fn lock(path: &str, source: &str) -> Lock {
    let mut lock = Lock::new(path, Ecosystem::Gem, None);
    let mut section = "";
    for line in source.lines() {
        if !line.starts_with(' ') {
            section = line.trim();
            continue;
        }
        let origin = match section {
            "GEM" => Source::Registry,
            "GIT" => Source::Git,
            "PATH" => Source::Path,
            _ => continue,
        };
        if let Some(locked) = spec(line, origin)
            && lock.packages().last().is_none_or(|last| last.name != locked.name)
        {
            lock.add(locked);
        }
    }
    lock
}

/// Reads `    name (1.2.3-x86_64-linux)`, indented by four; what it needs is indented by six.
fn spec(line: &str, source: Source) -> Option<Locked> {
    let content = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' '))?;
    let (name, rest) = content.split_once(" (")?;
    let version = rest.trim_end().strip_suffix(')')?;
    Some(Locked {
        name: name.to_owned(),
        version: Some(version.split('-').next().unwrap_or(version).to_owned()),
        kind: Kind::Runtime,
        source,
    })
}
