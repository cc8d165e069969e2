//! The planner that is built in: from words to the call of a tool, without a language model.
//!
//! It is a table of phrases and decides the same way every time. What changes nothing may be said in many ways and may
//! leave out what the context has. What changes something must be said as an order, in full, with ids in figures, and
//! with nothing else beside it: a text that is about stopping a deployment must not stop one.

mod nearest;
mod phrases;
mod words;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use super::{
    toolbox::Output,
    tools::{self, Effect, Parameter, Tool},
};

/// Longer texts are no phrases.
const MAX_CHARS: usize = 2_000;
/// As many files are listed, since a list that is cut off without being asked for would look complete.
const MAX_LIMIT: u64 = 1000;
/// These words say that the context's project is not meant.
const EVERYWHERE: [&str; 4] = ["all projects", "every project", "any project", "everywhere"];

/// Knows the phrases. Made once.
#[derive(Debug)]
pub struct Planner {
    phrases: Vec<Phrase>,
    /// Courtesies before and behind the words that matter.
    before: Regex,
    behind: Regex,
}

/// A way of saying something.
#[derive(Debug)]
struct Phrase {
    tool: &'static Tool,
    /// Its groups are named like the tool's parameters.
    pattern: Regex,
}

/// What the words mean.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// The tool to call.
    pub tool: &'static str,
    /// What to give it.
    pub arguments: Map<String, Value>,
    /// Whether only the number of results is wanted.
    pub is_count: bool,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Puzzle {
    /// The words are not known.
    #[error(
        "the built-in planner does not understand this; the nearest tools are {}",
        quoted(nearest)
    )]
    Unknown {
        /// The tools whose descriptions have most in common with the words.
        nearest: Vec<&'static str>,
    },
    /// The words are understood and leave something out.
    #[error("`{tool}` needs `{parameter}`; name it in the query, or in `context` if nothing is to be changed")]
    Incomplete {
        /// The tool that is meant.
        tool: &'static str,
        /// What it lacks.
        parameter: &'static str,
    },
}

impl Planner {
    /// Prepares the phrases.
    pub fn prepare() -> Self {
        let phrases = phrases::ALL.iter().map(|(name, pattern)| Phrase {
            tool: tools::find(name).expect("phrases are about tools, which a test checks"),
            pattern: phrases::compiled(pattern),
        });
        Self {
            phrases: phrases.collect(),
            before: phrases::compiled(phrases::BEFORE),
            behind: phrases::compiled(phrases::BEHIND),
        }
    }

    /// Finds out what the words mean.
    ///
    /// # Errors
    /// Says that they are not understood, or what they leave out.
    pub fn plan(&self, text: &str, context: &Map<String, Value>) -> Result<Plan, Puzzle> {
        let words = self.without_courtesies(text);
        let is_short = words.chars().count() <= MAX_CHARS;
        let mut phrases = self.phrases.iter().filter(|_| is_short);
        let found = phrases.find_map(|phrase| Some((phrase.tool, phrase.pattern.captures(&words)?)));
        let Some((tool, captures)) = found else {
            return Err(Puzzle::Unknown {
                nearest: nearest::to(&words),
            });
        };
        let mut arguments = arguments(tool, &captures);
        if tool.effect == Effect::Reads {
            fill(tool, &mut arguments, context, &words);
        }
        words::complete(tool, &mut arguments);
        let is_count = captures.name("count").is_some();
        if tool.name == "list_files" && !is_count {
            arguments.entry("limit").or_insert(json!(MAX_LIMIT));
        }
        match tool.required().into_iter().find(|name| !arguments.contains_key(*name)) {
            Some(parameter) => Err(Puzzle::Incomplete {
                tool: tool.name,
                parameter,
            }),
            None => Ok(Plan {
                tool: tool.name,
                arguments,
                is_count,
            }),
        }
    }

    /// Returns the words that matter, with one blank between any two.
    fn without_courtesies(&self, text: &str) -> String {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches(['.', '?', '!', ' ']);
        let text = self.before.replace(text, "");
        self.behind.replace(&text, "").into_owned()
    }
}

impl Plan {
    /// Returns what was wanted of what the tool answered.
    pub fn result(&self, output: Output) -> Value {
        match (&output.value, self.is_count) {
            (Value::Array(items), true) => json!({"count": output.total.unwrap_or(items.len() as u64)}),
            _ => output.value,
        }
    }
}

fn arguments(tool: &Tool, captures: &Captures<'_>) -> Map<String, Value> {
    let named = |parameter: &Parameter| {
        let text = captures.name(parameter.name)?.as_str();
        Some((parameter.name.to_owned(), words::value(parameter, text)?))
    };
    tool.parameters.iter().filter_map(named).collect()
}

/// Takes from the context what the words leave out.
fn fill(tool: &Tool, arguments: &mut Map<String, Value>, context: &Map<String, Value>, words: &str) {
    let lower = words.to_lowercase();
    let is_everywhere = EVERYWHERE.iter().any(|word| lower.contains(word));
    for parameter in tool.parameters {
        // Whose id is given needs no other.
        let is_settled = arguments.keys().any(|name| name.ends_with("_id"));
        let is_optional_project = parameter.name == "project_id" && !is_settled && !is_everywhere;
        let is_wanted = match parameter.is_required {
            true => parameter.name.ends_with("_id"),
            false => is_optional_project,
        };
        if let Some(value) = context.get(parameter.name).filter(|_| is_wanted) {
            arguments.entry(parameter.name).or_insert_with(|| value.clone());
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
