//! How a project is built and started, found out from what lies in its directory. The same answer is given to people who
//! ask before anything runs, to a deploy that is to be accepted, and to the build itself.
//!
//! Nothing is run or written here. What is found comes with the reasons for it, and so does what is missing. The first that
//! fits counts: an image that was asked for, a Dockerfile, a compose file of which something is built, then the stacks of `STACKS` in their order, for which a
//! Dockerfile is written. A Procfile, or a command that was asked for, says how such a stack is started.

mod compose;
mod dockerfile;
mod go;
mod images;
mod node;
mod procfile;
mod python;
mod rust;
mod site;
mod start;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{compose::Compose, start::Said, tree::Tree};
pub use self::{compose::Service, images::Images};
pub(crate) use self::{
    procfile::{Unusable, web_command},
    tree::open_regular,
};
use crate::{
    runtime::{Error, Source, Wanted},
    value::Command,
};

/// Where a container listens unless something says otherwise.
pub const DEFAULT_PORT: u16 = 8080;
/// A Dockerfile that is longer is not shown.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// The stacks that a Dockerfile is written for, in the order in which they are looked for.
const STACKS: [(Kind, Detect); 5] = [
    (Kind::Node, node::detect),
    (Kind::Python, python::detect),
    (Kind::Go, go::detect),
    (Kind::Rust, rust::detect),
    (Kind::Static, site::detect),
];

/// Looks whether a project is of a stack: nothing if it is not, a reason if it is and cannot be started.
type Detect = fn(&Tree, &Images, Option<&Said>) -> Result<Option<Draft>, String>;

/// What a release is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A ready image.
    Image,
    /// The project's own Dockerfile.
    Dockerfile,
    /// The services of a compose file.
    Compose,
    /// A program that runs in the project's directory.
    Command,
    /// A Node.js project.
    Node,
    /// A Python project.
    Python,
    /// A Go module.
    Go,
    /// A Rust package.
    Rust,
    /// Files for browsers.
    Static,
}

/// How a project is built and started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the runtime is given, where there is no obstacle.
    source: Option<Source>,
    /// What people are told, and what the release keeps.
    pub recipe: Recipe,
}

/// What people are told of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    /// What it is made of.
    #[serde(rename = "source")]
    pub kind: Kind,
    /// What was found, and what follows from it.
    pub why: Vec<String>,
    /// The Dockerfile, the project's own or the one that was written.
    pub dockerfile: Option<String>,
    /// What is started, where that is known before the build.
    pub command: Option<Command>,
    /// Where the program is expected to listen, where that is known before the build.
    pub port: Option<u16>,
    /// The services of a compose file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// What is missing or could be meant otherwise.
    pub warnings: Vec<String>,
    /// What keeps it from being deployed although it is understood.
    pub obstacle: Option<String>,
}

impl Plan {
    /// Returns what the runtime is given.
    ///
    /// # Errors
    /// [`Error::NothingToDeploy`] says what keeps the project from being deployed.
    pub fn source(&self) -> Result<&Source, Error> {
        let obstacle = || self.recipe.obstacle.clone().unwrap_or_default();
        self.source.as_ref().ok_or_else(|| Error::NothingToDeploy(obstacle()))
    }
}

impl Recipe {
    fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self {
            kind,
            why: vec![why.into()],
            dockerfile: None,
            command: None,
            port: None,
            services: Vec::new(),
            warnings: Vec::new(),
            obstacle: None,
        }
    }
}

/// A plan for a stack.
struct Draft {
    kind: Kind,
    why: Vec<String>,
    warnings: Vec<String>,
    dockerfile: String,
    /// What is not sent to the builder when the project says nothing about that.
    ignored: &'static [&'static str],
    command: Vec<String>,
    port: u16,
}

/// Plans a container. Blocks, and reads a few small files.
///
/// # Errors
/// [`Error::NothingToDeploy`] says what was looked for, and why what is there cannot be started.
pub(crate) fn for_container(wanted: &Wanted, images: &Images) -> Result<Plan, Error> {
    let mut plan = match &wanted.image {
        Some(image) => Plan {
            source: Some(Source::Image(image.clone())),
            recipe: Recipe::new(Kind::Image, format!("the image `{}` was asked for", image.as_str())),
        },
        None => of_directory(wanted, images)?,
    };
    if let Some(command) = &wanted.command {
        plan.recipe.command = Some(command.clone());
    }
    Ok(plan)
}

/// Plans a process: the command that was asked for, else the one of the Procfile. Blocks.
///
/// # Errors
/// [`Error::NothingToDeploy`] says why there is none.
pub(crate) fn for_process(wanted: &Wanted) -> Result<Plan, Error> {
    if wanted.image.is_some() {
        return Err(Error::NothingToDeploy(
            "an `image` needs Docker, and this BorgOS runs plain processes".to_owned(),
        ));
    }
    let (command, why) = match &wanted.command {
        Some(command) => (command.clone(), "the `command` was asked for"),
        None => {
            let found = web_command(&wanted.directory).map_err(|unusable| nothing_to_run(unusable, &wanted.directory));
            (found?, "the Procfile has a `web:` line")
        }
    };
    let recipe = Recipe {
        command: Some(command.clone()),
        ..Recipe::new(Kind::Command, why)
    };
    let directory = wanted.directory.clone();
    Ok(Plan {
        source: Some(Source::Command { command, directory }),
        recipe,
    })
}

