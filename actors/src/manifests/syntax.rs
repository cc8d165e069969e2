//! Reads the syntaxes that manifests are written in, with bounds on what a file can cost.
//!
//! Size is bounded by the caller, depth by each parser: JSON 128 levels, TOML 80, YAML 64, XML by [`super::xml`].

use regex::Regex;
use serde::de::DeserializeOwned;
use serde_saphyr::options::DuplicateKeyPolicy;

/// Aliases let a small YAML file stand for an endless one, so a file gets few of them.
const MAX_YAML_ALIASES: usize = 2_000;

/// What all aliases of a file may stand for together.
const MAX_YAML_REPLAYS: usize = 50_000;

/// A lock file of 32 MB that a package manager wrote has half as many values.
const MAX_VALUES: usize = 2_000_000;

/// One package has some hundred files of two hundred bytes each; old lock files end with a list of all files.
const MAX_PACKAGE_BYTES: usize = 2 * 1024 * 1024;

/// Longer messages quote the file.
const MAX_MESSAGE_CHARS: usize = 200;

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The line, from 1, where known.
    pub(super) line: Option<u32>,
    /// What is wrong, in one line.
    pub(super) message: String,
}

impl Broken {
    pub(super) fn new(line: Option<usize>, message: &str) -> Self {
        let first_line = message
            .lines()
            .find(|text| !text.trim().is_empty())
            .unwrap_or("cannot be read");
        Self {
            line: line
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0),
            message: first_line.trim().chars().take(MAX_MESSAGE_CHARS).collect(),
        }
    }
}

/// Reads bytes as UTF-8 and drops the byte order mark that some editors write.
pub(super) fn text(content: &[u8]) -> Result<&str, Broken> {
    match std::str::from_utf8(content) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(cause) => {
            let line = line_at(content, cause.valid_up_to());
            Err(Broken::new(Some(line), "is not valid UTF-8"))
        }
    }
}

/// Compiles a pattern of ours.
pub(super) fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("a constant pattern is valid")
}

/// Returns the line, from 1, that a byte is in.
pub(super) fn line_at(content: &[u8], offset: usize) -> usize {
    let end = offset.min(content.len());
    1 + content[..end].iter().filter(|byte| **byte == b'\n').count()
}

/// Refuses a file that would take far more memory than its size: an entry takes few bytes of text and a hundred of memory.
pub(super) fn check_values(source: &str) -> Result<(), Broken> {
    let weight = |byte: u8| match byte {
        b',' | b'\n' => 1,
        b'{' => 3,
        _ => 0,
    };
    if source.bytes().map(weight).sum::<usize>() > MAX_VALUES {
        return Err(Broken::new(None, &format!("has more than {MAX_VALUES} values")));
    }
    Ok(())
}

pub(super) fn json<T: DeserializeOwned>(source: &str) -> Result<T, Broken> {
    serde_json::from_str(source).map_err(|cause| broken_json(&cause))
}

pub(super) fn broken_json(cause: &serde_json::Error) -> Broken {
    let message = cause.to_string();
    let without_place = message.split(" at line ").next().unwrap_or(&message);
    Broken::new(Some(cause.line()), without_place)
}

pub(super) fn toml<T: DeserializeOwned>(source: &str) -> Result<T, Broken> {
    toml::from_str(source).map_err(|cause: toml::de::Error| {
        let line = cause.span().map(|span| line_at(source.as_bytes(), span.start));
        Broken::new(line, cause.message())
    })
}

/// Reads a lock file that is a list of `[[package]]` tables, one table at a time: as a whole it would take a hundred
/// times its size in memory. What stands before the first table is a part of its own.
pub(super) fn toml_packages<T: DeserializeOwned>(source: &str) -> Result<Vec<T>, Broken> {
    let mut starts: Vec<usize> = source.match_indices("\n[[package]]").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    let ends = starts.iter().skip(1).copied().chain([source.len()]);
    let mut num_lines_before = 0;
    let mut parts = Vec::new();
    for (start, end) in starts.iter().zip(ends) {
        let part = &source[*start..end];
        let shifted = |broken: Broken| Broken {
            line: broken.line.map(|line| line + num_lines_before),
            message: broken.message,
        };
        if part.len() > MAX_PACKAGE_BYTES {
            return Err(shifted(Broken::new(Some(1), "a package is larger than 2 MB")));
        }
        parts.push(toml(part).map_err(shifted)?);
        num_lines_before += u32::try_from(part.matches('\n').count()).unwrap_or(u32::MAX - num_lines_before);
    }
    Ok(parts)
}

/// Reads every document of a YAML file.
pub(super) fn yaml<T: DeserializeOwned>(source: &str) -> Result<Vec<T>, Broken> {
    let budget = serde_saphyr::budget! {
        max_aliases: MAX_YAML_ALIASES,
        max_nodes: MAX_VALUES,
        max_events: 2 * MAX_VALUES,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        // Some CI systems take the last of several.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_YAML_REPLAYS },
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(source, options).map_err(|cause| {
        let line = cause.location().and_then(|place| usize::try_from(place.line()).ok());
        let message = cause.to_string();
        Broken::new(line, message.split(" at line ").next().unwrap_or(&message))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_line_of_a_fault_is_told_in_each_syntax() {
        let fault = |broken: Broken| broken.line;
        assert_eq!(fault(json::<Value>("{\n \"a\": 1,\n}").unwrap_err()), Some(3));
        assert_eq!(fault(toml::<Value>("a = 1\nb = \n").unwrap_err()), Some(2));
        assert_eq!(fault(yaml::<Value>("a: 1\nb: [1\nc: 2\n").unwrap_err()), Some(3));
        assert_eq!(fault(text(b"a\nb\n\xff").unwrap_err()), Some(3));
    }

    #[test]
    fn a_mark_of_byte_order_is_no_fault() {
        assert_eq!(text(b"\xef\xbb\xbf{}").unwrap(), "{}");
    }

    #[test]
    fn deep_nesting_is_refused_in_each_syntax() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(json::<Value>(&deep).is_err());
        assert!(toml::<Value>(&format!("a = {deep}")).is_err());
        assert!(yaml::<Value>(&deep).is_err());
    }

    #[test]
    fn a_fault_in_a_list_of_packages_is_told_with_its_line_in_the_file() {
        let list = "version = 4\n\n[[package]]\nname = \"a\"\n[package.x]\ny = 1\n\n[[package]]\nname = \"b\"\n";
        assert_eq!(toml_packages::<Value>(list).unwrap().len(), 3);
        let broken = toml_packages::<Value>(&format!("{list}name = 2\n")).unwrap_err();
        assert_eq!(broken.line, Some(10), "{broken:?}");
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(yaml::<Value>(&bomb).is_err());
    }
}
