//! JavaScript: package.json and the lock files of npm, Yarn, pnpm and Bun.

mod bun;
mod package;
mod package_lock;
mod pnpm;
mod yarn;

use super::{
    findings::{Kind, Source},
    part::Part,
    syntax::Broken,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Package,
    PackageLock,
    YarnLock,
    PnpmLock,
    BunLock,
    PnpmWorkspace,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "package.json" => Some(Self::Package),
            "package-lock.json" | "npm-shrinkwrap.json" => Some(Self::PackageLock),
            "yarn.lock" => Some(Self::YarnLock),
            "bun.lock" => Some(Self::BunLock),
            "pnpm-lock.yaml" => Some(Self::PnpmLock),
            "pnpm-workspace.yaml" => Some(Self::PnpmWorkspace),
            _ => None,
        }
    }

    pub(super) fn is_lock(self) -> bool {
        matches!(
            self,
            Self::PackageLock | Self::YarnLock | Self::PnpmLock | Self::BunLock
        )
    }
}

pub(super) fn read(format: Format, path: &str, source: &str) -> Result<Part, Broken> {
    match format {
        Format::Package => Ok(Part::Manifest(Box::new(package::read(path, source)?))),
        Format::PackageLock => Ok(Part::Lock(package_lock::read(path, source)?)),
        Format::YarnLock => Ok(Part::Lock(yarn::read(path, source))),
        Format::BunLock => Ok(Part::Lock(bun::read(path, source)?)),
        Format::PnpmLock => Ok(Part::Lock(pnpm::read_lock(path, source)?)),
        Format::PnpmWorkspace => Ok(Part::Manifest(Box::new(pnpm::read_workspace(path, source)?))),
    }
}

/// Tells what a lock file's marks say a package is for.
fn kind_of(is_dev: bool, is_optional: bool) -> Kind {
    if is_dev {
        Kind::Dev
    } else if is_optional {
        Kind::Optional
    } else {
        Kind::Runtime
    }
}

/// Tells from a requirement or a resolved address where a package comes from.
fn source_of(spec: &str) -> Source {
    const PATHS: &[&str] = &["file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/"];
    const GIT: &[&str] = &[
        "git+",
        "git:",
        "git@",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
        "ssh:",
    ];
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| spec.starts_with(prefix));
    let is_web = begins(&["http:", "https:"]);
    let address = spec.split('#').next().unwrap_or(spec);
    if begins(PATHS) {
        Source::Path
    } else if begins(GIT) || (is_web && address.ends_with(".git")) || is_short_repository(address) {
        Source::Git
    } else if is_web {
        Source::Url
    } else {
        Source::Registry
    }
}

/// Tells `owner/repository` from a version range.
fn is_short_repository(spec: &str) -> bool {
    let is_plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    spec.split_once('/')
        .is_some_and(|(owner, name)| is_plain(owner) && is_plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_tell_where_a_package_comes_from() {
        for (spec, source) in [
            ("^1.2.3", Source::Registry),
            ("latest", Source::Registry),
            (">=1 <2 || 3.x", Source::Registry),
            ("workspace:*", Source::Path),
            ("file:../a", Source::Path),
            ("git+ssh://git@example.org/a/b.git#v1", Source::Git),
            ("https://example.org/a/b.git", Source::Git),
            ("owner/repository#semver:^1", Source::Git),
            ("https://example.org/a.tgz", Source::Url),
        ] {
            assert_eq!(source_of(spec), source, "{spec}");
        }
    }
}
