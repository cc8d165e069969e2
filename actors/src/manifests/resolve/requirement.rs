//! Requirements that allow one version only.

use crate::manifests::findings::Ecosystem;

/// Returns the version that a requirement fixes, by the rules of its package world.
pub(super) fn fixed(ecosystem: Ecosystem, requirement: Option<&str>) -> Option<String> {
    let text = requirement?.trim();
    let version = match ecosystem {
        Ecosystem::Cargo => text.strip_prefix('=')?.trim(),
        Ecosystem::Gem => text.strip_prefix('=').unwrap_or(text).trim(),
        Ecosystem::Npm | Ecosystem::Composer => text.trim_start_matches(['=', 'v']).trim(),
        // Their readers know whether a version is fixed.
        Ecosystem::Pypi | Ecosystem::Go | Ecosystem::Maven => return None,
    };
    let mut numbers = version.split(['-', '+']).next().unwrap_or_default().split('.');
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let num_parts = numbers.clone().count();
    let is_plain = version
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
    (is_plain && num_parts >= 3 && numbers.all(is_number)).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_version_is_fixed() {
        for (ecosystem, requirement, version) in [
            (Ecosystem::Cargo, "=1.2.3", Some("1.2.3")),
            (Ecosystem::Cargo, "1.2.3", None),
            (Ecosystem::Npm, "1.2.3", Some("1.2.3")),
            (Ecosystem::Npm, "1.2.3-beta.1", Some("1.2.3-beta.1")),
            (Ecosystem::Npm, "^1.2.3", None),
            (Ecosystem::Npm, "1.2", None),
            (Ecosystem::Npm, "1.2.3 || 2.0.0", None),
            (Ecosystem::Composer, "v1.2.3", Some("1.2.3")),
            (Ecosystem::Gem, "= 7.1.0", Some("7.1.0")),
            (Ecosystem::Gem, "~> 7.1.0", None),
        ] {
            assert_eq!(fixed(ecosystem, Some(requirement)).as_deref(), version, "{requirement}");
        }
    }
}
