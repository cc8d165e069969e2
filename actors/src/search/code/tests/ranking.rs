//! What is shown first.

use super::world::{World, place, places, words};
use crate::search::code::{Kind, Query};

fn order(world: &World, text: &str) -> Vec<(String, u32)> {
    places(&world.search(&Query {
        limit: 10,
        ..words(text)
    }))
}

fn at(file: &str, line: u32) -> (String, u32) {
    (file.to_owned(), line)
}

#[test]
fn definitions_come_before_uses_words_before_parts_and_code_before_what_was_brought_along() {
    let world = World::with_files([
        ("a.rs", "open();\nreopen_all();\n"),
        ("b.rs", "fn open() {}\n"),
        ("tests/a.rs", "// test\nopen();\n"),
        ("vendor/c.rs", "open(1);\n"),
        ("z.rs", "fn open_file() {}\n"),
    ]);
    assert_eq!(
        order(&world, "open"),
        [
            at("b.rs", 1),
            at("z.rs", 1),
            at("a.rs", 1),
            at("tests/a.rs", 2),
            at("vendor/c.rs", 1),
            at("a.rs", 2)
        ]
    );
    let answer = world.search(&words("open"));
    assert_eq!(answer.hits[0].symbol, Some(Kind::Function));
    assert!(answer.hits.iter().all(|hit| (0.0..=1.0).contains(&hit.relevance_score)));
    assert!(answer.hits.is_sorted_by(|a, b| a.relevance_score >= b.relevance_score));
}

/// Files of several languages, each with a definition behind uses of the same name.
const LABELLED: [(&str, &str, &str, u32); 10] = [
    (
        "shop.py",
        "import cart\nload_cart(1)\n# load_cart\ndef load_cart(id):\n    return id\n",
        "load_cart",
        4,
    ),
    (
        "models.py",
        "x = Order()\nclass OrderLine: pass\nclass Order:\n",
        "Order",
        3,
    ),
    (
        "server.go",
        "package x\n\nvar _ = New()\n\ntype Server struct {\n\tAddr string\n}\n\nfunc (s *Server) Start() {}\n",
        "Start",
        9,
    ),
    (
        "fields.go",
        "package y\n\nfunc f() { use(c.MaxConns) }\n\ntype Pool struct {\n\tMaxConns int\n}\n",
        "MaxConns",
        6,
    ),
    (
        "list.c",
        "int x = list_add(3);\nlist_add(4);\nint list_add(int x)\n{\n}\n",
        "list_add",
        3,
    ),
    (
        "limits.h",
        "#if MAX_DEPTH > 3\n#endif\n#define MAX_DEPTH 3\n",
        "MAX_DEPTH",
        3,
    ),
    (
        "app.ts",
        "useTheme();\nexport const useTheme = () => 1;\n",
        "useTheme",
        2,
    ),
    (
        "view.js",
        "render();\nclass View {\n  render(x) {\n  }\n}\n",
        "render",
        3,
    ),
    (
        "Repo.java",
        "class Repo {\n    void a() { findUser(1); }\n    public User findUser(int id) {\n    }\n}\n",
        "findUser",
        3,
    ),
    (
        "tree.rs",
        "use x::Node;\nlet n: Node = y;\npub struct Node {\n",
        "Node",
        3,
    ),
];

#[test]
fn the_definition_is_the_first_hit() {
    let world = World::with_files(LABELLED.iter().map(|(file, content, _, _)| (*file, *content)));
    for (file, _, name, line) in LABELLED {
        let answer = world.search(&words(name));
        assert_eq!(place(&answer.hits[0]), at(file, line), "{name}");
        let answer = world.search(&words(&format!("symbol:{name}")));
        assert_eq!(place(&answer.hits[0]), at(file, line), "symbol:{name}");
        assert!(answer.hits.iter().all(|hit| hit.symbol.is_some()));
    }
}

#[test]
fn a_definition_comes_first_even_if_the_budget_is_spent_on_uses() {
    let world = World::new();
    for number in 0..100 {
        world.write(
            &format!("{number:03}.rs"),
            format!("// {number}\n{}", "open();\n".repeat(50)),
        );
    }
    world.write("zz.rs", "pub fn open() {}\n");
    world.index_all(super::world::PROJECT);
    let budget = crate::search::code::Budget {
        max_lines: 100,
        ..super::world::budget()
    };
    let answer = world.index.search(&words("open"), &world.roots, &budget).unwrap();
    assert!(answer.truncated.is_some());
    assert_eq!(place(&answer.hits[0]), at("zz.rs", 1));
}

#[test]
fn of_several_words_those_near_each_other_come_first() {
    let blank = "\n".repeat(30);
    let apart = format!("parse(x);\n{blank}config(y);\n");
    let near = "let config = 1;\nparse(config2);\n";
    let world = World::with_files([
        ("apart.rs", apart.as_str()),
        ("near.rs", near),
        ("one.rs", "fn parse_config() {}\n"),
        ("some.rs", "parse();\n"),
    ]);
    let found = order(&world, "parse config");
    assert_eq!(found[0], at("one.rs", 1));
    assert_eq!(found[1], at("near.rs", 2));
    assert_eq!(found[2], at("near.rs", 1));
    assert!(found[3..5].iter().all(|(file, _)| file == "apart.rs"));
    assert_eq!(found.last(), Some(&at("some.rs", 1)));
    let enough = world.search(&Query {
        limit: 2,
        ..words("parse config")
    });
    assert!(enough.hits.iter().all(|hit| hit.file.as_os_str() != "some.rs"));
}

#[test]
fn phrases_are_found_as_they_are_and_words_in_any_order() {
    let world = World::with_files([("a.rs", "static mut x: u8;\nmut static\n")]);
    assert_eq!(order(&world, "\"static mut\""), [at("a.rs", 1)]);
    assert_eq!(order(&world, "mut static").len(), 2);
}

#[test]
fn a_symbol_beside_words_narrows_to_its_definitions() {
    let world = World::with_files([
        ("a.rs", "fn open() {}\nopen(); // door\n"),
        ("b.rs", "fn open() { window() }\n"),
    ]);
    assert_eq!(order(&world, "symbol:open"), [at("a.rs", 1), at("b.rs", 1)]);
    assert_eq!(order(&world, "symbol:open window")[0], at("b.rs", 1));
    let by_field = Query {
        symbol: Some("open".to_owned()),
        ..words("")
    };
    assert_eq!(places(&world.search(&by_field)), [at("a.rs", 1), at("b.rs", 1)]);
}

#[test]
fn copies_of_a_file_are_shown_as_one() {
    let text = "fn open() {}\n";
    let world = World::with_files([
        ("vendor/a.rs", text),
        ("src/a.rs", text),
        ("old/a.rs", text),
        ("b.rs", "open();\n"),
    ]);
    let answer = world.search(&Query {
        limit: 2,
        ..words("open")
    });
    assert_eq!(places(&answer), [at("old/a.rs", 1), at("b.rs", 1)]);
    let copies: Vec<&str> = answer.hits[0]
        .copies
        .iter()
        .filter_map(|copy| copy.file.to_str())
        .collect();
    assert_eq!(copies, ["src/a.rs", "vendor/a.rs"]);
    assert_eq!(answer.total_matches, 4);
}
