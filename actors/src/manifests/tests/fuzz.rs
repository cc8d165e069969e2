//! Any bytes under any name: never a panic, always within bounds.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// A valid sample for each format.
const SAMPLES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"x\"\nlicense = \"MIT/Apache-2.0\"\n[dependencies]\na = { package = \"b\", version = \"1\", features = [\"c\"] }\n[workspace]\nmembers = [\"a/*\"]\n[workspace.dependencies]\nc = \"1\"\n",
    ),
    (
        "Cargo.lock",
        "version = 4\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\ndependencies = [\"y 2.0.0\"]\n[[package]]\nname = \"y\"\nversion = \"2.0.0\"\nsource = \"git+https://a\"\n",
    ),
    (
        "package.json",
        "{\"name\": \"@a/b\", \"bin\": \"x\", \"workspaces\": [\"a/*\", \"!b\"], \"scripts\": {\"start\": \"x -p 3000\"}, \"dependencies\": {\"a\": \"npm:@b/c@^1\"}, \"peerDependencies\": {\"d\": \"*\"}}",
    ),
    (
        "package-lock.json",
        "{\"packages\": {\"node_modules/@a/b/node_modules/c\": {\"version\": \"1.0.0\", \"resolved\": \"git+x\"}}, \"dependencies\": {\"a\": {\"version\": \"1\", \"dependencies\": {\"b\": {\"version\": \"1\"}}}}}",
    ),
    (
        "yarn.lock",
        "\"@a/b@npm:^1.0.0, c@^2\":\n  version: 1.0.0\n  resolution: \"@a/b@npm:1.0.0\"\nd@^1, \"e@npm:f@2\":\n  version \"1\"\n  resolved \"https://x/d.git#abc\"\n",
    ),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: 5\nimporters:\n  a/b:\n    dependencies:\n      c: {specifier: ^1, version: 1.0.0(d@2)}\npackages:\n  /@a/b/1.0.0_c@2: {dev: true}\n  '@a/b@1.0.0(c@2)': {}\n",
    ),
    (
        "bun.lock",
        "{\"packages\": {\"a/b\": [\"b@1.0.0\", \"\", {\"bin\": {}, },], \"c\": [\"@d/c@workspace:e\"],},}",
    ),
    ("pnpm-workspace.yaml", "packages:\n  - a/*\n  - '!b'\n"),
    (
        "requirements.txt",
        "a[b,c]>=1,<2; python_version > '3' \\\n  --hash=sha256:a\n-e git+https://a/b.git@c#egg=d[e]\nf @ https://a/f.whl ; x\n./g\nh==1  # via i\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"x\"\ndependencies = [\"a>=1\"]\n[project.scripts]\nx = \"x:y\"\n[tool.poetry.dependencies]\nb = [{ version = \"^1\" }]\n[tool.uv.sources]\na = { git = \"x\" }\n",
    ),
    (
        "Pipfile",
        "[packages]\na = \"*\"\nb = { git = \"x\", extras = [\"c\"] }\n",
    ),
    (
        "Pipfile.lock",
        "{\"default\": {\"a\": {\"version\": \"==1\"}}, \"develop\": {\"b\": {\"git\": \"x\"}}}",
    ),
    (
        "setup.cfg",
        "[metadata]\nname = x\n[options]\ninstall_requires =\n  a>=1\n[options.entry_points]\nconsole_scripts =\n  x = y:z\n",
    ),
    (
        "poetry.lock",
        "[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"dev\"]\n[package.source]\ntype = \"git\"\n",
    ),
    (
        "uv.lock",
        "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"x\" }\n",
    ),
    (
        "go.mod",
        "module a/b\nrequire (\n\tc/d/v2 v2.0.0 // indirect\n)\nreplace c/d/v2 => ../e\n",
    ),
    ("go.sum", "a/b v1.0.0 h1:x=\na/b v1.0.0/go.mod h1:x=\n"),
    ("go.work", "use (\n\t./a\n)\n"),
    (
        "pom.xml",
        "<project><artifactId>x</artifactId><properties><a>${b}</a><b>1</b></properties><dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${a}</version></dependency></dependencies><modules><module>m</module></modules></project>",
    ),
    (
        "build.gradle.kts",
        "plugins { id(\"a.b\") }\ndependencies {\n  implementation(\"a:b:1.0\")\n  testImplementation(platform(\"c:d:$e\"))\n}\n",
    ),
    ("settings.gradle", "include ':a', ':b:c'\n"),
    (
        "gradle/libs.versions.toml",
        "[versions]\na = \"1\"\n[libraries]\nb = { module = \"c:d\", version.ref = \"a\" }\n[plugins]\ne = \"f:1\"\n",
    ),
    (
        "composer.json",
        "{\"name\": \"a/b\", \"license\": [\"MIT\"], \"require\": {\"c/d\": \"^1\", \"ext-x\": \"*\"}, \"bin\": [\"x/y\"]}",
    ),
    (
        "composer.lock",
        "{\"packages\": [{\"name\": \"a/b\", \"version\": \"v1\", \"dist\": {\"type\": \"path\"}}]}",
    ),
    (
        "Gemfile",
        "gem \"a\", \"~> 1\", git: \"x\"\ngroup :test do\n  gem 'b'\nend\n",
    ),
    (
        "Gemfile.lock",
        "GEM\n  specs:\n    a (1.0-x86)\n      b (>= 1)\nGIT\n  specs:\n    c (1)\n",
    ),
    (
        "Dockerfile",
        "# escape=`\nARG A=1\nFROM --platform=x a:${A:-2} AS b\nENV P=80 Q=\"${P}\"\nEXPOSE $P/tcp 90\nRUN <<-'EOF'\nx\nEOF\nFROM b\n",
    ),
    (
        "docker-compose.yml",
        "services:\n  a: &a\n    image: ${A:-b}/c:1@sha256:x\n    ports: [80, \"1.2.3.4:81:82/tcp\", {target: 1}]\n  b:\n    <<: *a\n",
    ),
    (
        ".gitlab-ci.yml",
        "a:\n  services: [b:1, {name: c}]\n  script: !reference [a, b]\n",
    ),
    (".circleci/config.yml", "jobs:\n  a:\n    docker: [{image: cimg/x}]\n"),
    ("Procfile", "web: x --port=3000\nworker: y\n"),
    (
        "LICENSE",
        "Permission is hereby granted, free of charge, to any person obtaining a copy",
    ),
    ("lcov.info", "SF:a\nLF:10\nLH:5\nend_of_record\n"),
    (
        "coverage.xml",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><coverage line-rate=\"0.5\" lines-valid=\"10\" lines-covered=\"5\"/>",
    ),
    (
        "coverage.json",
        "{\"files\": [{\"covered\": 1, \"coverable\": 2}], \"totals\": {\"percent_covered\": 1.0}}",
    ),
    (
        "coverage-summary.json",
        "{\"total\": {\"lines\": {\"total\": 2, \"covered\": 1, \"pct\": 50}}}",
    ),
];

