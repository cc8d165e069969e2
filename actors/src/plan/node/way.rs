//! What a Node.js project is: a server with a start command, or pages that are built once.

use super::{Package, install::ManagerKind};
use crate::manifests::port_in;
use crate::plan::{
    start::{Said, in_container, words},
    tree::Tree,
};

/// Tools that build pages, and where they put them.
const SITES: [(&str, &str); 8] = [
    ("vite", "dist"),
    ("react-scripts", "build"),
    ("@vue/cli-service", "dist"),
    ("astro", "dist"),
    ("gatsby", "public"),
    ("parcel", "dist"),
    ("@docusaurus/core", "build"),
    ("@11ty/eleventy", "_site"),
];
/// What begins a start script that serves pages while they are worked on.
const FOR_WORK: [&str; 9] = [
    "vite",
    "react-scripts",
    "vue-cli-service",
    "astro",
    "gatsby",
    "parcel",
    "docusaurus",
    "eleventy",
    "webpack-dev-server",
];
/// Files that people name a server.
const SERVERS: [&str; 5] = ["server.js", "index.js", "app.js", "server.mjs", "index.mjs"];

/// How a project is run.
pub(super) enum Way {
    /// A program that serves.
    Server {
        command: Vec<String>,
        port: Option<u16>,
        why: String,
        warnings: Vec<String>,
    },
    /// Pages in a directory that `build` writes.
    Site { directory: &'static str, why: String },
}

impl Way {
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Server { why, .. } | Self::Site { why, .. } => why,
        }
    }

    fn server(command: Vec<String>, why: String) -> Self {
        Self::Server {
            port: port_in(&command.join(" ")),
            command,
            why,
            warnings: Vec::new(),
        }
    }
}

/// Finds the way: what was said, the `start` script, a framework, the built pages, the main file.
pub(super) fn find(tree: &Tree, package: &Package, manager: ManagerKind, said: Option<&Said>) -> Result<Way, String> {
    if let Some(said) = said {
        return Ok(Way::Server {
            command: said.argv.clone(),
            port: said.port(),
            why: format!("{} starts it", said.by),
            warnings: Vec::new(),
        });
    }
    let site = site(package);
    match package.script("start") {
        Some(line) if site.is_none() || !is_for_work(line) => return Ok(script(package, manager, line)),
        _ => {}
    }
    framework(package)
        .or(site)
        .or_else(|| main_file(tree, package))
        .ok_or_else(|| {
            "package.json has no `start` script, no known framework and no main file that is there".to_owned()
        })
}

/// Runs the script's own program where that is `node`, so that it is told itself when it is to end.
fn script(package: &Package, manager: ManagerKind, line: &str) -> Way {
    let is_alone = package.script("prestart").is_none() && package.script("poststart").is_none();
    let direct = in_container(line)
        .ok()
        .filter(|argv| argv.first().is_some_and(|program| program == "node"));
    let command = match direct.filter(|_| is_alone) {
        Some(argv) => argv,
        None => manager.run("start").split(' ').map(str::to_owned).collect(),
    };
    Way::Server {
        port: port_in(line),
        command,
        why: format!("the `start` script is `{line}`"),
        warnings: is_for_work(line)
            .then(|| format!("`{line}` looks like a server for work on the project, not for its users"))
            .into_iter()
            .collect(),
    }
}

fn framework(package: &Package) -> Option<Way> {
    let found = |name: &str, command: Vec<String>| {
        let is_built = package.needs(name) && package.script("build").is_some();
        is_built.then(|| {
            Way::server(
                command,
                format!("{name} is among the packages, and there is a `build` script"),
            )
        })
    };
    found("next", words(["node_modules/.bin/next", "start"]))
        .or_else(|| found("nuxt", words(["node", ".output/server/index.mjs"])))
        .or_else(|| found("@nestjs/core", words(["node", "dist/main.js"])))
}

fn site(package: &Package) -> Option<Way> {
    package.script("build")?;
    let (tool, directory) = SITES.into_iter().find(|(tool, _)| package.needs(tool))?;
    Some(Way::Site {
        directory,
        why: format!("{tool} is among the packages: the `build` script puts pages into `{directory}`"),
    })
}

fn main_file(tree: &Tree, package: &Package) -> Option<Way> {
    let main = package
        .main
        .as_deref()
        .filter(|main| is_plain_path(main) && tree.has(main));
    let file = main.or_else(|| SERVERS.into_iter().find(|name| tree.has(name)))?;
    let why = format!("{file} is there, and nothing else says how to start");
    Some(Way::server(vec!["node".to_owned(), file.to_owned()], why))
}

/// Whether a path stays in the project and is no option.
fn is_plain_path(path: &str) -> bool {
    !path.starts_with(['-', '/']) && path.split('/').all(|part| part != "..")
}

fn is_for_work(line: &str) -> bool {
    let mut words = line.split_whitespace().filter(|word| !word.contains('='));
    let tool = words.next().unwrap_or_default();
    let tool = if tool == "npx" {
        words.next().unwrap_or_default()
    } else {
        tool
    };
    let verb = words.next().unwrap_or_default();
    FOR_WORK.contains(&tool) && !matches!(verb, "preview" | "serve" | "build") || (tool, verb) == ("webpack", "serve")
}
