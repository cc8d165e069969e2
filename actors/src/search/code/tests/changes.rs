//! What becomes of an index whose files change.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::world::{PROJECT, World, all_places, places, words};
use crate::{id::ProjectId, search::code::Compacted};

#[test]
fn changed_and_removed_files_are_taken_up_and_survive_a_restart() {
    let mut world = World::with_files([
        ("a.rs", "fn alpha() {}\n"),
        ("b.rs", "fn beta() {}\n"),
        ("c.rs", "fn gamma() {}\n"),
    ]);
    world.write("a.rs", "// new\nfn alpha_two() {}\n");
    fs::remove_file(world.path("b.rs")).unwrap();
    world.update(&["a.rs"], &["b.rs"]);
    for _ in 0..2 {
        assert_eq!(world.find("alpha"), [("a.rs".to_owned(), 2)]);
        assert_eq!(world.find("beta"), []);
        assert_eq!(world.find("gamma"), [("c.rs".to_owned(), 1)]);
        let stats = world.index.stats();
        assert_eq!((stats.files, stats.dead_files, stats.shards), (2, 2, 2));
        assert!(world.reopen().is_empty());
    }
}

#[test]
fn a_file_that_changed_since_is_searched_as_it_is_now() {
    let world = World::with_files([("a.rs", "fn alpha() {}\nfn beta() {}\n")]);
    world.write("a.rs", "// one\n// two\nfn alpha() {}\n");
    let answer = world.search(&words("alpha"));
    assert_eq!(places(&answer), [("a.rs".to_owned(), 3)]);
    assert!(answer.hits[0].symbol.is_some());
    assert_eq!(world.find("beta"), []);
}

#[test]
fn a_file_that_is_gone_or_no_file_any_more_is_not_shown() {
    let world = World::with_files([
        ("a.rs", "alpha\n"),
        ("b.rs", "alpha\n2"),
        ("c.rs", "alpha\n3"),
        ("d/e.rs", "alpha\n4"),
        ("f.rs", "alpha\n5"),
    ]);
    let outside = world.directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("e.rs"), "alpha\n4").unwrap();
    fs::remove_file(world.path("a.rs")).unwrap();
    fs::remove_file(world.path("b.rs")).unwrap();
    symlink(outside.join("e.rs"), world.path("b.rs")).unwrap();
    fs::remove_file(world.path("c.rs")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.path("c.rs"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    fs::remove_dir_all(world.path("d")).unwrap();
    symlink(&outside, world.path("d")).unwrap();
    world.write("f.rs", b"alpha\0");
    let answer = world.search(&words("alpha"));
    assert_eq!((answer.total_matches, answer.files_unreadable), (0, 0));
    assert!(answer.hits.is_empty());
}

#[test]
fn a_project_that_is_not_there_is_not_searched_and_a_removed_one_is_forgotten() {
    let mut world = World::with_files([("a.rs", "alpha\n")]);
    world.add_project(ProjectId(2));
    fs::write(world.roots[&ProjectId(2)].join("b.rs"), "alpha\n2").unwrap();
    world.index_all(ProjectId(2));
    assert_eq!(world.find("alpha").len(), 2);
    let mut only_second = words("alpha");
    only_second.projects = Some(vec![ProjectId(2)]);
    assert_eq!(places(&world.search(&only_second)), [("b.rs".to_owned(), 1)]);
    world.index.remove(PROJECT).unwrap();
    assert_eq!(world.index.projects(), [ProjectId(2)]);
    world.roots.remove(&ProjectId(2));
    assert_eq!(world.find("alpha"), []);
    assert!(world.reopen().is_empty());
    assert_eq!(world.index.projects(), [ProjectId(2)]);
}

#[test]
fn compaction_drops_what_is_gone_and_finds_the_same() {
    let mut world = World::new();
    for number in 0..40 {
        let text: String = (0..200)
            .map(|line| format!("fn name_{number}_{line}() {{ shared(); }}\n"))
            .collect();
        world.write(&format!("{number}.rs"), text);
    }
    world.index_all(PROJECT);
    assert_eq!(world.index.compact(PROJECT).unwrap(), Compacted::Unneeded);
    let changed: Vec<String> = (0..15).map(|number| format!("{number}.rs")).collect();
    for path in &changed {
        world.write(path, format!("fn new_name() {{ shared(); }} // {path}\n"));
    }
    world.update(&changed.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let before = world.search(&words("shared"));
    let symbols = world.find("symbol:new_name");
    assert_eq!((before.total_matches, symbols.len()), (25 * 200 + 15, 15));
    assert_eq!(world.index.compact(PROJECT).unwrap(), Compacted::Done);
    for _ in 0..2 {
        let after = world.search(&words("shared"));
        assert_eq!(all_places(&after), all_places(&before));
        assert_eq!(world.find("symbol:new_name"), symbols);
        assert_eq!(world.index.stats().dead_files, 0);
        assert!(world.reopen().is_empty());
    }
}

#[test]
fn many_small_shards_become_one() {
    let world = World::with_files([("a.rs", "fn alpha() {}\n")]);
    for number in 0..6 {
        world.write("b.rs", format!("fn beta_{number}() {{}}\n"));
        world.update(&["b.rs"], &[]);
        world.write(&format!("{number}.rs"), format!("fn gamma_{number}() {{}}\n"));
        world.update(&[&format!("{number}.rs")], &[]);
    }
    assert!(world.index.stats().shards > 4);
    assert_eq!(world.index.compact(PROJECT).unwrap(), Compacted::Done);
    assert_eq!(world.index.stats().shards, 1);
    assert_eq!(world.find("beta").len(), 1);
    assert_eq!(world.find("gamma").len(), 6);
}

#[test]
fn searches_go_on_while_a_project_is_replaced() {
    let world = World::with_files([("a.rs", "fn alpha() {}\n"), ("b.rs", "fn beta() {}\n")]);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut searches = 0;
            while !is_done.load(Ordering::Relaxed) || searches == 0 {
                let answer = world.search(&words("beta"));
                assert_eq!(places(&answer), [("b.rs".to_owned(), 1)]);
                assert!(answer.damaged.is_empty());
                searches += 1;
            }
        });
        for number in 0..30 {
            match number % 3 {
                0 => drop(world.index_all(PROJECT)),
                1 => world.update(&["a.rs"], &[]),
                _ => drop(world.index.compact(PROJECT).unwrap()),
            }
        }
        is_done.store(true, Ordering::Relaxed);
        searcher.join().unwrap();
    });
}
