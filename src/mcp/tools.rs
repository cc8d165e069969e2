//! What a tool is, and the table of all tools.

mod arguments;
mod deployments;
mod operations;
mod projects;
mod schema;
mod tasks;

use serde_json::{Map, Value};
use warp::http::Method;

pub(super) use self::arguments::Request;
use crate::{
    problem::Problem,
    routes::{Endpoint, TABLE},
};

/// The most characters of a text whose length the API itself does not bound more closely.
const LONG_TEXT: usize = 20_000;
const SHORT_TEXT: usize = 1000;

/// A tool.
#[derive(Debug)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does and when to use it, for who chooses.
    pub description: &'static str,
    /// What a call changes.
    pub effect: Effect,
    /// What a call takes.
    pub parameters: &'static [Parameter],
    /// How its answer is read.
    pub(super) shape: Shape,
    method: Method,
    /// The path as the route table has it.
    path: &'static str,
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// It adds something each time.
    Adds,
    /// It brings about a state; a second call changes nothing more.
    Settles,
    /// It interrupts or ends what runs.
    Disrupts,
    /// It ends what runs; a second call changes nothing more.
    Ends,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As it is.
    Json,
    /// Only the paths of the files.
    Paths,
    /// As the text that it is.
    Text,
}

/// One thing that a tool takes.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Whether a call needs it.
    pub is_required: bool,
    place: Place,
    kind: Kind,
}

/// Where a parameter goes in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the place of this part of the path.
    Path(&'static str),
    Query,
    Body,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Id,
    Number { min: i64, max: i64 },
    Text { max_chars: usize },
    Flag,
    Choice(&'static [&'static str]),
    Texts,
    Object,
}

impl Tool {
    const fn get(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::GET, path, Effect::Reads)
    }

    const fn post(name: &'static str, path: &'static str, effect: Effect) -> Self {
        Self::new(name, Method::POST, path, effect)
    }

    const fn new(name: &'static str, method: Method, path: &'static str, effect: Effect) -> Self {
        Self {
            name,
            description: "",
            effect,
            parameters: &[],
            shape: Shape::Json,
            method,
            path,
        }
    }

    const fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    const fn takes(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn answers(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Returns the endpoint whose request this tool is, and with it the scope that a caller needs.
    ///
    /// # Errors
    /// A defect, if the route table lacks it.
    pub fn endpoint(&self) -> Result<&'static Endpoint, Problem> {
        let mut lines = TABLE.iter();
        lines
            .find(|line| line.path == self.path && line.method == self.method)
            .ok_or_else(|| Problem::internal(format!("the tool `{}` has no endpoint", self.name)))
    }

    /// Returns the JSON Schema of what a call takes.
    pub fn input_schema(&self) -> Map<String, Value> {
        schema::of(self.parameters)
    }

    /// Returns the names of what every call needs.
    pub fn required(&self) -> Vec<&'static str> {
        let required = self.parameters.iter().filter(|parameter| parameter.is_required);
        required.map(|parameter| parameter.name).collect()
    }

    /// Makes the request of a call.
    ///
    /// # Errors
    /// Names the argument that is missing, unknown, or of another kind.
    pub(super) fn request(&self, arguments: &Map<String, Value>) -> Result<Request, Problem> {
        arguments::request(self, arguments)
    }
}

impl Effect {
    /// Says whether a call can do harm that another call does not undo.
    pub fn is_destructive(self) -> bool {
        matches!(self, Self::Disrupts | Self::Ends)
    }

    /// Says whether a second call changes nothing more.
    pub fn is_idempotent(self) -> bool {
        matches!(self, Self::Reads | Self::Settles | Self::Ends)
    }
}

impl Parameter {
    const fn path(name: &'static str, part: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(name, Place::Path(part), kind, description).required()
    }

    const fn query(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(name, Place::Query, kind, description)
    }

    const fn body(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(name, Place::Body, kind, description)
    }

    const fn new(name: &'static str, place: Place, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            description,
            is_required: false,
            place,
            kind,
        }
    }

    const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Says whether it is a whole number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Id | Kind::Number { .. })
    }
}

const PROJECT: Parameter = Parameter::path("project_id", "{id}", Kind::Id, "Id of the project");
const DEPLOYMENT: Parameter = Parameter::path("deployment_id", "{id}", Kind::Id, "Id of the deployment");
const TASK: Parameter = Parameter::path("task_id", "{id}", Kind::Id, "Id of the task");
const OF_PROJECT: Parameter = Parameter::query("project_id", Kind::Id, "Only what belongs to this project");
const LIMIT: Parameter = Parameter::query("limit", Kind::Number { min: 1, max: 1000 }, "How many results at most");
const OFFSET: Parameter = Parameter::query(
    "offset",
    Kind::Number { min: 0, max: i64::MAX },
    "How many results to skip",
);

/// Iterates over all tools.
pub fn all() -> impl Iterator<Item = &'static Tool> {
    let groups = [projects::TOOLS, deployments::TOOLS, tasks::TOOLS, operations::TOOLS];
    groups.into_iter().flatten()
}

/// Finds a tool.
pub fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::Scope;

    #[test]
    fn every_tool_is_an_endpoint_and_says_truly_whether_it_reads() {
        for tool in all() {
            let endpoint = tool.endpoint().unwrap();
            let is_reading = tool.effect == Effect::Reads;
            assert_eq!(is_reading, endpoint.scope == Scope::Read, "{}", tool.name);
        }
    }

    #[test]
    fn every_tool_is_described_and_named_once() {
        let names: BTreeSet<_> = all().map(|tool| tool.name).collect();
        assert_eq!(names.len(), all().count());
        for tool in all() {
            assert!(tool.description.len() > 20, "{}", tool.name);
            let parameters: BTreeSet<_> = tool.parameters.iter().map(|parameter| parameter.name).collect();
            assert_eq!(parameters.len(), tool.parameters.len(), "{}", tool.name);
            for parameter in tool.parameters {
                assert!(!parameter.description.is_empty(), "{}", tool.name);
                if let Place::Path(part) = parameter.place {
                    assert!(tool.path.contains(part), "{}: {part}", tool.name);
                }
            }
        }
    }

    #[test]
    fn no_part_of_a_path_is_left_open() {
        for tool in all() {
            let mut path = tool.path.to_owned();
            for parameter in tool.parameters {
                if let Place::Path(part) = parameter.place {
                    path = path.replace(part, "");
                }
            }
            assert!(!path.contains('{'), "{}", tool.name);
        }
    }
}
