//! Rust.

use super::*;

const ROOT: &str = r#"
[workspace]
members = ["crates/*"]
exclude = ["crates/old"]

[workspace.package]
license = "MIT/Apache-2.0"

[workspace.dependencies]
serde = { version = "1.0", features = ["derive"] }
database = { package = "sqlx", version = "0.8", features = ["postgres"] }
store = { path = "crates/store" }

[package]
name = "shop"
version = "0.1.0"
description = "Sells things. Once used postgres and django."
license.workspace = true

[dependencies]
axum = "0.8"
serde.workspace = true
store.workspace = true
json = { package = "serde_json", version = "1" }
lru = { git = "https://example.org/lru", rev = "abc" }
metrics = { version = "0.24", optional = true }

[target.'cfg(unix)'.dependencies]
libc = "=0.2.170"

[build-dependencies]
cc = "1"

[dev-dependencies]
proptest = "1"
"#;

const STORE: &str = r#"
[package]
name = "store"
version = "0.1.0"
[dependencies]
database = { workspace = true, features = ["runtime-tokio"] }
serde = { workspace = true }
gone = "1"
"#;

const LOCK: &str = r#"
version = 4

[[package]]
name = "axum"
version = "0.8.4"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["bitflags 2.9.0", "serde"]

[[package]]
name = "bitflags"
version = "1.3.2"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "bitflags"
version = "2.9.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "cc"
version = "1.2.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "libc"
version = "0.2.170"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "lru"
version = "0.12.0"
source = "git+https://example.org/lru?rev=abc#abc"

[[package]]
name = "metrics"
version = "0.24.1"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "proptest"
version = "1.6.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "serde"
version = "1.0.219"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "serde_json"
version = "1.0.140"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "shop"
version = "0.1.0"
dependencies = ["axum", "cc", "libc", "lru", "metrics", "proptest", "serde", "serde_json", "store"]

[[package]]
name = "sqlx"
version = "0.8.3"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "store"
version = "0.1.0"
dependencies = ["serde", "sqlx"]
"#;

#[test]
fn a_workspace_is_read_with_its_lock_file() {
    let findings = project(&[
        ("Cargo.toml", ROOT),
        ("Cargo.lock", LOCK),
        ("crates/store/Cargo.toml", STORE),
        ("src/main.rs", ""),
        ("crates/store/src/lib.rs", ""),
        ("Dockerfile", "FROM rust:1 AS build\nFROM debian:12-slim\nEXPOSE 8080\n"),
    ]);
    assert_eq!(
        lines(&findings),
        [
            "axum 0.8 0.8.4 Runtime Registry",
            "cc 1 1.2.0 Build Registry",
            "gone 1 - Runtime Registry",
            "libc =0.2.170 0.2.170 Runtime Registry",
            "lru - 0.12.0 Runtime Git",
            "metrics 0.24 0.24.1 Optional Registry",
            "proptest 1 1.6.0 Dev Registry",
            "serde 1.0 1.0.219 Runtime Registry",
            "serde_json 1 1.0.140 Runtime Registry",
            "sqlx 0.8 0.8.3 Runtime Registry",
            "store - 0.1.0 Runtime Path",
            "+bitflags - 1.3.2 Runtime Registry",
            "+bitflags - 2.9.0 Runtime Registry",
        ]
    );
    assert_eq!(findings.direct[&Ecosystem::Cargo], 11);
    assert_eq!(findings.unpinned, 1);
    assert_eq!(findings.lockfiles, ["Cargo.lock"]);
    let gap = Gap::NotLocked {
        name: "gone".to_owned(),
    };
    let drift = Drift {
        manifest: "crates/store/Cargo.toml".to_owned(),
        ecosystem: Ecosystem::Cargo,
        gap,
    };
    assert_eq!(findings.drift, [drift]);
    assert_eq!(
        findings.tech_stack(),
        ["rust", "axum", "sqlx", "postgresql", "docker", "proptest"]
    );
    assert_eq!(findings.project_type, "api");
    assert_eq!(findings.licence.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(
        findings.description.as_deref(),
        Some("Sells things. Once used postgres and django.")
    );
    assert_eq!(
        findings.image_bases,
        [ImageBase {
            dockerfile: "Dockerfile".to_owned(),
            image: "debian:12-slim".to_owned()
        }]
    );
    assert_eq!(
        findings.ports,
        [Port {
            port: 8080,
            source: "Dockerfile".to_owned()
        }]
    );
}

#[test]
fn members_are_told_from_packages_that_stand_alone() {
    let bare = "[package]\nname = \"x\"\n";
    let findings = project(&[
        ("Cargo.toml", ROOT),
        ("crates/store/Cargo.toml", bare),
        ("crates/old/Cargo.toml", bare),
        ("crates/deep/er/Cargo.toml", bare),
        ("other/Cargo.toml", bare),
    ]);
    let expected = Workspace {
        manifest: "Cargo.toml".to_owned(),
        patterns: vec!["crates/*".to_owned()],
        excluded: vec!["crates/old".to_owned()],
        members: vec!["crates/store".to_owned()],
    };
    assert_eq!(findings.workspaces, [expected]);
}

#[test]
fn a_library_without_lock_file_says_so() {
    let findings = project(&[
        (
            "Cargo.toml",
            "[package]\nname = \"x\"\nversion = \"1.0.0\"\n[dependencies]\nserde = \"1\"\n[dev-dependencies]\naxum = \"0.8\"\n",
        ),
        ("src/lib.rs", ""),
        (
            "examples/site/Cargo.toml",
            "[package]\nname = \"site\"\n[dependencies]\nleptos = \"0.7\"\n",
        ),
    ]);
    assert_eq!(findings.project_type, "library");
    assert_eq!(findings.tech_stack(), ["rust"]);
    assert_eq!(lines(&findings)[1], "leptos 0.7 - Dev Registry");
    let drift = Drift {
        manifest: "Cargo.toml".to_owned(),
        ecosystem: Ecosystem::Cargo,
        gap: Gap::NoLock,
    };
    assert_eq!(findings.drift, [drift]);
}
