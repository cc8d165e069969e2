//! Go modules.

use super::{
    DEFAULT_PORT, Draft, Images, Kind,
    dockerfile::{Text, USER, is_plain},
    start::Said,
    tree::Tree,
};

const DIRECTORY: &str = "/usr/local/bin";

/// Looks for a `go.mod`, and for the one program of the module.
pub(super) fn detect(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Option<Draft>, String> {
    let Some(manifest) = tree.text("go.mod")? else {
        return Ok(None);
    };
    let program = Program::find(tree, &manifest)?;
    let start = compiled(said, &program.name)?;
    Ok(Some(Draft {
        kind: Kind::Go,
        why: vec!["go.mod is there".to_owned(), program.why.clone(), start.why],
        warnings: (!tree.has("go.sum") && manifest.contains("require"))
            .then(|| "there is no go.sum: the build refuses modules that it does not list".to_owned())
            .into_iter()
            .collect(),
        dockerfile: dockerfile(tree, images, &program, &start.command, start.port),
        ignored: &[],
        command: start.command,
        port: start.port,
    }))
}

/// How a compiled program is started.
pub(super) struct Start {
    pub(super) command: Vec<String>,
    pub(super) port: u16,
    pub(super) why: String,
}

/// Starts the program that is built, with the arguments that a Procfile gives to it.
pub(super) fn compiled(said: Option<&Said>, name: &str) -> Result<Start, String> {
    let program = format!("{DIRECTORY}/{name}");
    let Some(said) = said.filter(|said| !said.is_requested) else {
        return Ok(Start {
            why: format!("`{name}` is started without arguments"),
            command: vec![program],
            port: DEFAULT_PORT,
        });
    };
    if said.argv.first().is_some_and(|first| first == "sh") {
        return Err(format!(
            "{} needs a shell, and the image for compiled programs has none: let the program read PORT from its environment",
            said.by
        ));
    }
    let mut command = said.argv.clone();
    if let Some(first) = command.first_mut() {
        *first = program;
    }
    Ok(Start {
        command,
        port: said.port().unwrap_or(DEFAULT_PORT),
        why: format!("{} gives its arguments", said.by),
    })
}

/// Writes the last stage of a compiled program, which has the project's files too: templates and pages lie among them.
pub(super) fn run(mut text: Text, images: &Images, name: &str, start: &[String], port: u16) -> String {
    text.add(format_args!("FROM {}", images.run.as_str()));
    text.add(format_args!("COPY --chown={USER} . /app"));
    text.add(format_args!("COPY --from=build /out/{name} {DIRECTORY}/{name}"));
    text.add("WORKDIR /app");
    text.finish(start, port)
}

struct Program {
    name: String,
    /// The package, relative to the module.
    package: String,
    why: String,
}

impl Program {
    fn find(tree: &Tree, manifest: &str) -> Result<Self, String> {
        let name = module_name(manifest).unwrap_or("app");
        if is_program(tree, ".") {
            return Ok(Self {
                name: name.to_owned(),
                package: ".".to_owned(),
                why: "the module's own directory has a `package main`".to_owned(),
            });
        }
        let below = tree.names("cmd");
        let programs: Vec<&String> = below
            .iter()
            .filter(|name| is_plain(name) && is_program(tree, &format!("cmd/{name}")))
            .collect();
        let chosen = match programs.as_slice() {
            [] => return Err("go.mod is there, and neither its directory nor one below `cmd` has a `package main`".to_owned()),
            [only] => *only,
            several => several.iter().find(|program| **program == name).copied().ok_or_else(|| {
                let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
                format!(
                    "there are several programs below `cmd` ({}), and none has the module's name: write a Dockerfile for one",
                    names.join(", ")
                )
            })?,
        };
        Ok(Self {
            name: chosen.clone(),
            package: format!("./cmd/{chosen}"),
            why: format!("cmd/{chosen} has a `package main`"),
        })
    }
}

fn dockerfile(tree: &Tree, images: &Images, program: &Program, start: &[String], port: u16) -> String {
    let mut text = Text::for_project("a Go module");
    text.add(format_args!("FROM {} AS build", images.go.as_str()));
    text.add("WORKDIR /src");
    // A workspace or a vendored module has what it needs among its files.
    if tree.has("go.sum") && !tree.has("go.work") && !tree.has_directory("vendor") {
        text.add("COPY go.mod go.sum ./");
        text.add("RUN go mod download");
    }
    text.add("COPY . .");
    text.add(format_args!(
        "RUN CGO_ENABLED=0 go build -trimpath -ldflags=\"-s -w\" -o /out/{} {}",
        program.name, program.package
    ));
    run(text, images, &program.name, start, port)
}

/// Returns the last part of the module's path that names it: `v2` does not.
fn module_name(manifest: &str) -> Option<&str> {
    let path = manifest.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let is_version = |part: &&str| {
        part.strip_prefix('v')
            .is_some_and(|digits| digits.parse::<u32>().is_ok())
    };
    let mut parts = path
        .trim()
        .trim_matches('"')
        .rsplit('/')
        .filter(|part| !is_version(part));
    parts.next().filter(|name| is_plain(name))
}

/// Whether a directory has a file of `package main` that is no test.
fn is_program(tree: &Tree, directory: &str) -> bool {
    let names = tree.names(directory);
    let mut sources = names
        .iter()
        .filter(|name| name.ends_with(".go") && !name.ends_with("_test.go"));
    sources.any(|name| {
        let text = tree.text(&format!("{directory}/{name}")).ok().flatten();
        text.is_some_and(|text| is_main(&text))
    })
}

fn is_main(source: &str) -> bool {
    // Files that are left out of builds, such as generators.
    let is_ignored = source.lines().any(|line| line.trim() == "//go:build ignore");
    let package = source.lines().map(str::trim).find(|line| line.starts_with("package "));
    !is_ignored && package.and_then(|line| line.split_whitespace().nth(1)) == Some("main")
}
