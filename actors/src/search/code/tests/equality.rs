//! Nothing that a plain look at every line finds is missed, and nothing else is found.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use proptest::prelude::*;

use super::world::{PROJECT, World, all_places, files_below, phrase, regex};
use crate::search::code::{Case, Query};

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

fn assert_same(world: &World, query: &Query, expected: &[(PathBuf, u32)]) {
    let answer = world.search(query);
    assert!(answer.damaged.is_empty() && answer.truncated.is_none());
    assert_eq!(all_places(&answer), expected, "{query:?}");
    assert_eq!(answer.total_matches, expected.len());
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

/// Indexes copies of files of some crates in Cargo's registry cache, so that nothing changes under the test. Says whether
/// there are any.
fn index_real_code(world: &World) -> bool {
    const CRATES: usize = 20;
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let Some(Ok(registries)) = home.map(|home| std::fs::read_dir(home.join("registry/src"))) else {
        return false;
    };
    let mut crates: Vec<PathBuf> = registries
        .filter_map(|registry| std::fs::read_dir(registry.unwrap().path()).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    crates.sort();
    for folder in crates.iter().step_by(crates.len() / CRATES + 1) {
        copy_some(world, folder);
    }
    world.index_all(PROJECT).num_indexed > 0
}

fn copy_some(world: &World, folder: &Path) {
    const MAX_BYTES: usize = 50_000;
    let name = Path::new(folder.file_name().unwrap());
    let mut bytes = 0;
    for path in files_below(folder) {
        let content = std::fs::read(folder.join(&path)).unwrap_or_default();
        bytes += content.len();
        if bytes > MAX_BYTES {
            break;
        }
        if !content.contains(&0) {
            world.write(&name.join(&path).to_string_lossy(), &content);
        }
    }
}

fn ripgrep(world: &World, arguments: &[&str], text: &str) -> Vec<(PathBuf, u32)> {
    let mut command = Command::new("rg");
    command.current_dir(&world.roots[&PROJECT]);
    command.args([
        "--no-config",
        "--no-ignore",
        "--hidden",
        "--line-number",
        "--no-heading",
        "--null",
        "--text",
    ]);
    let output = command
        .args(arguments)
        .arg("--regexp")
        .arg(text)
        .arg(".")
        .output()
        .unwrap();
    let mut found: Vec<(PathBuf, u32)> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (path, rest) = line.split_at(line.iter().position(|byte| *byte == 0).unwrap());
            let number = String::from_utf8_lossy(rest.get(1..).unwrap())
                .split(':')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let path = String::from_utf8(path.to_vec()).unwrap();
            (PathBuf::from(path.trim_start_matches("./")), number)
        })
        .collect();
    found.sort();
    found
}

/// Picks the same pieces of the same lines in every run.
fn pieces(world: &World, number: usize) -> Vec<String> {
    let root = &world.roots[&PROJECT];
    let files = files_below(root);
    let mut seed = 12_345_usize;
    let mut next = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below.max(1)
    };
    let mut pieces = Vec::new();
    while pieces.len() < number {
        let content = std::fs::read_to_string(root.join(&files[next(files.len())])).unwrap_or_default();
        let lines: Vec<&str> = content.lines().filter(|line| !line.trim().is_empty()).collect();
        if let Some(line) = lines.get(next(lines.len())) {
            let start = next(line.chars().count());
            let piece: String = line.chars().skip(start).take(1 + next(20)).collect();
            pieces.extend(Some(piece).filter(|piece| !piece.contains('\u{feff}')));
        }
    }
    pieces
}

#[test]
fn real_code_is_found_as_by_ripgrep() {
    let world = World::new();
    if Command::new("rg").arg("--version").output().is_err() || !index_real_code(&world) {
        return;
    }
    for piece in pieces(&world, 50) {
        assert_same(
            &world,
            &phrase(&piece, Case::Sensitive),
            &ripgrep(&world, &["--fixed-strings"], &piece),
        );
        let insensitive = ripgrep(&world, &["--fixed-strings", "--ignore-case"], &piece);
        assert_same(&world, &phrase(&piece, Case::Insensitive), &insensitive);
    }
    for text in [
        r"fn\s+\w+_\w+\(",
        r"(get|set)_\w+",
        r"impl<.*> \w+ for",
        r"#\[derive\(.*Clone",
        r"^pub fn",
        r"\)$",
        r"^\s*//!",
        r"[A-Z]{6,}_[0-9]+",
        r"unsafe\s*\{",
        r"\bself\b.*\bself\b",
        r"(?i)todo|fixme",
        r"Vec<\w+>",
        r"=> \w+\(.*\),$",
        r"let (mut )?\w+ = ",
        r"[^\x00-\x7f]",
        r"0x[0-9a-f]{4,}",
        r"r#*\x22",
        r"::\w+::\w+::",
        r"where\s+T:",
        r"'\w'",
    ] {
        assert_same(&world, &regex(text), &ripgrep(&world, &[], text));
    }
}
