//! The agents of the configuration: the tables `[agents.NAME]`, and the model that flags name.

mod reader;
mod table;

use std::{collections::BTreeMap, ffi::OsString};

use borgos_actors::{
    agent_zero,
    tasks::{AgentKind, AgentSettings, Limits},
};

pub(super) use self::reader::LLM_KEY_VARIABLE;
pub(super) use self::table::AgentTable;
use self::{
    reader::{Reader, usual_limits},
    table::Kind,
};
use super::{BaseUrl, Error};

/// The agent that is there when a flag says where a model is.
const LLM_AGENT: &str = "llm";

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

#[cfg(test)]
mod tests {
    use super::{reader::DEFAULT_MODEL, *};

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
