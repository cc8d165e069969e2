//! One wrong and one right file, or more, for each language.

use std::sync::atomic::AtomicBool;

use tokei::LanguageType;

use super::super::{Problem, Verdict, check};

fn language(path: &str) -> Option<LanguageType> {
    path.rsplit_once('.')
        .and_then(|(_, extension)| LanguageType::from_file_extension(extension))
}

fn ask(path: &str, content: &str) -> Verdict {
    check(language(path), path, content.as_bytes(), &AtomicBool::new(false))
}

#[track_caller]
fn problems(path: &str, content: &str) -> Vec<Problem> {
    match ask(path, content) {
        Verdict::Checked(problems) => problems,
        Verdict::Unchecked => panic!("{path} must be checked: {content}"),
    }
}

#[track_caller]
fn wrong(path: &str, content: &str, line: u32, message: &str) {
    let problems = problems(path, content);
    let first = problems.first().unwrap_or_else(|| panic!("{path} is wrong: {content}"));
    assert_eq!(first.line, line, "{path}: {problems:?}");
    let said = first.message.to_lowercase();
    assert!(said.contains(&message.to_lowercase()), "{path}: {problems:?}");
}

#[track_caller]
fn right(path: &str, content: &str) {
    assert_eq!(problems(path, content), [], "{path}: {content}");
}

#[test]
fn python() {
    wrong("a.py", "def a():\n    b()\n      c()\n", 3, "unexpected indent");
    wrong("a.py", "a = (1,\nb = 2\n", 2, "");
    wrong("a.py", "print 'a'\nprint 'b'\n", 1, "Python 2");
    wrong("a.py", "def a():\n    raise IOError, 'b'\n", 2, "Python 2");
    assert_eq!(problems("a.py", "print 'a'\nprint 'b'\n").len(), 1);
    right(
        "a.py",
        "match a:\n    case {'b': [c, *_]} if (d := c):\n        print(f'{d!r:>{10}}')\n",
    );
    right(
        "a.py",
        "type A[T: int] = list[T]\nasync def b():\n    async with c as d, e: await f\n",
    );
    right("a.pyi", "def a(b: int = ...) -> str: ...\n");
}

#[test]
fn javascript_and_typescript() {
    wrong("a.js", "let a = 1;\nlet b = ;\n", 2, "unexpected token");
    wrong("a.ts", "interface A {\n  b: ;\n}\n", 2, "");
    wrong("a.tsx", "const a = <b>\n<c>\n</b>;\n", 3, "");
    right(
        "a.js",
        "#!/usr/bin/env node\nimport a from 'b';\nexport const c = await a?.d ?? 1n;\n",
    );
    right("a.js", "with (a) { b = 010; }\nreturn\n");
    right("a.js", "const a = <b {...c}>{d}</b>;\n");
    right("a.cjs", "const await = require('a');\nif (await) return;\n");
    right(
        "a.ts",
        "enum A { B = 'b' }\nabstract class C<T extends A> { private d?: T; abstract e(): asserts this is C<T>; }\n",
    );
    right(
        "a.d.ts",
        "declare module 'a' { export default function b(c: number): void; }\n",
    );
    assert_eq!(
        ask("a.js", "/* @flow */\nfunction a(b: ?number) {}\n"),
        Verdict::Unchecked
    );
    assert_eq!(
        ask("a.ts", "<?xml version=\"1.0\"?>\n<TS version=\"2.1\"></TS>\n"),
        Verdict::Unchecked
    );
}

#[test]
fn rust() {
    wrong("a.rs", "fn a() {\n    let b = ;\n}\n", 2, "expected");
    wrong("a.rs", "fn a() {\n", 1, "");
    right(
        "a.rs",
        "#!/usr/bin/env run\n#![no_std]\npub async fn a<const N: usize>(b: impl Fn(&str) -> [u8; N]) { let Some(_) = c else { return }; }\n",
    );
}

#[test]
fn go_java_php_and_ruby() {
    wrong("a.go", "package a\n\nfunc b() {\n\tc :=\n}\n", 4, "");
    wrong("a.go", "package a\n\nfunc b() {\n\tc()\n", 5, "ends too early");
    right(
        "a.go",
        "package a\n\nfunc B[T any](c ...T) (d error) { for range c { defer func() {}() }; return }\n",
    );
    right("a.go", "package a\n\nvar b = '世' + len(`é`)\n");
    wrong("a.go", "package a\n\nvar b = '世' 'é'\n", 3, "unexpected `'é'`");
    wrong(
        "A.java",
        "class A {\n    int b() {\n        return 1\n    }\n}\n",
        3,
        "cannot come after",
    );
    right(
        "A.java",
        "sealed interface A permits B {}\nrecord B(int c) implements A { String d() { return \"\"\"\n e\"\"\"; } }\n",
    );
    wrong("a.php", "<?php\nfunction a() {\n    $b = ;\n}\n", 3, "");
    right(
        "a.php",
        "<?php\nenum A: string { case B = 'b'; }\nfn($c) => $c?->d ?? match(true) { default => null };\n",
    );
    wrong("a.rb", "class A\n  def b(\n    c\n  end\nend\n", 3, "");
    right(
        "a.rb",
        "def a(b, c: 1, **) = d(b, c:, **)\ncase e\nin {f: [g, *]} then g\nend\nh = <<~I\n  j\nI\n",
    );
}

#[test]
fn json_with_and_without_comments() {
    wrong("a.json", "{\n  \"a\": 1,\n}\n", 3, "");
    wrong("a.json", "{\n  // a\n  \"b\": 1\n}\n", 2, "");
    wrong("tsconfig.json", "{\n  // a\n  \"b\": 1\n", 1, "");
    right("a.json", "{\"a\": [1, 2.5e3, null, \"\\u00e4\"]}");
    right("a.json", "\u{feff}{}");
    right("a.json", "{\"a\": 1}\n{\"a\": 2}\n");
    right("a.json", "");
    right("tsconfig.build.json", "{\n  // a\n  \"b\": [1, 2,],\n}\n");
    right(".vscode/settings.json", "{ /* a */ }");
    right("a.jsonc", "{ // a\n}");
}

#[test]
fn toml_and_yaml() {
    wrong("a.toml", "a = 1\nb = \n", 2, "");
    wrong("a.toml", "a = 1\na = 2\n", 2, "duplicate");
    right(
        "a.toml",
        "[a]\nb = 1979-05-27T07:32:00Z\n[[c.d]]\ne = { f = '''g''' }\n",
    );
    wrong("a.yaml", "a:\n  - b\n c: d\n", 3, "");
    wrong("a.yml", "a: [b\nc: d\n", 2, "");
    right(
        "a.yaml",
        "%YAML 1.2\n---\na: &b !t {c: [d, 'e']}\nf: *b\n...\n---\n- |\n  g\n",
    );
}

#[test]
fn languages_whose_parsers_alarm_on_good_code_have_none() {
    for path in ["a.c", "a.cpp", "a.h", "a.css", "a.html", "a.sh"] {
        assert_eq!(
            ask(path, "}}} this is wrong in any language"),
            Verdict::Unchecked,
            "{path}"
        );
    }
}

#[test]
fn what_a_parser_cannot_be_trusted_with_is_unchecked() {
    assert_eq!(ask("a.py", &"a = 1\n".repeat(400_000)), Verdict::Unchecked);
    assert_eq!(ask("a.json", &"[".repeat(100_000)), Verdict::Unchecked);
    let latin = check(Some(LanguageType::Python), "a.py", b"# \xe4\n", &AtomicBool::new(false));
    assert_eq!(latin, Verdict::Unchecked);
}
