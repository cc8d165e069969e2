//! Whoever searches for a name is shown its definition first, in code that nobody wrote for the test. Where names are
//! defined is told by the languages' own parsers, not by what the index believes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use ruff_python_parser::parse_module;
use syn::{ImplItem, Item, TraitItem};

use super::{
    real_code::{copy_crates, copy_python, skip},
    world::{PROJECT, World, files_below, place, words},
};
use crate::search::code::{Case, Query};

const NUM_CRATES: usize = 40;
const MAX_CRATE_BYTES: usize = 150_000;
const MAX_PACKAGE_BYTES: usize = 400_000;
const PACKAGES: [&str; 8] = [
    "asyncio", "email", "http", "json", "logging", "unittest", "urllib", "xml",
];
const NUM_SYMBOLS: usize = 100;
/// A name in fewer lines is found first by chance.
const MIN_LINES: usize = 6;
const MIN_FIRST: usize = 90;
const MIN_IN_TEN: usize = 97;

/// A name, and the file and line that define it.
type Symbol = (String, PathBuf, usize);

#[test]
fn of_a_hundred_symbols_nearly_all_definitions_come_first() {
    let world = World::new();
    if !copy_crates(&world, NUM_CRATES, MAX_CRATE_BYTES) || !copy_python(&world, &PACKAGES, MAX_PACKAGE_BYTES) {
        return skip("there are no sources of crates, or there is no python3");
    }
    world.index_all(PROJECT);
    let symbols = symbols(&world);
    assert_eq!(symbols.len(), NUM_SYMBOLS);
    let ranks: Vec<Option<usize>> = symbols
        .iter()
        .map(|(name, file, line)| rank(&world, name, file, *line))
        .collect();
    let num_first = ranks.iter().filter(|rank| **rank == Some(0)).count();
    let num_in_ten = ranks.iter().flatten().count();
    let late: Vec<_> = symbols
        .iter()
        .zip(&ranks)
        .filter(|(_, rank)| **rank != Some(0))
        .collect();
    assert!(
        num_first >= MIN_FIRST && num_in_ten >= MIN_IN_TEN,
        "{num_first} first, {num_in_ten} in ten: {late:#?}"
    );
}

/// Returns how many hits come before the definition, if it is among the first ten.
fn rank(world: &World, name: &str, file: &Path, line: usize) -> Option<usize> {
    let answer = world.search(&Query {
        case: Case::Smart,
        limit: 10,
        ..words(name)
    });
    let wanted = (file.to_string_lossy().into_owned(), u32::try_from(line).unwrap());
    answer.hits.iter().position(|hit| place(hit) == wanted)
}

/// Picks names that are defined once and used in several lines, the same ones in every run.
fn symbols(world: &World) -> Vec<Symbol> {
    let root = &world.roots[&PROJECT];
    let mut definitions = BTreeMap::<String, Vec<Symbol>>::new();
    let mut num_lines = HashMap::new();
    for file in files_below(root) {
        let Ok(content) = std::fs::read_to_string(root.join(&file)) else {
            continue;
        };
        content.lines().for_each(|line| count_words(line, &mut num_lines));
        for (name, line) in defined(&file, &content) {
            let symbol = (name.clone(), file.clone(), line);
            definitions.entry(name).or_default().push(symbol);
        }
    }
    let is_used = |name: &str| name.len() > 3 && num_lines.get(name).is_some_and(|number| *number >= MIN_LINES);
    let candidates: Vec<Symbol> = definitions
        .into_iter()
        .filter(|(name, places)| places.len() == 1 && is_used(name))
        .flat_map(|(_, places)| places)
        .collect();
    // As many as are wanted, spread over all of them.
    let step = (candidates.len() / NUM_SYMBOLS).max(1);
    candidates.into_iter().step_by(step).take(NUM_SYMBOLS).collect()
}

fn count_words(line: &str, num_lines: &mut HashMap<String, usize>) {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: HashSet<&str> = line.split(|letter| !is_part(letter)).collect();
    for word in words {
        *num_lines.entry(word.to_owned()).or_default() += 1;
    }
}

fn defined(file: &Path, content: &str) -> Vec<(String, usize)> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => syn::parse_file(content).map_or(Vec::new(), |file| in_rust(&file.items)),
        Some("py") => in_python(content),
        _ => Vec::new(),
    }
}

fn in_rust(items: &[Item]) -> Vec<(String, usize)> {
    let at = |ident: &syn::Ident| vec![(ident.to_string(), ident.span().start().line)];
    let within = |item: &Item| match item {
        Item::Const(item) => at(&item.ident),
        Item::Enum(item) => at(&item.ident),
        Item::Fn(item) => at(&item.sig.ident),
        Item::Static(item) => at(&item.ident),
        Item::Struct(item) => at(&item.ident),
        Item::Type(item) => at(&item.ident),
        Item::Union(item) => at(&item.ident),
        Item::Mod(item) => item.content.as_ref().map_or(Vec::new(), |(_, items)| in_rust(items)),
        Item::Macro(item) => item.ident.as_ref().map_or(Vec::new(), at),
        Item::Impl(item) => {
            let methods = item.items.iter().filter_map(|part| match part {
                ImplItem::Fn(method) => Some(&method.sig.ident),
                _ => None,
            });
            methods.flat_map(at).collect()
        }
        Item::Trait(item) => {
            let methods = item.items.iter().filter_map(|part| match part {
                TraitItem::Fn(method) => Some(&method.sig.ident),
                _ => None,
            });
            [&item.ident].into_iter().chain(methods).flat_map(at).collect()
        }
        _ => Vec::new(),
    };
    items.iter().flat_map(within).collect()
}

/// Names at the top of a module and of its classes.
fn in_python(content: &str) -> Vec<(String, usize)> {
    let Ok(parsed) = parse_module(content) else {
        return Vec::new();
    };
    let line_of = |offset: usize| 1 + content.get(..offset).unwrap_or_default().matches('\n').count();
    let mut names = Vec::new();
    let mut bodies = vec![&parsed.syntax().body];
    while let Some(body) = bodies.pop() {
        for statement in body.iter() {
            let class = statement.as_class_def_stmt();
            bodies.extend(class.map(|class| &class.body));
            let name = class.map(|class| &class.name);
            let name = name.or_else(|| Some(&statement.as_function_def_stmt()?.name));
            names.extend(name.map(|name| (name.to_string(), line_of(name.range.start().to_usize()))));
        }
    }
    names
}
