//! Manifests that cannot be read.

use super::*;

#[test]
fn a_broken_manifest_says_where_and_the_others_are_read() {
    for (path, content, line) in [
        ("package.json", "{\n  \"name\": \"x\",\n  \"version\": \n}", Some(4)),
        ("package.json", "[]", Some(1)),
        ("Cargo.toml", "[package]\nname = \"x\"\nversion = 1.0.0\n", Some(3)),
        ("pyproject.toml", "[project]\nname = \"x\"\n[project]\n", Some(3)),
        ("requirements.txt", "flask\n<<<<<<< HEAD\ndjango\n", Some(2)),
        ("go.mod", "module x\n\nrequires a v1\n", Some(3)),
        ("go.mod", "module x\n\nrequire (\n\ta v1\n", Some(4)),
        ("pom.xml", "<project>\n  <artifactId>x</artifact>\n</project>", Some(2)),
        ("composer.json", "{\n\"require\": {},\n}", Some(3)),
        ("docker-compose.yml", "services:\n  a:\n   - b: [\n", Some(3)),
        (".github/workflows/ci.yml", "on: push\njobs:\n\tbuild: x\n", Some(3)),
        ("Pipfile.lock", "{\"default\":\n1}", Some(2)),
        ("Cargo.lock", "[[package]]\nname = \"x\"\n", Some(1)),
        ("package.json", "\u{0}", Some(1)),
    ] {
        let findings = project(&[
            (path, content),
            ("app/composer.json", r#"{"require": {"a/b": "1.0.0"}}"#),
        ]);
        assert_eq!(findings.invalid.len(), 1, "{path}: {content} {:?}", findings.invalid);
        let invalid = &findings.invalid[0];
        assert_eq!((invalid.file.as_str(), invalid.line), (path, line), "{invalid:?}");
        assert!(
            !invalid.message.is_empty() && !invalid.message.contains('\n'),
            "{invalid:?}"
        );
        assert!(
            findings.dependencies.iter().any(|dependency| dependency.name == "a/b"),
            "{path}"
        );
    }
}

#[test]
fn odd_values_are_no_fault() {
    let findings = project(&[
        (
            "package.json",
            "\u{feff}{\"dependencies\": [], \"license\": {\"type\": \"ISC\"}, \"bin\": 1, \"workspaces\": null, \"scripts\": {\"a\": 1}}",
        ),
        (
            "web/composer.json",
            r#"{"require": [], "scripts": {"a": ["b"]}, "license": 3}"#,
        ),
        ("api/Cargo.toml", "dependencies = 1\n[package]\nname = 2\n"),
        (
            "compose.yaml",
            "x-map: {1: a, 2.5: b, true: c}\nx-map: {}\nservices:\n  a: null\n  b: {image: 7, ports: {a: 1}}\n",
        ),
    ]);
    assert_eq!(findings.invalid, []);
    assert_eq!(findings.licence.as_deref(), Some("ISC"));
}

#[test]
fn samples_and_templates_may_be_broken() {
    let findings = project(&[
        ("tests/package.json", "{"),
        ("fixtures/package.json", "{"),
        ("node_modules/a/package.json", "{"),
        ("{{name}}/package.json", "{\"name\": {{ name }} }"),
        ("skeleton/pyproject.toml", "[project]\n{% if x %}\n"),
    ]);
    assert_eq!(findings.invalid, []);
}

#[test]
fn a_file_beyond_its_size_is_reported_and_not_read() {
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(1024 * 1024));
    let findings = project(&[("package.json", &large), ("coverage/coverage-summary.json", &large)]);
    assert_eq!(findings.invalid.len(), 1);
    assert_eq!(findings.invalid[0].message, "is larger than 1 MB");
}

#[test]
fn dependencies_beyond_the_limit_are_left_out_and_direct_ones_stay() {
    let packages: Vec<String> = (0..21_000)
        .map(|number| format!("\"node_modules/p{number}\": {{\"version\": \"1.0.0\"}}"))
        .collect();
    let lock = format!("{{\"lockfileVersion\": 3, \"packages\": {{{}}}}}", packages.join(","));
    let findings = project(&[
        ("package.json", r#"{"dependencies": {"p20999": "*"}}"#),
        ("package-lock.json", &lock),
    ]);
    assert!(findings.truncated);
    assert_eq!(findings.dependencies.len(), MAX_DEPENDENCIES);
    assert!(findings.dependencies[0].is_direct && findings.dependencies[0].name == "p20999");
}
