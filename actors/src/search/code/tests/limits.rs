//! What a search may cost, and what it is told that makes no sense.

use std::{num::NonZeroUsize, sync::atomic::AtomicBool, time::Instant};

use super::world::{PROJECT, World, budget, places, regex, words};
use crate::search::code::{Budget, Error, MAX_FILE_BYTES, Query, Truncated};

fn many() -> World {
    let world = World::new();
    for number in 0..60 {
        let text: String = (0..50).map(|line| format!("call({number}, {line});\n")).collect();
        world.write(&format!("{number:02}.c"), text);
    }
    world.index_all(PROJECT);
    world
}

#[test]
fn the_line_budget_is_kept_and_told_whatever_the_number_of_threads() {
    let world = many();
    let mut answers = Vec::new();
    for threads in [1, 2, 7] {
        let budget = Budget {
            max_lines: 200,
            threads: NonZeroUsize::new(threads).unwrap(),
            ..budget()
        };
        for query in [words("call"), words("c"), regex(r"\(\d")] {
            let answer = world.index.search(&query, &world.roots, &budget).unwrap();
            assert_eq!(answer.truncated, Some(Truncated::Lines));
            assert!((200..600).contains(&answer.total_matches), "{}", answer.total_matches);
            answers.push((query.text, answer.hits));
        }
    }
    let (first, others) = answers.split_at(3);
    for (text, hits) in others {
        assert!(first.iter().any(|(other, expected)| other == text && expected == hits));
    }
}

#[test]
fn a_search_stops_when_its_time_is_over_or_nobody_waits() {
    let world = many();
    let late = Budget {
        deadline: Some(Instant::now()),
        ..budget()
    };
    let answer = world.index.search(&words("call"), &world.roots, &late).unwrap();
    assert_eq!((answer.truncated, answer.hits.len()), (Some(Truncated::Deadline), 0));
    let cancelled = AtomicBool::new(true);
    let unwanted = Budget {
        cancelled: &cancelled,
        ..budget()
    };
    let answer = world.index.search(&words("call"), &world.roots, &unwanted).unwrap();
    assert_eq!((answer.truncated, answer.hits.len()), (Some(Truncated::Cancelled), 0));
}

#[test]
fn a_limit_leaves_the_best_and_the_count() {
    let world = World::with_files([
        ("a.rs", "// alpha\n// alpha\nfn alpha() {}\nalpha();\n"),
        ("tests/b.rs", "alpha();\n"),
    ]);
    let limited = Query {
        limit: 1,
        ..words("alpha")
    };
    let answer = world.search(&limited);
    assert_eq!(places(&answer), [("a.rs".to_owned(), 3)]);
    assert_eq!((answer.total_matches, answer.truncated), (5, None));
    assert!(world.search(&Query { limit: 0, ..limited }).hits.is_empty());
}

#[test]
fn language_and_path_narrow_the_search() {
    let world = World::with_files([
        ("src/a.rs", "alpha\n"),
        ("src/deep/b.py", "alpha\n#"),
        ("lib/c.rs", "alpha\n//"),
    ]);
    let in_language = Query {
        language: Some("rust".to_owned()),
        ..words("alpha")
    };
    assert_eq!(
        places(&world.search(&in_language)),
        [("lib/c.rs".to_owned(), 1), ("src/a.rs".to_owned(), 1)]
    );
    for (glob, files) in [
        ("*.py", vec!["src/deep/b.py"]),
        ("src/*", vec!["src/a.rs"]),
        ("src/**", vec!["src/a.rs", "src/deep/b.py"]),
        ("/lib/c.rs", vec!["lib/c.rs"]),
    ] {
        let in_path = Query {
            path: Some(glob.to_owned()),
            ..words("alpha")
        };
        let found: Vec<String> = places(&world.search(&in_path))
            .into_iter()
            .map(|(file, _)| file)
            .collect();
        assert_eq!(found, files, "{glob}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_where_is_said() {
    let world = World::new();
    let refusal = |query: Query| {
        world
            .index
            .search(&query, &world.roots, &budget())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refusal(regex("é(a|b")), "invalid regex at character 2: unclosed group");
    assert!(refusal(regex(r"\Afoo")).contains("`^`"));
    assert!(refusal(regex(r"a\nb")).starts_with("invalid regex"));
    assert!(
        refusal(Query {
            path: Some("src/[".to_owned()),
            ..words("x")
        })
        .starts_with("invalid path pattern `src/[`: ")
    );
    assert!(matches!(
        world.index.search(&words(" \"\" "), &world.roots, &budget()),
        Err(Error::Empty)
    ));
    assert!(matches!(
        world.index.search(&regex(""), &world.roots, &budget()),
        Err(Error::Empty)
    ));
    let many = vec!["x"; 20].join(" ");
    assert!(matches!(
        world.index.search(&words(&many), &world.roots, &budget()),
        Err(Error::TooManyWords(_))
    ));
}

#[test]
fn what_is_no_text_or_too_large_is_counted_and_not_found() {
    let world = World::new();
    world.write("text.c", "alpha\n");
    world.write("binary", b"alpha\0");
    world.write("large.csv", "alpha\n".repeat(MAX_FILE_BYTES / 6 + 1));
    world.write("empty", "");
    let built = world.index_all(PROJECT);
    assert_eq!((built.num_indexed, built.num_binary, built.num_too_large), (2, 1, 1));
    assert_eq!(world.find("alpha"), [("text.c".to_owned(), 1)]);
}
