//! JavaScript.

use super::*;

const PACKAGE: &str = r#"{
  "name": "@shop/site", "private": true, "license": "MIT", "description": "The site",
  "packageManager": "pnpm@9.1.0",
  "scripts": {"start": "next start -p 3000", "dev": "next dev --port 4000"},
  "dependencies": {"next": "^15.0.0", "react": "^19.0.0", "pg": "8.11.0", "old": "npm:left-pad@^1.3.0"},
  "devDependencies": {"typescript": "~5.6.0", "vitest": "^2.0.0"}
}"#;

const DIRECT: [&str; 6] = [
    "left-pad ^1.3.0 1.3.0 Runtime Registry",
    "next ^15.0.0 15.1.0 Runtime Registry",
    "pg 8.11.0 8.11.0 Runtime Registry",
    "react ^19.0.0 19.0.0 Runtime Registry",
    "typescript ~5.6.0 5.6.3 Dev Registry",
    "vitest ^2.0.0 2.1.0 Dev Registry",
];

fn check_site(lock_path: &str, lock: &str, tool: Option<&str>, brought: &str) {
    let findings = project(&[("package.json", PACKAGE), (lock_path, lock)]);
    let mut expected: Vec<&str> = DIRECT.to_vec();
    expected.push(brought);
    assert_eq!(lines(&findings), expected, "{lock_path}");
    assert_eq!(findings.unpinned, 0);
    assert_eq!(findings.drift, []);
    assert_eq!(findings.lockfiles, [lock_path]);
    assert_eq!(findings.invalid, []);
    assert_eq!(findings.project_type, "web");
    assert_eq!(
        findings.ports,
        [Port {
            port: 3000,
            source: "package.json".to_owned()
        }]
    );
    assert_eq!(findings.stack.languages, ["typescript"]);
    assert_eq!(findings.stack.frameworks, ["next", "react"]);
    assert_eq!(findings.stack.databases, ["postgresql"]);
    let tools = ["pnpm", "vitest"].into_iter().chain(tool);
    let mut sorted: Vec<&str> = tools.collect();
    sorted.sort_unstable();
    assert_eq!(findings.stack.tools, sorted);
}

#[test]
fn a_lock_file_of_npm_is_read_in_its_new_format() {
    let lock = r#"{"lockfileVersion": 3, "packages": {
      "": {"name": "@shop/site", "dependencies": {"next": "^15.0.0"}},
      "node_modules/next": {"version": "15.1.0", "resolved": "https://registry.npmjs.org/next/-/next-15.1.0.tgz"},
      "node_modules/next/node_modules/react": {"version": "18.0.0", "optional": true},
      "node_modules/react": {"version": "19.0.0"},
      "node_modules/pg": {"version": "8.11.0"},
      "node_modules/old": {"name": "left-pad", "version": "1.3.0"},
      "node_modules/typescript": {"version": "5.6.3", "dev": true},
      "node_modules/vitest": {"version": "2.1.0", "dev": true}}}"#;
    check_site("package-lock.json", lock, None, "+react - 18.0.0 Optional Registry");
}

#[test]
fn a_lock_file_of_npm_is_read_in_its_first_format() {
    let lock = r#"{"lockfileVersion": 1, "dependencies": {
      "next": {"version": "15.1.0", "requires": {"react": "^18"}, "dependencies": {"react": {"version": "18.0.0", "optional": true}}},
      "react": {"version": "19.0.0"}, "pg": {"version": "8.11.0"}, "old": {"version": "1.3.0"},
      "left-pad": {"version": "1.3.0"},
      "typescript": {"version": "5.6.3", "dev": true}, "vitest": {"version": "2.1.0", "dev": true}}}"#;
    let findings = project(&[("package.json", PACKAGE), ("package-lock.json", lock)]);
    let all = lines(&findings);
    for line in DIRECT {
        assert!(all.contains(&line.to_owned()), "{line}");
    }
    assert!(all.contains(&"+react - 18.0.0 Optional Registry".to_owned()));
}

