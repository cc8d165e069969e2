//! Rust packages.

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Draft, Images, Kind,
    dockerfile::{Text, is_plain},
    go::{compiled, run},
    start::Said,
    tree::Tree,
};

const IGNORED: &[&str] = &["target"];
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
/// Keys whose values may name files.
const NAMES_FILES: [&str; 6] = ["bench", "example", "test", "patch", "replace", "target"];

/// What counts of a `Cargo.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    package: Option<Package>,
    bin: Vec<Table>,
    lib: Option<Table>,
    workspace: Option<Table>,
    #[serde(flatten)]
    other: Table,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    default_run: Option<String>,
    build: Option<Value>,
}

/// Looks for a `Cargo.toml`, and for the one program of the package.
pub(super) fn detect(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Option<Draft>, String> {
    let Some(text) = tree.text("Cargo.toml")? else {
        return Ok(None);
    };
    let manifest: Manifest =
        toml::from_str(&text).map_err(|cause| format!("Cargo.toml is not valid: {}", cause.message()))?;
    let program = program(tree, &manifest)?;
    let start = compiled(said, &program)?;
    let is_locked = tree.has("Cargo.lock");
    Ok(Some(Draft {
        kind: Kind::Rust,
        why: vec![
            "Cargo.toml is there".to_owned(),
            format!("its program is `{program}`"),
            start.why,
        ],
        warnings: (!is_locked)
            .then(|| "there is no Cargo.lock: versions of crates are chosen anew by each build".to_owned())
            .into_iter()
            .collect(),
        dockerfile: dockerfile(tree, images, &manifest, &program, is_locked, &start.command, start.port),
        ignored: IGNORED,
        command: start.command,
        port: start.port,
    }))
}

fn program(tree: &Tree, manifest: &Manifest) -> Result<String, String> {
    let Some(package) = &manifest.package else {
        return Err(
            "Cargo.toml is a workspace without a package of its own: write a Dockerfile for one of its members"
                .to_owned(),
        );
    };
    let named = manifest.bin.iter().filter_map(|program| program.get("name")?.as_str());
    let mut programs: Vec<String> = named.map(str::to_owned).collect();
    if tree.has("src/main.rs") && !programs.contains(&package.name) && !has_path(manifest, "src/main.rs") {
        programs.push(package.name.clone());
    }
    for name in tree.names("src/bin") {
        let file = name.strip_suffix(".rs").map(str::to_owned);
        let directory = || tree.has(&format!("src/bin/{name}/main.rs")).then(|| name.clone());
        let found = file.or_else(directory);
        programs.extend(found.filter(|found| !programs.contains(found)));
    }
    let chosen = match programs.as_slice() {
        [] => return Err("Cargo.toml is there, and the package has no program".to_owned()),
        [only] => only,
        several => {
            let wanted = package.default_run.as_ref().unwrap_or(&package.name);
            several.iter().find(|name| *name == wanted).ok_or_else(|| {
                format!(
                    "the package has several programs ({}): name one as `default-run`",
                    several.join(", ")
                )
            })?
        }
    };
    match is_plain(chosen) {
        true => Ok(chosen.clone()),
        false => Err("the program's name has characters that no program has".to_owned()),
    }
}

fn has_path(manifest: &Manifest, path: &str) -> bool {
    let mut programs = manifest.bin.iter();
    programs.any(|program| program.get("path").and_then(Value::as_str) == Some(path))
}

fn dockerfile(
    tree: &Tree,
    images: &Images,
    manifest: &Manifest,
    program: &str,
    is_locked: bool,
    start: &[String],
    port: u16,
) -> String {
    let mut text = Text::for_project("a Rust package");
    let locked = if is_locked { " --locked" } else { "" };
    text.add(format_args!("FROM {} AS build", images.rust.as_str()));
    text.add("WORKDIR /src");
    text.add("ENV CARGO_TARGET_DIR=/target");
    if is_locked && is_fetched_first(tree, manifest) {
        text.add("COPY Cargo.toml Cargo.lock ./");
        // Cargo wants a target before it fetches anything.
        text.add("RUN mkdir src && touch src/main.rs src/lib.rs && cargo fetch --locked && rm -r src");
    }
    text.add("COPY . .");
    text.add(format_args!("RUN cargo build --release{locked} --bin {program}"));
    text.add(format_args!(
        "RUN mkdir -p /out && cp /target/release/{program} /out/{program}"
    ));
    run(text, images, program, start, port)
}

/// Whether crates can be fetched before the sources are there: nothing that the manifest names may be among these.
fn is_fetched_first(tree: &Tree, manifest: &Manifest) -> bool {
    let is_build_named = manifest.package.as_ref().is_some_and(|package| package.build.is_some());
    let has_settings = tree.has_directory(".cargo") || tree.has("rust-toolchain.toml") || tree.has("rust-toolchain");
    let names_files = NAMES_FILES.iter().any(|key| manifest.other.contains_key(*key));
    let tables = DEPENDENCIES
        .iter()
        .filter_map(|key| manifest.other.get(*key)?.as_table());
    let mut dependencies = tables.flat_map(|table| table.values());
    let is_local = dependencies.any(|dependency| dependency.get("path").is_some());
    let has_own_targets = !manifest.bin.is_empty() || manifest.lib.is_some();
    manifest.workspace.is_none() && !has_own_targets && !is_build_named && !has_settings && !names_files && !is_local
}
