//! The table of one agent as it is written: `[agents.NAME]`.

use std::path::PathBuf;

use borgos_actors::value::{Command, Environment, MemoryLimit};
use serde::Deserialize;

use crate::config::BaseUrl;

/// One table. Which keys it may have depends on its `kind`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentTable {
    pub(super) kind: Kind,
    pub(super) concurrency: Option<u32>,
    pub(super) max_attempts: Option<i32>,
    pub(super) timeout_s: Option<u64>,
    pub(super) max_waiting: Option<u64>,
    pub(super) command: Option<Command>,
    pub(super) directory: Option<PathBuf>,
    pub(super) stdin: Option<Stdin>,
    pub(super) inherit: Option<Vec<String>>,
    pub(super) environment: Option<Environment>,
    pub(super) memory_limit: Option<MemoryLimit>,
    pub(super) base_url: Option<BaseUrl>,
    pub(super) model: Option<String>,
    pub(super) key_variable: Option<String>,
    pub(super) system_prompt: Option<String>,
    pub(super) max_tokens: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Command,
    Llm,
    AgentZero,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stdin {
    Prompt,
    Json,
    Nothing,
}

impl AgentTable {
    /// An empty one.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            concurrency: None,
            max_attempts: None,
            timeout_s: None,
            max_waiting: None,
            command: None,
            directory: None,
            stdin: None,
            inherit: None,
            environment: None,
            memory_limit: None,
            base_url: None,
            model: None,
            key_variable: None,
            system_prompt: None,
            max_tokens: None,
        }
    }

    /// Returns a key that this kind of agent does not have, if there is one.
    pub(super) fn foreign_key(&self) -> Option<&'static str> {
        let of_command = [
            ("command", self.command.is_some()),
            ("directory", self.directory.is_some()),
            ("stdin", self.stdin.is_some()),
            ("inherit", self.inherit.is_some()),
            ("environment", self.environment.is_some()),
            ("memory_limit", self.memory_limit.is_some()),
        ];
        let of_llm = [
            ("base_url", self.base_url.is_some()),
            ("model", self.model.is_some()),
            ("key_variable", self.key_variable.is_some()),
            ("system_prompt", self.system_prompt.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
        ];
        let (is_command, is_llm) = (self.kind == Kind::Command, self.kind == Kind::Llm);
        let foreign_command = of_command.iter().filter(|_| !is_command);
        let foreign_llm = of_llm.iter().filter(|_| !is_llm);
        let mut foreign = foreign_command.chain(foreign_llm);
        foreign.find(|(_, is_set)| *is_set).map(|(key, _)| *key)
    }
}
