//! Kinds of projects, and what does not shape them.

use super::*;

#[test]
fn the_kind_follows_from_what_is_there() {
    let react = r#"{"private": true, "dependencies": {"react": "^19.0.0"}}"#;
    let package = r#"{"name": "x"}"#;
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "web",
            &[
                ("frontend/package.json", react),
                ("backend/requirements.txt", "fastapi\n"),
            ],
        ),
        ("api", &[("package.json", r#"{"dependencies": {"express": "^5.0.0"}}"#)]),
        (
            "mobile",
            &[(
                "package.json",
                r#"{"dependencies": {"react": "^19", "react-native": "^0.76"}}"#,
            )],
        ),
        ("mobile", &[("pubspec.yaml", "name: x\n")]),
        (
            "mobile",
            &[("app/build.gradle", "plugins {\n  id 'com.android.application'\n}\n")],
        ),
        ("data", &[("requirements.txt", "pandas\nscikit-learn\n")]),
        (
            "cli",
            &[(
                "package.json",
                r#"{"name": "x", "bin": "x.js", "dependencies": {"commander": "^12"}}"#,
            )],
        ),
        (
            "cli",
            &[("Cargo.toml", "[package]\nname = \"x\"\n"), ("src/main.rs", "")],
        ),
        ("library", &[("composer.json", r#"{"name": "a/b", "require": {}}"#)]),
        (
            "api",
            &[(
                "package.json",
                r#"{"name": "x", "main": "index.js", "dependencies": {"express": "^5"}}"#,
            )],
        ),
        (
            "api",
            &[(
                "pyproject.toml",
                "[project]\nname = \"x\"\ndependencies = [\"fastapi\"]\n[build-system]\nrequires = []\n",
            )],
        ),
        (
            "library",
            &[(
                "pyproject.toml",
                "[project]\nname = \"x\"\ndependencies = [\"flask\"]\nclassifiers = [\"Topic :: Software Development :: Libraries\"]\n",
            )],
        ),
        ("library", &[("setup.py", "import os")]),
        ("app", &[("package.json", package)]),
        ("infra", &[("main.tf", ""), ("modules/net/main.tf", "")]),
        ("infra", &[("compose.yaml", "services: {}\n")]),
        ("static", &[("index.html", "<p>react postgres</p>")]),
        ("static", &[("Gemfile", "gem \"jekyll\"\n")]),
        (
            "monorepo",
            &[
                ("a/package.json", package),
                ("b/package.json", package),
                ("c/go.mod", "module x\n"),
            ],
        ),
        ("unknown", &[("README.md", "A web app with react")]),
        ("unknown", &[]),
    ];
    for (kind, files) in cases {
        assert_eq!(project(files).project_type, *kind, "{files:?}");
        assert!(crate::value::ProjectType::try_from((*kind).to_owned()).is_ok());
    }
}

#[test]
fn words_in_prose_do_not_shape_the_stack() {
    let prose = "Uses postgres, redis and django.";
    let package = format!(
        r#"{{"name": "postgres-redis", "description": "{prose}", "keywords": ["postgres", "react"], "dependencies": {{"express": "1.0.0"}}}}"#
    );
    let findings = project(&[
        ("README.md", prose),
        ("docs/postgres.md", prose),
        ("package.json", &package),
        ("requirements.txt", "# psycopg2\nflask # not redis\n"),
        (
            "Dockerfile",
            "# FROM postgres\nFROM alpine\nRUN apk add postgresql-client && echo FROM redis\n",
        ),
        (
            "compose.yml",
            "services:\n  web:\n    build: .\n    # image: mysql\n    environment: [\"NOTE=postgres\"]\n",
        ),
    ]);
    assert_eq!(findings.stack.databases, [""; 0]);
    assert_eq!(findings.stack.frameworks, ["express", "flask"]);
}

#[test]
fn vendored_and_sample_files_do_not_shape_the_stack() {
    let foreign = r#"{"dependencies": {"vue": "^3", "mongodb": "^6"}}"#;
    let findings = project(&[
        (
            "package.json",
            r#"{"private": true, "dependencies": {"react": "^19.0.0"}}"#,
        ),
        ("node_modules/x/package.json", foreign),
        ("vendor/x/package.json", foreign),
        ("testdata/package.json", foreign),
        ("src/__fixtures__/package.json", foreign),
        ("examples/demo/package.json", foreign),
        ("examples/demo/docker-compose.yml", "services: {db: {image: mysql}}"),
        ("tests/docker-compose.yml", "services: {db: {image: mysql}}"),
    ]);
    assert_eq!(findings.tech_stack(), ["javascript", "react"]);
    let names: Vec<(&str, Kind)> = findings
        .dependencies
        .iter()
        .map(|dependency| (dependency.name.as_str(), dependency.kind))
        .collect();
    assert_eq!(
        names,
        [("mongodb", Kind::Dev), ("react", Kind::Runtime), ("vue", Kind::Dev)]
    );
    assert!(!is_wanted("node_modules/x/package.json") && !is_wanted("src/app.ts") && is_wanted("src/main.rs"));
}

#[test]
fn containers_and_ci_files_tell_of_services() {
    let findings = project(&[
        ("Dockerfile", "FROM python:3.12\nEXPOSE 8000\n"),
        (
            "docker-compose.yml",
            "services:\n  web:\n    build: .\n    ports: [\"80:8000\"]\n  db:\n    image: postgis/postgis:16-3.4\n  cache:\n    image: redis:7-alpine\n",
        ),
        (
            ".github/workflows/test.yml",
            "on: push\njobs:\n  t:\n    services:\n      mq: {image: \"rabbitmq:3\"}\n    steps:\n      - run: echo ${{ github.sha }}\n",
        ),
    ]);
    assert_eq!(
        findings.tech_stack(),
        [
            "python",
            "postgresql",
            "rabbitmq",
            "redis",
            "docker",
            "docker-compose",
            "github-actions"
        ]
    );
    let ports: Vec<u16> = findings.ports.iter().map(|port| port.port).collect();
    assert_eq!(ports, [80, 8000]);
    assert_eq!(findings.invalid, []);
}

#[test]
fn only_what_describes_the_whole_is_the_description() {
    let described = |name: &str| format!(r#"{{"name": "{name}", "description": "Only {name}"}}"#);
    let (one, other) = (described("a"), described("b"));
    let description = |files: &[(&str, &str)]| project(files).description;
    assert_eq!(description(&[("a/package.json", &one)]).as_deref(), Some("Only a"));
    assert_eq!(
        description(&[("a/package.json", &one), ("b/package.json", &other)]),
        None
    );
    let all = [
        ("a/package.json", one.as_str()),
        ("b/package.json", &other),
        ("composer.json", r#"{"description": "All"}"#),
    ];
    assert_eq!(description(&all).as_deref(), Some("All"));
}

#[test]
fn licence_files_count_where_no_manifest_speaks() {
    let mit = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software";
    let apache = "Apache License\nVersion 2.0, January 2004";
    let findings = project(&[("LICENSE-MIT", mit), ("LICENSE-APACHE", apache), ("src/LICENSE", "ISC")]);
    assert_eq!(findings.licence.as_deref(), Some("Apache-2.0 OR MIT"));
}