#[test]
fn a_lock_file_of_yarn_is_read_in_both_formats() {
    let classic = r#"# yarn lockfile v1

next@^15.0.0:
  version "15.1.0"
  resolved "https://registry.yarnpkg.com/next/-/next-15.1.0.tgz#abc"
  dependencies:
    react "^18.0.0"

"old@npm:left-pad@^1.3.0":
  version "1.3.0"

pg@8.11.0:
  version "8.11.0"

react@^18.0.0:
  version "18.0.0"

"react@^19.0.0", react@^19.0.0-0:
  version "19.0.0"

typescript@~5.6.0:
  version "5.6.3"

vitest@^2.0.0:
  version "2.1.0"
"#;
    check_site("yarn.lock", classic, Some("yarn"), "+react - 18.0.0 Runtime Registry");
    let berry = r#"__metadata:
  version: 8

"@shop/site@workspace:.":
  version: 0.0.0-use.local
  resolution: "@shop/site@workspace:."

"next@npm:^15.0.0":
  version: 15.1.0
  resolution: "next@npm:15.1.0"
  dependencies:
    react: "npm:^18.0.0"

"old@npm:left-pad@^1.3.0":
  version: 1.3.0
  resolution: "left-pad@npm:1.3.0"

"pg@npm:8.11.0":
  version: 8.11.0
  resolution: "pg@npm:8.11.0"

"react@npm:^18.0.0":
  version: 18.0.0
  resolution: "react@npm:18.0.0"

"react@npm:^19.0.0, react@npm:^19.0.0-0":
  version: 19.0.0
  resolution: "react@npm:19.0.0"

"typescript@npm:~5.6.0":
  version: 5.6.3
  resolution: "typescript@npm:5.6.3"

"vitest@npm:^2.0.0":
  version: 2.1.0
  resolution: "vitest@npm:2.1.0"
"#;
    check_site("yarn.lock", berry, Some("yarn"), "+react - 18.0.0 Runtime Registry");
}

#[test]
fn a_lock_file_of_pnpm_is_read_in_three_formats() {
    let ninth = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      next:\n        specifier: ^15.0.0\n        \
                 version: 15.1.0(react@19.0.0)\n      old:\n        specifier: npm:left-pad@^1.3.0\n        version: left-pad@1.3.0\n      \
                 pg:\n        specifier: 8.11.0\n        version: 8.11.0\n      react:\n        specifier: ^19.0.0\n        version: 19.0.0\n    \
                 devDependencies:\n      typescript:\n        specifier: ~5.6.0\n        version: 5.6.3\n      vitest:\n        \
                 specifier: ^2.0.0\n        version: 2.1.0\npackages:\n  left-pad@1.3.0:\n    resolution: {integrity: x}\n  \
                 next@15.1.0:\n    resolution: {integrity: x}\n  pg@8.11.0: {}\n  react@18.0.0: {}\n  react@19.0.0: {}\n  \
                 typescript@5.6.3: {}\n  vitest@2.1.0: {}\nsnapshots:\n  pg@8.11.0: {}\n";
    check_site("pnpm-lock.yaml", ninth, None, "+react - 18.0.0 Runtime Registry");
    let fifth = "lockfileVersion: 5.4\nspecifiers:\n  next: ^15.0.0\ndependencies:\n  next: 15.1.0_react@19.0.0\n  old: /left-pad/1.3.0\n  \
                 pg: 8.11.0\n  react: 19.0.0\ndevDependencies:\n  typescript: 5.6.3\n  vitest: 2.1.0\npackages:\n  /left-pad/1.3.0:\n    \
                 dev: false\n  /next/15.1.0_react@19.0.0:\n    dev: false\n  /pg/8.11.0:\n    dev: false\n  /@scope/name/1.0.0:\n    \
                 dev: true\n  /react/19.0.0:\n    dev: false\n  /typescript/5.6.3:\n    dev: true\n  /vitest/2.1.0:\n    dev: true\n";
    check_site("pnpm-lock.yaml", fifth, None, "+@scope/name - 1.0.0 Dev Registry");
    let sixth = fifth
        .replace("5.4", "'6.0'")
        .replace("/left-pad/1.3.0", "/left-pad@1.3.0")
        .replace("/name/1", "/name@1")
        .replace("/next/15.1.0_react@19.0.0", "/next@15.1.0(react@19.0.0)");
    check_site("pnpm-lock.yaml", &sixth, None, "+@scope/name - 1.0.0 Dev Registry");
}

