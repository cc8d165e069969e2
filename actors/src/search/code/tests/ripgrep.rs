//! What ripgrep finds in real code is found, file and line, and nothing else.

use std::{path::PathBuf, process::Command};

use super::{
    real_code::{copy_crates, skip},
    world::{PROJECT, World, assert_same, files_below, phrase, regex},
};
use crate::search::code::Case;

const NUM_CRATES: usize = 20;
const MAX_CRATE_BYTES: usize = 50_000;
const NUM_PIECES: usize = 200;

const REGEXES: [&str; 50] = [
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
    r"^$",
    r"^\S",
    r"\s$",
    r"^use (std|core|alloc)::",
    r"\bas (u8|u16|u32|u64|usize)\b",
    r"Option<&'?\w*",
    r"Result<.*, .*>",
    r"\.unwrap\(\)|\.expect\(",
    r"assert(_eq|_ne)?!\(",
    r"#!?\[cfg\((test|feature)",
    r"\bmod \w+;",
    r"pub(\(crate\))? (struct|enum|trait)",
    r"^\s*}\s*else\s*\{",
    r"\d+\.\d+\.\d+",
    r"[a-z]+_[a-z]+_[a-z]+_[a-z]+",
    r"(?i)license",
    r"https?://[^\s)>]+",
    r"&mut \*",
    r"\w+!\{|\w+!\[|\w+!\(",
    r"impl\s+\w+\s*\{",
    r"^version = ",
    r"x{2,}",
    r"(a|b|c)(d|e|f)(g|h|i)",
    r"\|\w+\| \w+\.",
    r"=>\s*\{$",
    r"//.*\?",
    r"\x22[^\x22]*\{\}[^\x22]*\x22",
    r"^#+ ",
    r"<'a>",
    r"\bi(8|16|32|64)\b.*\bi(8|16|32|64)\b",
];

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
    if Command::new("rg").arg("--version").output().is_err() {
        return skip("there is no ripgrep");
    }
    let world = World::new();
    if !copy_crates(&world, NUM_CRATES, MAX_CRATE_BYTES) {
        return skip("Cargo has no sources of crates");
    }
    world.index_all(PROJECT);
    for piece in pieces(&world, NUM_PIECES) {
        let sensitive = ripgrep(&world, &["--fixed-strings"], &piece);
        assert_same(&world, &phrase(&piece, Case::Sensitive), &sensitive);
        let insensitive = ripgrep(&world, &["--fixed-strings", "--ignore-case"], &piece);
        assert_same(&world, &phrase(&piece, Case::Insensitive), &insensitive);
    }
    for text in REGEXES {
        assert_same(&world, &regex(text), &ripgrep(&world, &[], text));
    }
}
