//! The agents of the configuration: the tables `[agents.NAME]`, and the model that flags name.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

use borgos_actors::{
    agent_zero,
    tasks::{AgentKind, AgentSettings, Limits, command, llm},
    value::{Command, Environment, MemoryLimit},
};
use serde::Deserialize;

use super::{BaseUrl, Error};

/// Holds the model's key unless the agent names another variable.
pub(super) const LLM_KEY_VARIABLE: &str = "BORGOS_LLM_API_KEY";
/// The agent that is there when a flag says where a model is.
const LLM_AGENT: &str = "llm";
const DEFAULT_MODEL: &str = "gpt-4o-mini";
const MAX_NAME_BYTES: usize = 64;

/// One table. Which keys it may have depends on its `kind`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentTable {
    kind: Kind,
    concurrency: Option<u32>,
    max_attempts: Option<i32>,
    timeout_s: Option<u64>,
    max_waiting: Option<u64>,
    command: Option<Command>,
    directory: Option<PathBuf>,
    stdin: Option<Stdin>,
    inherit: Option<Vec<String>>,
    environment: Option<Environment>,
    memory_limit: Option<MemoryLimit>,
    base_url: Option<BaseUrl>,
    model: Option<String>,
    key_variable: Option<String>,
    system_prompt: Option<String>,
    max_tokens: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Command,
    Llm,
    AgentZero,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stdin {
    Prompt,
    Json,
    Nothing,
}

/// What is said elsewhere: what tables leave out of the model, and what they can name.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) base_url: Option<BaseUrl>,
    pub(super) model: Option<String>,
    /// Whether it is known where Agent Zero is.
    pub(super) has_agent_zero: bool,
}

/// Reads variables of the environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Brings tables and flags together.
///
/// # Errors
/// Names the key that is missing, out of range, or of another kind of agent.
pub(super) fn resolve(
    tables: BTreeMap<String, AgentTable>,
    defaults: &Defaults,
    variable: Variables<'_>,
) -> Result<Vec<AgentSettings>, Error> {
    let has_own_llm = tables.contains_key(LLM_AGENT);
    let has_own_agent_zero = tables.contains_key(agent_zero::NAME);
    let mut agents = Vec::new();
    for (name, table) in tables {
        let reader = Reader {
            name: &name,
            defaults,
            variable,
        };
        let (limits, kind) = reader.read(table)?;
        agents.push(AgentSettings { name, limits, kind });
    }
    if defaults.base_url.is_some() && !has_own_llm {
        let reader = Reader {
            name: LLM_AGENT,
            defaults,
            variable,
        };
        agents.push(AgentSettings {
            name: LLM_AGENT.to_owned(),
            limits: Limits::default(),
            kind: AgentKind::Llm(reader.llm(AgentTable::new(Kind::Llm))?),
        });
    }
    if defaults.has_agent_zero && !has_own_agent_zero {
        agents.push(AgentSettings {
            name: agent_zero::NAME.to_owned(),
            limits: usual_limits(Kind::AgentZero),
            kind: AgentKind::AgentZero,
        });
    }
    Ok(agents)
}

fn usual_limits(kind: Kind) -> Limits {
    match kind {
        Kind::Command | Kind::Llm => Limits::default(),
        Kind::AgentZero => Limits {
            concurrency: agent_zero::CONCURRENCY,
            ..Limits::default()
        },
    }
}

struct Reader<'a> {
    name: &'a str,
    defaults: &'a Defaults,
    variable: Variables<'a>,
}

