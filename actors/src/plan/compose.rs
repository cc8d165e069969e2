//! Compose files: which services there are, as far as the file is understood. What is not understood is refused by name,
//! since a container that runs without what its file asks for is none that was asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tree::Tree;
use crate::manifests::yaml_document;

/// The names of compose files, the first that is there counts.
const FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];
/// What is understood of a file, and of a service in it. Keys that begin with `x-` mean nothing by definition.
const OF_FILE: [&str; 4] = ["name", "services", "version", "volumes"];
const OF_SERVICE: [&str; 7] = [
    "build",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "ports",
    "volumes",
];
const OF_BUILD: [&str; 2] = ["context", "dockerfile"];
const MAX_SERVICES: usize = 50;
/// So many keys that are not understood are named.
const MAX_NAMED: usize = 20;

/// A service of a compose file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The image that it runs, or that its build is named.
    pub image: Option<String>,
    /// The directory that it is built from.
    pub build: Option<String>,
    /// Its ports, as the file writes them.
    pub ports: Vec<String>,
    /// The names of its variables; their values may be secrets.
    pub environment: Vec<String>,
    /// Its volumes, as the file writes them.
    pub volumes: Vec<String>,
    /// The services that it waits for.
    pub depends_on: Vec<String>,
    /// Whether it says how it is asked whether it is well.
    pub has_healthcheck: bool,
}

/// A compose file.
pub(super) struct Compose {
    pub(super) file: &'static str,
    pub(super) services: Vec<Service>,
    /// Keys that are not understood.
    unknown: Vec<String>,
}

impl Compose {
    /// Reads the project's compose file, if it has one.
    ///
    /// # Errors
    /// Says why it cannot be read.
    pub(super) fn find(tree: &Tree) -> Result<Option<Self>, String> {
        let Some(file) = tree.existing(&FILES).first().copied() else {
            return Ok(None);
        };
        let text = tree.text(file)?.unwrap_or_default();
        let document = yaml_document(&text).map_err(|reason| format!("{file} is not valid: {reason}"))?;
        let (services, unknown) = read(&document).map_err(|reason| format!("{file} {reason}"))?;
        Ok(Some(Self {
            file,
            services,
            unknown,
        }))
    }

    /// Returns the services if all that is said of them is understood.
    ///
    /// # Errors
    /// Names what is not.
    pub(super) fn understood(&self) -> Result<&[Service], String> {
        if self.unknown.is_empty() {
            return Ok(&self.services);
        }
        let named: Vec<String> = self
            .unknown
            .iter()
            .take(MAX_NAMED)
            .map(|key| format!("`{key}`"))
            .collect();
        Err(format!(
            "{} has what is not understood: {}",
            self.file,
            named.join(", ")
        ))
    }

    /// Whether one of the services is built here. Others only are what a project needs beside it, such as a database.
    pub(super) fn is_built_here(&self) -> bool {
        self.services.iter().any(|service| service.build.is_some())
    }

    /// Lists the services by name.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        names.join(", ")
    }
}

/// Reads the services, and the keys that are not understood.
fn read(document: &Value) -> Result<(Vec<Service>, Vec<String>), String> {
    let file = document.as_object().ok_or("is no table")?;
    let services = file.get("services").and_then(Value::as_object);
    let services = services
        .filter(|services| !services.is_empty())
        .ok_or("has no services")?;
    if services.len() > MAX_SERVICES {
        return Err(format!("has more than {MAX_SERVICES} services"));
    }
    let read: Result<_, _> = services.iter().map(|(name, service)| of(name, service)).collect();
    Ok((read?, unknown_keys(file, services)))
}

/// Finds the keys that are not understood, each with its place.
fn unknown_keys(file: &Map<String, Value>, services: &Map<String, Value>) -> Vec<String> {
    let is_unknown = |known: &[&str], key: &str| !known.contains(&key) && !key.starts_with("x-");
    let mut unknown: Vec<String> = file.keys().filter(|key| is_unknown(&OF_FILE, key)).cloned().collect();
    for (name, service) in services {
        let of_service = service.as_object().into_iter().flat_map(Map::keys);
        unknown.extend(
            of_service
                .filter(|key| is_unknown(&OF_SERVICE, key))
                .map(|key| format!("services.{name}.{key}")),
        );
        let of_build = service
            .get("build")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys);
        unknown.extend(
            of_build
                .filter(|key| is_unknown(&OF_BUILD, key))
                .map(|key| format!("services.{name}.build.{key}")),
        );
    }
    unknown
}

fn of(name: &str, service: &Value) -> Result<Service, String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let build = service.get("build");
    let found = Service {
        name: name.to_owned(),
        image: text(service.get("image")),
        build: text(build).or_else(|| build.map(|build| text(build.get("context")).unwrap_or_else(|| ".".to_owned()))),
        ports: texts(service.get("ports")),
        environment: names(service.get("environment")),
        volumes: texts(service.get("volumes")),
        depends_on: names(service.get("depends_on")),
        has_healthcheck: service.get("healthcheck").is_some(),
    };
    match found.image.is_some() || found.build.is_some() {
        true => Ok(found),
        false => Err(format!("says neither `image` nor `build` for `{name}`")),
    }
}

/// Reads a list whose entries may be texts, numbers or tables.
fn texts(list: Option<&Value>) -> Vec<String> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries
        .map(|entry| entry.as_str().map_or_else(|| entry.to_string(), str::to_owned))
        .collect()
}

/// Reads the names out of a table, or out of a list of `NAME` or `NAME=value`.
fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(table)) => table.keys().cloned().collect(),
        list => {
            let name = |text: String| text.split('=').next().unwrap_or_default().to_owned();
            texts(list).into_iter().map(name).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn services_are_read_in_both_ways_to_write_them() {
        let services = read(&json!({
            "services": {
                "web": {
                    "build": {"context": "web"}, "ports": ["8080:80", 9000], "depends_on": {"db": {"condition": "x"}},
                    "environment": ["A=canary", "B"], "healthcheck": {"test": "x"}, "volumes": ["data:/data"]
                },
                "db": {"image": "postgres:17", "environment": {"PASSWORD": "canary"}, "x-note": 1}
            },
            "volumes": {"data": null}, "x-all": {}
        }));
        let (services, unknown) = services.unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        let web = services.iter().find(|service| service.name == "web").unwrap();
        assert_eq!((web.build.as_deref(), web.has_healthcheck), (Some("web"), true));
        assert_eq!(
            (&web.ports[..], &web.depends_on[..]),
            (&["8080:80".to_owned(), "9000".to_owned()][..], &["db".to_owned()][..])
        );
        assert_eq!(web.environment, ["A", "B"]);
        assert!(!json!(services).to_string().contains("canary"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let (services, unknown) = read(&json!({
            "services": {"web": {"image": "x", "privileged": true, "build": {"context": ".", "args": {}}}},
            "networks": {}
        }))
        .unwrap();
        let compose = Compose {
            file: "compose.yaml",
            services,
            unknown,
        };
        let reason = compose.understood().unwrap_err();
        for key in ["`networks`", "`services.web.privileged`", "`services.web.build.args`"] {
            assert!(reason.contains(key), "{reason}");
        }
        for (file, word) in [
            (json!([]), "no table"),
            (json!({"services": {}}), "no services"),
            (json!({"services": {"a": {}}}), "neither"),
        ] {
            assert!(read(&file).unwrap_err().contains(word));
        }
    }
}