#[test]
fn a_lock_file_of_bun_is_read() {
    let lock = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "@shop/site", "dependencies": { "next": "^15.0.0", }, },
  },
  "packages": {
    "left-pad": ["left-pad@1.3.0", "", {}, "sha512-a"],
    "next": ["next@15.1.0", "", { "dependencies": { "react": "^18" } }, "sha512-b=="],
    "next/react": ["react@18.0.0", "", {}, "sha512-c"],
    "old": ["left-pad@1.3.0", "", {}, "sha512-a"],
    "pg": ["pg@8.11.0", "", {}, "sha512-d"],
    "react": ["react@19.0.0", "", {}, "sha512-e"],
    "shared": ["shared@workspace:packages/shared"],
    "typescript": ["typescript@5.6.3", "", { "bin": { "tsc": "bin/tsc", }, }, "sha512-f"],
    "vitest": ["vitest@2.1.0", "", {}, "sha512-g"],
  },
}
"#;
    check_site("bun.lock", lock, Some("bun"), "+react - 18.0.0 Runtime Registry");
}

#[test]
fn workspaces_of_each_package_manager_have_members() {
    let root = r#"{"name": "root", "private": true, "workspaces": {"packages": ["packages/*", "!packages/old"]}}"#;
    let member =
        |name: &str| format!(r#"{{"name": "{name}", "dependencies": {{"b": "workspace:*", "is-odd": "^3.0.0"}}}}"#);
    let files = [
        ("package.json", root.to_owned()),
        ("packages/a/package.json", member("a")),
        ("packages/b/package.json", member("b")),
        ("packages/old/package.json", member("old")),
        ("packages/a/node_modules/is-odd/package.json", member("is-odd")),
    ];
    let mut borrowed: Vec<(&str, &str)> = files.iter().map(|(path, content)| (*path, content.as_str())).collect();
    let findings = project(&borrowed);
    assert_eq!(findings.workspaces.len(), 1);
    assert_eq!(findings.workspaces[0].members, ["packages/a", "packages/b"]);
    assert_eq!(findings.project_type, "monorepo");

    let lock = "lockfileVersion: '9.0'\nimporters:\n  packages/a:\n    dependencies:\n      b:\n        specifier: workspace:*\n        \
                version: link:../b\n      is-odd:\n        specifier: ^3.0.0\n        version: 3.0.1\n";
    borrowed[0] = ("pnpm-workspace.yaml", "packages:\n  - 'packages/**'\n  - '!**/old'\n");
    borrowed.push(("pnpm-lock.yaml", lock));
    let by_pnpm = project(&borrowed);
    assert_eq!(by_pnpm.workspaces[0].members, ["packages/a", "packages/b"]);
    let gaps: Vec<(&str, &Gap)> = by_pnpm
        .drift
        .iter()
        .map(|drift| (drift.manifest.as_str(), &drift.gap))
        .collect();
    let missing = Gap::NotLocked {
        name: "is-odd".to_owned(),
    };
    assert_eq!(
        gaps,
        [
            ("packages/b/package.json", &missing),
            ("packages/old/package.json", &Gap::NoLock)
        ]
    );
}

#[test]
fn a_package_for_others_is_a_library() {
    let findings = project(&[(
        "package.json",
        r#"{"name": "buttons", "main": "dist/index.js", "peerDependencies": {"react": ">=18"}, "devDependencies": {"react": "^19", "rollup": "^4"}}"#,
    )]);
    assert_eq!(findings.project_type, "library");
    assert_eq!(findings.unpinned, 2);
}
