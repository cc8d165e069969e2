//! One requirement: `name[extra]>=1.0; marker` or `name @ address`.

use super::normalised;
use crate::manifests::{
    findings::{Kind, Source},
    part::Declared,
};

/// Reads a requirement; none when it is not one.
pub(super) fn read(text: &str, kind: Kind) -> Option<Declared> {
    let without_marker = text.split(';').next().unwrap_or(text).trim();
    let name_end = without_marker
        .find(|c: char| !is_name_character(c))
        .unwrap_or(without_marker.len());
    let (name, rest) = without_marker.split_at(name_end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let mut declared = Declared::new(&normalised(name), kind);
    let (extras, constraint) = split_extras(rest.trim())?;
    declared.features = extras;
    if let Some(address) = constraint.strip_prefix('@') {
        // A marker can only follow an address after a space, so `;` inside of it is left alone.
        let full = text.split_once('@').map_or(address, |(_, after)| after);
        let plain = full.split(" ;").next().unwrap_or(full).trim();
        declared.source = source_of(plain);
        declared.requirement = Some(plain.to_owned());
        return Some(declared);
    }
    let bare = constraint.trim_start_matches('(').trim_end_matches(')').trim();
    if bare.is_empty() {
        return Some(declared);
    }
    bare.starts_with(['=', '<', '>', '!', '~']).then(|| {
        declared.version = exact(bare);
        declared.requirement = Some(bare.to_owned());
        declared
    })
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn split_extras(rest: &str) -> Option<(Vec<String>, &str)> {
    let Some(inner) = rest.strip_prefix('[') else {
        return Some((Vec::new(), rest));
    };
    let (list, after) = inner.split_once(']')?;
    let extras = list
        .split(',')
        .map(normalised)
        .filter(|name| !name.is_empty())
        .collect();
    Some((extras, after.trim()))
}

/// Returns the version that a constraint fixes.
pub(super) fn exact(constraint: &str) -> Option<String> {
    let version = constraint.trim_start_matches("===").trim_start_matches("==").trim();
    let is_exact =
        constraint.starts_with("==") && !version.is_empty() && !version.contains(['*', ',', '<', '>', '!', '=']);
    is_exact.then(|| version.to_owned())
}

/// Tells from an address what lies there.
pub(super) fn source_of(address: &str) -> Source {
    const VERSIONED: &[&str] = &["git+", "git:", "git@", "hg+", "svn+", "bzr+"];
    if VERSIONED.iter().any(|prefix| address.starts_with(prefix)) {
        Source::Git
    } else if address.starts_with("http:") || address.starts_with("https:") {
        Source::Url
    } else {
        Source::Path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_requirement_are_told_apart() {
        let declared = read(
            "SQLAlchemy[postgresql, asyncio] >=2.0,<3 ; python_version >= '3.9'",
            Kind::Runtime,
        )
        .unwrap();
        assert_eq!(declared.name, "sqlalchemy");
        assert_eq!(declared.features, ["postgresql", "asyncio"]);
        assert_eq!(declared.requirement.as_deref(), Some(">=2.0,<3"));
        assert_eq!(declared.version, None);
        assert_eq!(read("a==1.0", Kind::Runtime).unwrap().version.as_deref(), Some("1.0"));
        assert_eq!(read("a==1.*", Kind::Runtime).unwrap().version, None);
        let direct = read("a @ git+https://example.org/a.git@v1", Kind::Runtime).unwrap();
        assert_eq!(direct.source, Source::Git);
        assert_eq!(direct.requirement.as_deref(), Some("git+https://example.org/a.git@v1"));
    }

    #[test]
    fn other_text_is_no_requirement() {
        for text in ["", "<<<<<<< HEAD", "=======", "a b c", "a[b", "name-", "{{ package }}"] {
            assert!(read(text, Kind::Runtime).is_none(), "{text}");
        }
    }
}
