//! Nothing that can be in a file makes a parser panic or overflow its stack.

use std::{sync::atomic::AtomicBool, thread};

use proptest::prelude::*;
use tokei::LanguageType;

use super::super::{Parser, Text, nesting};

const LANGUAGES: [(LanguageType, &str); 13] = [
    (LanguageType::Python, "a.py"),
    (LanguageType::JavaScript, "a.js"),
    (LanguageType::TypeScript, "a.ts"),
    (LanguageType::Tsx, "a.tsx"),
    (LanguageType::Rust, "a.rs"),
    (LanguageType::Json, "a.json"),
    (LanguageType::Json, "tsconfig.json"),
    (LanguageType::Toml, "a.toml"),
    (LanguageType::Yaml, "a.yaml"),
    (LanguageType::Go, "a.go"),
    (LanguageType::Java, "A.java"),
    (LanguageType::Php, "a.php"),
    (LanguageType::Ruby, "a.rb"),
];

/// The first of them call themselves for what is nested.
const NUM_RECURSIVE: usize = 8;

/// Asks each parser that would be let into the content, without what catches its panics.
fn ask_all(content: &str) {
    ask(&LANGUAGES, content);
}

fn ask(languages: &[(LanguageType, &str)], content: &str) {
    for &(language, path) in languages {
        let parser = Parser::of(language).unwrap();
        if parser.is_recursive && !nesting::is_safe(content, language == LanguageType::Python) {
            continue;
        }
        let cancel = AtomicBool::new(false);
        (parser.parse)(&Text {
            path,
            content,
            cancel: &cancel,
        });
    }
}

/// Runs something with the stack that a scan's threads have.
fn on_a_scan_thread(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(crate::scan::STACK_BYTES).spawn(work);
    thread.unwrap().join().unwrap();
}

/// Pieces that programs are made of.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "(", ")", "[", "]", "{", "}", "<", ">", "\"", "'", "`", "\\", "\n", "    ", "\t", ";", ",", ":", "=", "=>",
        "->", "::", "//", "/*", "*/", "#", "#!", "$", "${", "{{", "<<EOF\n", "\"\"\"", "r#\"", "f\"{", "<?php ", "if ",
        "else ", "def ", "fn ", "func ", "class ", "return ", "async ", "match ", "0x", "1e", "1_000", "é", "\u{feff}",
        "\u{0}", "- ", "? ", "|\n", "&a ", "*a ", "!t ", "%YAML ", "---\n", "...\n", "a", "b", "end\n", "do ",
        "=begin\n", "<a>", "</a>", "\r\n", "@",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_parser_panics_on_what_looks_like_a_program(content in pieces()) {
        on_a_scan_thread(move || ask_all(&content));
    }

    #[test]
    fn no_parser_panics_on_any_text(content in "\\PC{0,200}|(?s:.{0,200})") {
        on_a_scan_thread(move || ask_all(&content));
    }
}

#[test]
fn no_parser_ends_the_process_on_what_once_did() {
    let word = "w".repeat(300);
    for content in [
        format!("<<{word}\na\n{word}\n"),
        format!("<<-\"{word}\"\n"),
        "<<''".repeat(300),
        "é🙂\n[[ 🙂".to_owned(),
    ] {
        on_a_scan_thread(move || ask_all(&content));
    }
}

#[test]
fn no_parser_overflows_the_stack_of_a_scan() {
    let deep = || {
        let openings = [
            "(",
            "[",
            "{",
            "!",
            "-",
            "a=>",
            "a+",
            "a.",
            "if a {} else ",
            "if(a)b;else ",
            "<a>",
            "not ",
            "lambda:",
            "&",
            "*",
            "a?b:",
            "x(",
            "[a,",
            "{a:",
            "{\"a\":",
            "new ",
            "a as ",
            "Box<",
            "- ",
            "{{",
            "if a:\n ",
            "$(",
            "`",
            "function(){",
            "|a|",
            "a:",
            "else if ",
            "typeof ",
            "(\n",
            "fn a(){",
            "f(a=>",
            "a**",
            "a=",
            "\"${",
            "f'{",
            "<<",
            "((",
            "async ",
            "await ",
            "return ",
        ];
        for opening in openings {
            // As deep as is let in, by operators and by brackets.
            for count in [900, 3_900] {
                ask(&LANGUAGES[..NUM_RECURSIVE], &opening.repeat(count));
                ask(
                    &LANGUAGES[..NUM_RECURSIVE],
                    &format!("fn a() {{ let x = {}1", opening.repeat(count)),
                );
            }
        }
    };
    on_a_scan_thread(deep);
}