/// A change of a text: at a place, take some bytes away and put others in.
type Change = (prop::sample::Index, usize, Vec<u8>);

fn changed(sample: &str, changes: &[Change]) -> Vec<u8> {
    let mut content = sample.as_bytes().to_vec();
    for (place, num_removed, added) in changes {
        let start = place.index(content.len() + 1);
        let end = (start + num_removed).min(content.len());
        content.splice(start..end, added.iter().copied());
    }
    content
}

/// Reads one file and checks what holds for every answer.
fn check(path: &str, content: Vec<u8>) {
    let num_lines = 1 + content.iter().filter(|byte| **byte == b'\n').count();
    let findings = read(&[File {
        path: path.to_owned(),
        content,
    }]);
    for invalid in &findings.invalid {
        assert!(
            invalid.line.is_none_or(|line| line as usize <= num_lines + 1),
            "{path} {invalid:?}"
        );
        assert!(
            !invalid.message.is_empty() && invalid.message.chars().count() <= 200,
            "{path} {invalid:?}"
        );
    }
    let coverage = findings.coverage.as_ref().map_or(0.0, |coverage| coverage.percent);
    assert!((0.0..=100.0).contains(&coverage), "{path} {coverage}");
    assert!(crate::value::TechStack::try_from(findings.tech_stack()).is_ok());
    assert!(serde_json::to_string(&findings).is_ok());
}

#[test]
fn every_sample_is_wanted_and_valid() {
    for (path, sample) in SAMPLES {
        assert!(is_wanted(path), "{path}");
        assert_eq!(project(&[(path, sample)]).invalid, [], "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(
        (path, _) in select(SAMPLES),
        content in vec(any::<u8>(), 0..200),
    ) {
        check(path, content);
    }

    #[test]
    fn any_text_is_read_without_a_panic(
        (path, _) in select(SAMPLES),
        content in "[\\PC\n\t{}\\[\\]\"'=:,@$<>/#.-]{0,120}",
    ) {
        check(path, content.into_bytes());
    }

    #[test]
    fn changed_samples_are_read_without_a_panic(
        (path, sample) in select(SAMPLES),
        changes in vec((any::<prop::sample::Index>(), 0_usize..12, vec(select(b"\"'{}[]()<>$@:=,#!/\\ \n\t-.aZ0\xc3\xa9".to_vec()), 0..6)), 1..6),
    ) {
        check(path, changed(sample, &changes));
    }
}
