//! Reads the table of one agent: what is missing comes from elsewhere, what makes no sense is refused by its key.

use std::{ffi::OsString, time::Duration};

use borgos_actors::{
    agent_zero,
    tasks::{AgentKind, Limits, command, llm},
};

use super::{
    Defaults, Variables,
    table::{AgentTable, Kind, Stdin},
};
use crate::config::Error;

/// Holds the model's key unless the agent names another variable.
pub(in crate::config) const LLM_KEY_VARIABLE: &str = "BORGOS_LLM_API_KEY";
pub(super) const DEFAULT_MODEL: &str = "gpt-4o-mini";
const MAX_NAME_BYTES: usize = 64;

/// Returns the limits of an agent that says nothing about them.
pub(super) fn usual_limits(kind: Kind) -> Limits {
    match kind {
        Kind::Command | Kind::Llm => Limits::default(),
        Kind::AgentZero => Limits {
            concurrency: agent_zero::CONCURRENCY,
            ..Limits::default()
        },
    }
}

/// Reads one table.
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) defaults: &'a Defaults,
    pub(super) variable: Variables<'a>,
}

impl Reader<'_> {
    /// Returns what the agent is allowed, and what it is.
    pub(super) fn read(&self, table: AgentTable) -> Result<(Limits, AgentKind), Error> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES || !self.name.bytes().all(is_allowed) {
            let reason = format!("must be named with 1 to {MAX_NAME_BYTES} lower-case letters, digits and `-`");
            return Err(self.refuse(None, reason));
        }
        if let Some(key) = table.foreign_key() {
            return Err(self.refuse(Some(key), "is not a setting of this kind of agent"));
        }
        let limits = self.limits(&table)?;
        let kind = match table.kind {
            Kind::Command => AgentKind::Command(self.command(table)?),
            Kind::Llm => AgentKind::Llm(self.llm(table)?),
            Kind::AgentZero if self.defaults.has_agent_zero => AgentKind::AgentZero,
            Kind::AgentZero => return Err(self.refuse(Some("kind"), "needs `--agent-zero-dir`")),
        };
        Ok((limits, kind))
    }

    fn limits(&self, table: &AgentTable) -> Result<Limits, Error> {
        let default = usual_limits(table.kind);
        let timeout_s = table.timeout_s.unwrap_or(default.timeout.as_secs());
        Ok(Limits {
            concurrency: self.within("concurrency", table.concurrency.unwrap_or(default.concurrency), 1, 64)?,
            max_attempts: self.within(
                "max_attempts",
                table.max_attempts.unwrap_or(default.max_attempts),
                1,
                100,
            )?,
            timeout: Duration::from_secs(self.within("timeout_s", timeout_s, 1, 86_400)?),
            max_waiting: self.within(
                "max_waiting",
                table.max_waiting.unwrap_or(default.max_waiting),
                1,
                1_000_000,
            )?,
        })
    }

    fn within<N: PartialOrd + std::fmt::Display>(
        &self,
        key: &'static str,
        number: N,
        min: N,
        max: N,
    ) -> Result<N, Error> {
        match (&min..=&max).contains(&&number) {
            true => Ok(number),
            false => Err(self.refuse(Some(key), format!("must be a whole number from {min} to {max}"))),
        }
    }

    fn command(&self, table: AgentTable) -> Result<command::Settings, Error> {
        if table
            .directory
            .as_ref()
            .is_some_and(|directory| !directory.is_absolute())
        {
            return Err(self.refuse(Some("directory"), "must be an absolute path"));
        }
        Ok(command::Settings {
            command: table
                .command
                .ok_or_else(|| self.refuse(Some("command"), "is required"))?,
            directory: table.directory,
            stdin: table.stdin.map(|stdin| match stdin {
                Stdin::Prompt => command::Stdin::Prompt,
                Stdin::Json => command::Stdin::Json,
                Stdin::Nothing => command::Stdin::Nothing,
            }),
            inherit: table.inherit.unwrap_or_default(),
            environment: table.environment.unwrap_or_default(),
            memory_limit: table.memory_limit,
        })
    }

    /// Returns which model is asked.
    pub(super) fn llm(&self, table: AgentTable) -> Result<llm::Settings, Error> {
        let base_url = table.base_url.or_else(|| self.defaults.base_url.clone());
        let base_url =
            base_url.ok_or_else(|| self.refuse(Some("base_url"), "is required, here or as `--llm-base-url`"))?;
        let key_variable = table.key_variable.as_deref().unwrap_or(LLM_KEY_VARIABLE);
        let key = match (self.variable)(key_variable).map(OsString::into_string) {
            None => None,
            Some(Ok(key)) if key.is_empty() => None,
            Some(Ok(key)) if key.bytes().all(|byte| byte.is_ascii_graphic()) => Some(key),
            Some(_) => {
                let reason =
                    format!("names `{key_variable}`, which must have printable ASCII characters without spaces");
                return Err(self.refuse(Some("key_variable"), reason));
            }
        };
        let model = table.model.or_else(|| self.defaults.model.clone());
        Ok(llm::Settings {
            base_url: base_url.into(),
            model: model.unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
            key,
            system_prompt: table.system_prompt,
            max_tokens: table.max_tokens,
        })
    }

    fn refuse(&self, key: Option<&'static str>, reason: impl Into<String>) -> Error {
        let name = self.name;
        Error::Agent {
            key: key.map_or_else(|| format!("agents.{name}"), |key| format!("agents.{name}.{key}")),
            reason: reason.into(),
        }
    }
}
