//! Which language a file is in and how many lines of what it has, as tokei tells it.

use std::{collections::HashSet, fs::File, io::Read, os::fd::AsRawFd, path::Path, sync::LazyLock};

use encoding_rs_io::DecodeReaderBytesBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokei::{CodeStats, Config, LanguageType};

/// Names with an extension of their own that tokei knows as a whole.
const WHOLE_NAMES: [&str; 4] = ["meson.build", "nuget.config", "packages.config", "nugetdefaults.config"];
/// No file lies below this one, so nothing that is asked about a name below it is ever read.
const NOWHERE: &str = "/dev/null";

static EXTENSIONS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    LanguageType::list()
        .iter()
        .flat_map(|(_, extensions)| *extensions)
        .copied()
        .collect()
});

/// Lines by what is on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// Lines with code.
    pub code: u64,
    /// Lines with comments alone.
    pub comments: u64,
    /// Lines with nothing.
    pub blanks: u64,
}

impl Lines {
    /// Returns the number of all lines.
    pub fn total(&self) -> u64 {
        self.code + self.comments + self.blanks
    }

    pub(super) fn add(&mut self, other: Self) {
        self.code += other.code;
        self.comments += other.comments;
        self.blanks += other.blanks;
    }
}

/// A language, by tokei's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Language(pub(super) LanguageType);

impl Language {
    /// Returns tokei's name for it.
    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = LanguageType::from_name(&name).map(Self);
        known.ok_or_else(|| serde::de::Error::custom(format!("no language is called `{name}`")))
    }
}

/// The lines of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// In the file's own language.
    pub(super) own: Lines,
    /// In languages within it, such as the scripts of a page.
    pub(super) embedded: Vec<(Language, Lines)>,
}

/// Tells a file's language from its name and, where that has no extension, from its first line.
///
/// tokei would log each extension that it does not know, and opens a path a second time to see its first line. So it is
/// asked about known extensions only, and reads through the descriptor that is open already.
pub(super) fn detect(name: &str, file: &File, content: &[u8]) -> Option<LanguageType> {
    let lower = name.to_lowercase();
    match Path::new(&lower).extension().and_then(|extension| extension.to_str()) {
        Some(extension) if !EXTENSIONS.contains(extension) && !WHOLE_NAMES.contains(&lower.as_str()) => None,
        Some(_) => by_name(name),
        None => by_name(name).or_else(|| by_first_line(file, content)),
    }
}

fn by_name(name: &str) -> Option<LanguageType> {
    LanguageType::from_path(Path::new(NOWHERE).join(name), &Config::default())
}

fn by_first_line(file: &File, content: &[u8]) -> Option<LanguageType> {
    if !content.starts_with(b"#!") {
        return None;
    }
    LanguageType::from_shebang(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Counts the lines of a file.
pub(super) fn count(language: LanguageType, content: &[u8]) -> Counts {
    let config = Config::default();
    let stats = match decoded(content) {
        Some(text) => language.parse_from_slice(text, &config),
        None => language.parse_from_slice(content, &config),
    };
    let mut counts = Counts {
        own: lines(&stats),
        embedded: Vec::new(),
    };
    flatten(&stats, &mut counts.embedded);
    counts
}

/// Turns UTF-16 with its mark into UTF-8; anything else is left as it is.
fn decoded(content: &[u8]) -> Option<Vec<u8>> {
    if !has_utf16_mark(content) {
        return None;
    }
    let mut text = Vec::new();
    let mut reader = DecodeReaderBytesBuilder::new().build(content);
    reader.read_to_end(&mut text).ok().map(|_| text)
}

/// Tells whether the content begins as UTF-16 does.
pub(super) fn has_utf16_mark(content: &[u8]) -> bool {
    content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff])
}

fn lines(stats: &CodeStats) -> Lines {
    Lines {
        code: stats.code as u64,
        comments: stats.comments as u64,
        blanks: stats.blanks as u64,
    }
}

fn flatten(stats: &CodeStats, embedded: &mut Vec<(Language, Lines)>) {
    for (language, blob) in &stats.blobs {
        let language = Language(*language);
        match embedded.iter_mut().find(|(known, _)| *known == language) {
            Some((_, sum)) => sum.add(lines(blob)),
            None => embedded.push((language, lines(blob))),
        }
        flatten(blob, embedded);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[track_caller]
    fn check(name: &str, content: &str, expected: Option<LanguageType>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let opened = File::open(file.path()).unwrap();
        assert_eq!(detect(name, &opened, content.as_bytes()), expected, "{name}");
    }

    #[test]
    fn names_extensions_and_first_lines_tell_the_language() {
        check("main.rs", "", Some(LanguageType::Rust));
        check("Makefile", "", Some(LanguageType::Makefile));
        check("meson.build", "", Some(LanguageType::Meson));
        check("page.blade.php", "", Some(LanguageType::Blade));
        check("UPPER.PY", "", Some(LanguageType::Python));
        check("tool", "#!/usr/bin/env python3\n", Some(LanguageType::Python));
        check("tool", "#!/bin/bash\n", Some(LanguageType::Bash));
        check("tool", "text", None);
        check("picture.png", "#!/bin/bash\n", None);
    }

    #[test]
    fn lines_are_told_apart_and_embedded_languages_are_named() {
        let counts = count(LanguageType::Rust, b"// one\n\nfn main() {}\n");
        let expected = Lines {
            code: 1,
            comments: 1,
            blanks: 1,
        };
        assert_eq!((counts.own, counts.own.total()), (expected, 3));
        let page = b"<html>\n<script>\nlet a = 1;\nlet b = 2;\n</script>\n</html>\n";
        let counts = count(LanguageType::Html, page);
        let scripts = counts
            .embedded
            .iter()
            .find(|(language, _)| language.0 == LanguageType::JavaScript);
        assert_eq!(scripts.map(|(_, lines)| lines.code), Some(2));
    }

    #[test]
    fn utf_16_is_counted_as_text() {
        let text = "int a;\n\nint b;\n";
        let bytes: Vec<u8> = [0xfeff_u16]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let expected = Lines {
            code: 2,
            comments: 0,
            blanks: 1,
        };
        assert_eq!(count(LanguageType::C, &bytes).own, expected);
    }
}
