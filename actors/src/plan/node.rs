//! Node.js projects: what a `package.json` and a lock file say.

mod install;
mod way;

use serde::Deserialize;
use std::collections::BTreeMap;

use self::{install::Manager, way::Way};
use super::{
    DEFAULT_PORT, Draft, Images, Kind,
    dockerfile::{Text, USER},
    start::Said,
    tree::Tree,
};

const MANIFEST: &str = "package.json";
const IGNORED: &[&str] = &["**/node_modules"];

/// What counts of a `package.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Package {
    main: Option<String>,
    package_manager: Option<String>,
    scripts: BTreeMap<String, String>,
    dependencies: BTreeMap<String, String>,
    dev_dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
    workspaces: Option<serde_json::Value>,
}

impl Package {
    fn read(tree: &Tree) -> Result<Option<Self>, String> {
        let text = tree.text(MANIFEST)?;
        let read =
            |text: String| serde_json::from_str(&text).map_err(|cause| format!("{MANIFEST} is not valid: {cause}"));
        text.map(read).transpose()
    }

    /// Whether it needs this package, to run or to be built.
    fn needs(&self, name: &str) -> bool {
        self.dependencies.contains_key(name) || self.dev_dependencies.contains_key(name)
    }

    fn has_dependencies(&self) -> bool {
        [&self.dependencies, &self.dev_dependencies, &self.optional_dependencies]
            .into_iter()
            .any(|listed| !listed.is_empty())
    }

    fn script(&self, name: &str) -> Option<&str> {
        self.scripts
            .get(name)
            .map(String::as_str)
            .filter(|line| !line.trim().is_empty())
    }
}

/// Looks for a `package.json`, or for nothing but a command that `node` runs.
pub(super) fn detect(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Option<Draft>, String> {
    let package = match Package::read(tree)? {
        Some(package) => package,
        None if said.and_then(Said::stack) == Some(Kind::Node) => Package::default(),
        None => return Ok(None),
    };
    let manager = Manager::of(tree, &package);
    let way = way::find(tree, &package, manager.kind, said)?;
    let mut draft = Draft {
        kind: Kind::Node,
        why: vec![manager.why.clone(), way.why().to_owned()],
        warnings: manager.warnings.clone(),
        dockerfile: String::new(),
        ignored: IGNORED,
        command: Vec::new(),
        port: DEFAULT_PORT,
    };
    match way {
        Way::Server {
            command,
            port,
            warnings,
            ..
        } => {
            draft.port = port.unwrap_or(DEFAULT_PORT);
            draft.warnings.extend(warnings);
            draft.dockerfile = server(tree, images, &package, &manager, &command, draft.port);
            draft.command = command;
        }
        Way::Site { directory, .. } => {
            draft.command = super::site::command();
            draft.dockerfile = site(tree, images, &package, &manager, directory);
        }
    }
    Ok(Some(draft))
}

/// Builds in one stage and runs in another, which has neither the package manager's cache nor what only the build needs,
/// and whose files belong to the program.
fn server(tree: &Tree, images: &Images, package: &Package, manager: &Manager, command: &[String], port: u16) -> String {
    let mut text = Text::for_project("a Node.js project");
    let is_built = package.script("build").is_some();
    manager.install(&mut text, tree, images, package, is_built);
    if is_built {
        text.add(format_args!("RUN {}", manager.kind.run("build")));
        if let Some(prune) = manager.prune() {
            text.add(format_args!("RUN {prune}"));
        }
    }
    text.add(format_args!("FROM {}", images.node.as_str()));
    text.add(format_args!("COPY --from=build --chown={USER} /app /app"));
    text.add("WORKDIR /app");
    text.add("ENV NODE_ENV=production");
    text.finish(command, port)
}

/// Builds pages, and serves them without Node.js.
fn site(tree: &Tree, images: &Images, package: &Package, manager: &Manager, directory: &str) -> String {
    let mut text = Text::for_project("pages that Node.js builds");
    manager.install(&mut text, tree, images, package, true);
    text.add(format_args!("RUN {}", manager.kind.run("build")));
    super::site::serve(text, images, &format!("--from=build /app/{directory}"))
}