fn nothing_to_run(unusable: Unusable, directory: &Path) -> Error {
    Error::NothingToDeploy(match unusable {
        Unusable::Refused(reason) => reason,
        Unusable::Absent => {
            let advice =
                "nothing says what to run: send a `command`, or add a Procfile with a `web:` line to the project";
            match of_stack(&Tree::new(directory), &Images::default(), None) {
                Ok(draft) => format!(
                    "{advice}; a container would be started with `{}`",
                    draft.command.join(" ")
                ),
                Err(_) => advice.to_owned(),
            }
        }
    })
}

fn of_directory(wanted: &Wanted, images: &Images) -> Result<Plan, Error> {
    let tree = Tree::new(&wanted.directory);
    if tree.has_some("Dockerfile") {
        return Ok(own_dockerfile(&tree, wanted));
    }
    let compose = Compose::find(&tree);
    if let Ok(Some(compose)) = &compose
        && compose.is_built_here()
    {
        return services(compose);
    }
    let said = Said::find(&tree, wanted.command.as_ref()).map_err(Error::NothingToDeploy)?;
    match (of_stack(&tree, images, said.as_ref()), compose) {
        (Ok(mut draft), compose) => {
            draft.warnings.extend(beside(compose));
            Ok(written(draft, &tree, wanted))
        }
        (Err(_), Ok(Some(compose))) => services(&compose),
        (Err(mut reasons), compose) => {
            reasons.extend(compose.err());
            Err(nothing_found(&wanted.directory, &reasons))
        }
    }
}

fn nothing_found(directory: &Path, reasons: &[String]) -> Error {
    let nothing = format!(
        "`{}` has no Dockerfile, and nothing from which one could be written: add a Dockerfile, or name an `image` to run",
        directory.display()
    );
    Error::NothingToDeploy(match reasons.is_empty() {
        true => nothing,
        false => format!("{nothing} ({})", reasons.join("; ")),
    })
}

/// Says what is left out of a compose file beside a project that is deployed by itself.
fn beside(compose: Result<Option<Compose>, String>) -> Option<String> {
    match compose {
        Ok(compose) => compose.map(|compose| {
            let (file, names) = (compose.file, compose.names());
            format!("{file} names services that are not deployed with the project: {names}")
        }),
        Err(reason) => Some(reason),
    }
}

/// Tells of services, which is all that can be done with them.
fn services(compose: &Compose) -> Result<Plan, Error> {
    let services = compose.understood().map_err(Error::NothingToDeploy)?;
    let (file, names) = (compose.file, compose.names());
    let obstacle = format!(
        "{file} has services ({names}), and a deployment is one container: add a Dockerfile for the one that serves, or name \
         an `image` to run, and deploy the others by themselves"
    );
    Ok(Plan {
        source: None,
        recipe: Recipe {
            services: services.to_vec(),
            obstacle: Some(obstacle),
            ..Recipe::new(Kind::Compose, format!("{file} is there, and no Dockerfile beside it"))
        },
    })
}

/// One that cannot be read here, such as a link, is for the builder to judge.
fn own_dockerfile(tree: &Tree, wanted: &Wanted) -> Plan {
    let text = tree.text("Dockerfile").ok().flatten();
    let port = text.as_deref().and_then(dockerfile::exposed_port);
    let mut recipe = Recipe {
        port,
        ..Recipe::new(Kind::Dockerfile, "the project has a Dockerfile")
    };
    if port.is_none() {
        recipe.warnings.push(format!(
            "the Dockerfile exposes no port: it is the one that its base image exposes, else {DEFAULT_PORT}, unless \
             `container_port` is sent"
        ));
    }
    recipe.dockerfile = text.filter(|text| text.len() <= MAX_SHOWN_BYTES);
    Plan {
        source: Some(Source::Dockerfile {
            context: wanted.directory.clone(),
        }),
        recipe,
    }
}

/// Finds the first stack that can be started, or all reasons why what is there cannot be.
fn of_stack(tree: &Tree, images: &Images, said: Option<&Said>) -> Result<Draft, Vec<String>> {
    let told = said.and_then(Said::stack);
    let is_told = |(kind, _): &&(Kind, Detect)| told.is_none_or(|told| told == *kind);
    let mut reasons = Vec::new();
    for (_, detect) in STACKS.iter().filter(is_told) {
        match detect(tree, images, said) {
            Ok(None) => {}
            Ok(Some(mut draft)) => {
                draft.warnings.append(&mut reasons);
                return Ok(draft);
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if let (Some(said), true) = (said, reasons.is_empty()) {
        reasons.push(format!("{} does not tell in which language the project is", said.by));
    }
    Err(reasons)
}

fn written(draft: Draft, tree: &Tree, wanted: &Wanted) -> Plan {
    let mut warnings = draft.warnings;
    let has_own_rules = tree.has(".dockerignore");
    if !has_own_rules && tree.has(".env") {
        warnings.push("`.env` is left out of the image: send its variables as `environment`".to_owned());
    }
    let recipe = Recipe {
        kind: draft.kind,
        why: draft.why,
        dockerfile: Some(draft.dockerfile.clone()),
        // A command that is too long for one is seen in the Dockerfile.
        command: Command::try_from(draft.command).ok(),
        port: Some(draft.port),
        warnings,
        ..Recipe::new(draft.kind, String::new())
    };
    Plan {
        source: Some(Source::Written {
            context: wanted.directory.clone(),
            dockerfile: draft.dockerfile,
            ignored: draft.ignored,
        }),
        recipe,
    }
}
