//! Nothing that a plain look at every line finds is missed, and nothing else is found.

use std::path::PathBuf;

use proptest::prelude::*;

use super::world::{PROJECT, World, assert_same, files_below, phrase, regex};
use crate::search::code::Case;

/// Words, code, letters with and without case in several scripts, and bytes that are no text.
const PIECES: [&[u8]; 30] = [
    b"fn ",
    b"main",
    b"Main",
    b"MAIN",
    b"(",
    b")",
    b"->",
    b"\t",
    b" ",
    b"\n",
    b"\r\n",
    b"user_id",
    b"\"",
    b"\\",
    b".*",
    "é".as_bytes(),
    "É".as_bytes(),
    "ß".as_bytes(),
    "ẞ".as_bytes(),
    "ſ".as_bytes(),
    "\u{212a}".as_bytes(),
    b"k",
    b"s",
    "σ".as_bytes(),
    "ς".as_bytes(),
    "日本".as_bytes(),
    "🦀".as_bytes(),
    b"\xff",
    b"\xc3",
    b"x",
];

const REGEXES: [&str; 30] = [
    "main",
    "(?i)main",
    r"fn\s+main",
    r"fn\s*main",
    "^main",
    "main$",
    r"\bmain\b",
    "m.in",
    "m[a-z]in",
    "main|user_id",
    "(main|user)_?(id|x)",
    r"\(\)",
    r"\w+_id",
    ".*",
    "^$",
    r"^\s*$",
    "x{3}",
    "(main)+",
    "x?main",
    "[^a-z ]main",
    "é|É",
    "(?i)é",
    "(?i)ſ+",
    "(?i)ß",
    r"\p{Greek}",
    r"(?-u:\xff)",
    r"main\s+->",
    r"[k\x{212a}]x",
    "日.",
    r"\S{20,}",
];

fn tree() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = proptest::sample::select(PIECES.to_vec());
    let content = proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat());
    proptest::collection::vec(content, 1..5)
}

fn world(files: &[Vec<u8>]) -> World {
    let world = World::new();
    for (content, number) in files.iter().zip(0..) {
        // The line in front keeps the pieces from being a byte order mark, and the files from being copies.
        world.write(
            &format!("{number}.txt"),
            [format!("file {number}\n").as_bytes(), content].concat(),
        );
    }
    world.index_all(PROJECT);
    world
}

/// Looks at every line of every file.
fn by_hand(world: &World, matches: impl Fn(&[u8]) -> bool) -> Vec<(PathBuf, u32)> {
    let root = &world.roots[&PROJECT];
    let mut found = Vec::new();
    for path in files_below(root) {
        let content = std::fs::read(root.join(&path)).unwrap();
        let lines = content
            .strip_suffix(b"\n")
            .unwrap_or(&content)
            .split(|byte| *byte == b'\n');
        let numbers = lines
            .zip(1..)
            .filter(|(line, _)| matches(line))
            .map(|(_, number)| number);
        found.extend(numbers.map(|number| (path.clone(), number)));
    }
    found
}

fn by_regex(world: &World, regex: &str, is_insensitive: bool) -> Vec<(PathBuf, u32)> {
    let regex = regex::bytes::RegexBuilder::new(regex)
        .case_insensitive(is_insensitive)
        .multi_line(true)
        .build()
        .unwrap();
    by_hand(world, |line| regex.is_match(line))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn substrings_are_found_as_by_hand(files in tree(), file in any::<prop::sample::Index>(), start in any::<prop::sample::Index>(), length in 1_usize..20) {
        let text = String::from_utf8_lossy(&files[file.index(files.len())]).replace('\u{fffd}', "");
        let letters: Vec<char> = text.chars().filter(|letter| *letter != '\n').collect();
        prop_assume!(!letters.is_empty());
        let wanted: String = letters.iter().skip(start.index(letters.len())).take(length).collect();
        let world = world(&files);
        let escaped = regex::escape(&wanted);
        assert_same(&world, &phrase(&wanted, Case::Sensitive), &by_regex(&world, &escaped, false));
        assert_same(&world, &phrase(&wanted, Case::Insensitive), &by_regex(&world, &escaped, true));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn regexes_are_found_as_by_hand(files in tree()) {
        let world = world(&files);
        for text in REGEXES {
            assert_same(&world, &regex(text), &by_regex(&world, text, false));
        }
    }
}
