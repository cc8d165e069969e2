//! Crashes and damage: nothing is made up, nothing panics, and whoever owns the index is told.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::world::{PROJECT, World, all_places, regex, words};
use crate::search::code::{Error, NewShard, Removed, Update};

const LINES: usize = 16;

fn sample() -> World {
    let world = World::new();
    for number in 0..20 {
        let text: String = (0..LINES)
            .map(|line| format!("pub fn name_{number}_{line}(user: u32) -> bool {{ other({line}) }}\n"))
            .collect();
        world.write(&format!("src/file{number}.rs"), text);
    }
    world.index_all(PROJECT);
    world
}

fn index_files(world: &World) -> Vec<PathBuf> {
    let folder = world.index_folder().join(PROJECT.to_string());
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn what_a_crash_left_behind_is_deleted() {
    let mut world = sample();
    let expected = index_files(&world);
    let folder = world.index_folder().join(PROJECT.to_string());
    fs::write(folder.join("7.tmp"), "half a shard").unwrap();
    fs::write(folder.join("99.shard"), "a shard that no manifest names").unwrap();
    let unborn = world.index_folder().join("2");
    fs::create_dir(&unborn).unwrap();
    fs::write(unborn.join("0.tmp"), "the first shard of a project").unwrap();
    assert!(world.reopen().is_empty());
    assert_eq!(index_files(&world), expected);
    assert!(!unborn.exists());
    assert_eq!(world.find("name_3_14").len(), 1);
}

#[test]
fn a_shard_that_nobody_took_over_is_deleted() {
    let world = sample();
    let expected = index_files(&world);
    drop(world.index.builder(PROJECT).unwrap().finish().unwrap());
    let builder = world.index.builder(PROJECT).unwrap();
    let source = crate::search::code::SourceFile {
        path: "x.rs".as_ref(),
        size: 1,
        mtime_ns: 0,
        language: "",
        class: crate::search::code::Class::Source,
        content: b"x",
    };
    builder.add(&source).unwrap();
    let shards: Vec<NewShard> = builder.finish().unwrap().shards;
    assert_eq!(index_files(&world).len(), expected.len() + 1);
    drop(shards);
    assert_eq!(index_files(&world), expected);
}

#[test]
fn a_damaged_project_takes_nothing_but_a_whole_index() {
    let mut world = sample();
    let shard = index_files(&world).remove(0);
    fs::write(&shard, "something else").unwrap();
    assert_eq!(world.reopen().len(), 1);
    assert_eq!(world.find("user"), []);
    let update = Update {
        shards: Vec::new(),
        removed: Removed::Paths(Vec::new()),
    };
    assert!(matches!(
        world.index.replace(PROJECT, update),
        Err(Error::NeedsRebuild { project: PROJECT })
    ));
    world.index_all(PROJECT);
    assert_eq!(world.find("user").len(), 20 * LINES);
    assert!(world.reopen().is_empty());
    assert_eq!(world.find("user").len(), 20 * LINES);
}

/// How bytes of a file get lost.
#[derive(Debug, Clone)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Overwrite(prop::sample::Index, Vec<u8>),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(at, mask)| Harm::Flip(at, mask)),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => (any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 1..64)).prop_map(|(at, bytes)| Harm::Overwrite(at, bytes)),
    ]
}

fn apply(harm: &Harm, bytes: &mut Vec<u8>) {
    match harm {
        Harm::Flip(at, mask) => *at.get_mut(bytes) ^= mask,
        Harm::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Harm::Overwrite(at, new) => {
            let start = at.index(bytes.len());
            bytes.iter_mut().skip(start).zip(new).for_each(|(old, new)| *old = *new);
        }
    }
}

/// Does all that reads the index. Each answer is right, or the damage is told.
fn check(world: &World, was_told: bool, expected: &[(String, Vec<(PathBuf, u32)>)]) {
    let mut is_known = was_told;
    for (text, places) in expected {
        let query = if text.contains('\\') { regex(text) } else { words(text) };
        let answer = world.search(&query);
        let found = all_places(&answer);
        is_known |= !answer.damaged.is_empty();
        assert!(
            found == *places || is_known,
            "`{text}`: {} instead of {}",
            found.len(),
            places.len()
        );
        assert!(
            found.iter().all(|place| places.contains(place)),
            "`{text}` finds what is not there"
        );
    }
    let builder = world.index.builder(PROJECT).unwrap();
    let update = Update {
        shards: builder.finish().unwrap().shards,
        removed: Removed::Paths(
            (0..10)
                .map(|number| PathBuf::from(format!("src/file{number}.rs")))
                .collect(),
        ),
    };
    if world.index.replace(PROJECT, update).is_ok() && world.index.compact(PROJECT).is_ok() {
        let half = world.search(&words("user"));
        let is_told = is_known || !half.damaged.is_empty();
        assert!(half.total_matches == 10 * LINES || is_told);
    }
}

#[test]
fn damage_anywhere_is_noticed_or_does_no_harm() {
    let mut world = sample();
    let expected: Vec<(String, Vec<(PathBuf, u32)>)> = [
        "user",
        "name_3_14",
        "symbol:name_7",
        "other user",
        r"fn\s+name_1\w+\(",
        "u3",
    ]
    .iter()
    .map(|text| {
        let query = if text.contains('\\') { regex(text) } else { words(text) };
        ((*text).to_owned(), all_places(&world.search(&query)))
    })
    .collect();
    assert!(expected.iter().all(|(_, places)| !places.is_empty()));
    let sound: Vec<(PathBuf, Vec<u8>)> = index_files(&world)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(100));
    let world = std::cell::RefCell::new(&mut world);
    let outcome = runner.run(&(any::<prop::sample::Index>(), harm()), |(file, harm)| {
        let mut world = world.borrow_mut();
        let folder = world.index_folder().join(PROJECT.to_string());
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        let harmed = file.index(sound.len());
        for (number, (path, bytes)) in sound.iter().enumerate() {
            let mut bytes = bytes.clone();
            if number == harmed {
                apply(&harm, &mut bytes);
            }
            fs::write(path, bytes).unwrap();
        }
        let was_told = !world.reopen().is_empty();
        check(&world, was_told, &expected);
        Ok(())
    });
    outcome.unwrap();
}