impl Reader<'_> {
    fn read(&self, table: AgentTable) -> Result<(Limits, AgentKind), Error> {
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

    fn llm(&self, table: AgentTable) -> Result<llm::Settings, Error> {
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

impl AgentTable {
    fn new(kind: Kind) -> Self {
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
    fn foreign_key(&self) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<AgentSettings>, Error> {
        resolve(toml::from_str(text).unwrap(), &Defaults::default(), &|name| {
            (name == "MY_KEY").then(|| OsString::from("sk-canary"))
        })
    }

    #[test]
    fn agents_are_read_with_their_limits() {
        let agents = read(
            "[coder]\nkind = \"command\"\ncommand = [\"aider\", \"--message\", \"{prompt}\"]\nconcurrency = 1\n\
             environment = { MODE = \"fast\", LEVEL = 3 }\n\
             [writer]\nkind = \"llm\"\nbase_url = \"https://models.example/v1\"\nkey_variable = \"MY_KEY\"\n",
        )
        .unwrap();
        assert_eq!((agents[0].name.as_str(), agents[0].limits.concurrency), ("coder", 1));
        let AgentKind::Llm(llm) = &agents[1].kind else {
            panic!("{agents:?}")
        };
        assert_eq!(
            (llm.key.as_deref(), llm.model.as_str()),
            (Some("sk-canary"), DEFAULT_MODEL)
        );
        assert!(!format!("{agents:?}").contains("canary"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (text, key) in [
            ("[x]\nkind = \"command\"", "`agents.x.command`"),
            ("[x]\nkind = \"llm\"", "`agents.x.base_url`"),
            (
                "[x]\nkind = \"llm\"\nbase_url = \"http://a\"\nstdin = \"json\"",
                "`agents.x.stdin`",
            ),
            (
                "[x]\nkind = \"command\"\ncommand = [\"a\"]\nmodel = \"m\"",
                "`agents.x.model`",
            ),
            (
                "[x]\nkind = \"command\"\ncommand = [\"a\"]\nconcurrency = 0",
                "`agents.x.concurrency`",
            ),
            (
                "[x]\nkind = \"command\"\ncommand = [\"a\"]\ndirectory = \"a\"",
                "`agents.x.directory`",
            ),
            ("[x]\nkind = \"agent-zero\"", "`agents.x.kind`"),
            ("[x]\nkind = \"agent-zero\"\nmodel = \"m\"", "`agents.x.model`"),
            ("[X]\nkind = \"command\"\ncommand = [\"a\"]", "`agents.X`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(key), "{text}: {error}");
        }
    }

    #[test]
    fn a_flag_makes_an_agent_unless_a_table_does() {
        let defaults = Defaults {
            base_url: Some("http://127.0.0.1:1/v1".parse().unwrap()),
            model: Some("flagged".to_owned()),
            has_agent_zero: false,
        };
        let agents = resolve(BTreeMap::new(), &defaults, &|_| None).unwrap();
        assert_eq!(agents[0].name, "llm");
        let table = toml::from_str("[llm]\nkind = \"llm\"\nmodel = \"own\"").unwrap();
        let agents = resolve(table, &defaults, &|_| None).unwrap();
        let AgentKind::Llm(llm) = &agents[0].kind else {
            panic!("{agents:?}")
        };
        assert_eq!((agents.len(), llm.model.as_str()), (1, "own"));
    }

    #[test]
    fn agent_zero_is_an_agent_where_it_is_configured_and_has_further_names() {
        let defaults = Defaults {
            has_agent_zero: true,
            ..Defaults::default()
        };
        let agents = |text: &str| resolve(toml::from_str(text).unwrap(), &defaults, &|_| None).unwrap();
        let found = agents("[zenith]\nkind = \"agent-zero\"\nconcurrency = 1");
        let found: Vec<_> = found
            .iter()
            .map(|agent| (agent.name.as_str(), agent.limits.concurrency, &agent.kind))
            .collect();
        let expected = [
            ("zenith", 1, &AgentKind::AgentZero),
            ("agent-zero", agent_zero::CONCURRENCY, &AgentKind::AgentZero),
        ];
        assert_eq!(found, expected);
        let own = agents("[agent-zero]\nkind = \"command\"\ncommand = [\"cat\"]");
        assert!(
            matches!(
                &own[..],
                [AgentSettings {
                    kind: AgentKind::Command(_),
                    ..
                }]
            ),
            "{own:?}"
        );
    }
}
