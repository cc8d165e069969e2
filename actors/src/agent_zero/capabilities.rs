//! What Agent Zero can do: found in the files of its installation, and asked where only the running program knows.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{client::Asker, probe::Api, process::blocking};
use crate::Error;

/// What there can be, in the order in which it is listed.
const VOCABULARY: [&str; 10] = [
    "code_execution",
    "web_browsing",
    "file_operations",
    "shell_commands",
    "memory_management",
    "task_scheduling",
    "multi_agent_coordination",
    "knowledge_retrieval",
    "image_analysis",
    "api_integration",
];
/// No directory that is looked into has more.
const MAX_ENTRIES: usize = 5000;

/// Something that it can do, or cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Capability {
    /// What it is.
    pub name: &'static str,
    /// Whether it can.
    pub available: bool,
    /// Whether that was looked at, and not only supposed.
    pub verified: bool,
    /// What it was seen by.
    pub evidence: String,
}

/// Looks at the installation, if there is one, and asks the program, if it runs.
///
/// # Errors
/// Fails when the directory is there and cannot be read.
pub(super) async fn discover(directory: Option<PathBuf>, api: Option<Api>) -> Result<Vec<Capability>, Error> {
    let found = match directory {
        Some(directory) => blocking(move || Files::read(&directory)).await?,
        None => None,
    };
    let Some(files) = found else {
        return Ok(VOCABULARY.map(supposed).into());
    };
    let answers = match api {
        Some(api) => Answers::ask(&api).await,
        None => Answers::default(),
    };
    Ok(VOCABULARY.map(|name| files.capability(name, &answers)).into())
}

fn supposed(name: &'static str) -> Capability {
    Capability {
        name,
        available: true,
        verified: false,
        evidence: "no installation was found to look at".to_owned(),
    }
}

/// What the program itself says; nothing where it was not asked or does not know.
#[derive(Debug, Default)]
struct Answers {
    can_browse: Option<bool>,
    has_vision: Option<bool>,
    has_mcp_server: Option<bool>,
}

impl Answers {
    async fn ask(api: &Api) -> Self {
        let mut asker = Asker::new(api).await;
        let browser = asker.ask("plugins/_browser_agent/status", &json!({})).await;
        let model = asker.ask("plugins/_model_config/model_config_get", &json!({})).await;
        let servers = asker.ask("mcp_servers_status", &json!({})).await;
        Self {
            can_browse: browser.as_ref().and_then(can_browse),
            has_vision: model.and_then(|model| model["config"]["chat_model"]["vision"].as_bool()),
            has_mcp_server: servers.as_ref().and_then(has_mcp_server),
        }
    }
}

fn can_browse(status: &Value) -> Option<bool> {
    let is_importable = status["browser_use"]["import_ok"].as_bool()?;
    let has_browser = status["playwright"]["binary_found"].as_bool()?;
    Some(is_importable && has_browser)
}

fn has_mcp_server(answer: &Value) -> Option<bool> {
    let servers = answer["status"].as_array()?;
    Some(
        servers
            .iter()
            .any(|server| server["connected"].as_bool().unwrap_or(false)),
    )
}

/// The names of files that say what an installation can do.
#[derive(Debug, Default)]
struct Files {
    tools: BTreeSet<String>,
    plugins: BTreeSet<String>,
    has_knowledge: bool,
    has_message_api: bool,
}

impl Files {
    /// Reads them, or nothing where no Agent Zero is.
    fn read(directory: &Path) -> io::Result<Option<Self>> {
        if !directory.join(super::check::PROGRAM).is_file() {
            return Ok(None);
        }
        let mut files = Self::default();
        for place in ["tools", "python/tools"] {
            files.tools.extend(tools(&directory.join(place))?);
        }
        for place in ["plugins", "usr/plugins"] {
            for name in names(&directory.join(place))? {
                let is_off = ["plugins", "usr/plugins"]
                    .iter()
                    .any(|place| directory.join(place).join(&name).join(".toggle-0").exists());
                if !is_off {
                    files
                        .tools
                        .extend(tools(&directory.join(place).join(&name).join("tools"))?);
                    files.plugins.insert(name);
                }
            }
        }
        files.has_knowledge = directory.join("knowledge").is_dir();
        files.has_message_api = ["api", "python/api"]
            .iter()
            .any(|place| directory.join(place).join("api_message.py").is_file());
        Ok(Some(files))
    }

    fn capability(&self, name: &'static str, answers: &Answers) -> Capability {
        let has = |tool: &str| self.tools.contains(tool);
        let (available, evidence) = match name {
            "code_execution" | "shell_commands" => (has("code_execution_tool"), "the tool `code_execution_tool`"),
            "web_browsing" => (
                has("browser_agent") && answers.can_browse.unwrap_or(true),
                "the tool `browser_agent`, and its browser where that could be asked for",
            ),
            "file_operations" => (
                has("text_editor") || has("code_execution_tool"),
                "the tools `text_editor` and `code_execution_tool`",
            ),
            "memory_management" => (
                has("memory_save") && has("memory_load"),
                "the tools `memory_save` and `memory_load`",
            ),
            "task_scheduling" => (
                has("scheduler") || self.plugins.contains("_scheduler"),
                "the tool or plugin of the scheduler",
            ),
            "multi_agent_coordination" => (
                has("call_subordinate") || has("a2a_chat"),
                "the tools `call_subordinate` and `a2a_chat`",
            ),
            "knowledge_retrieval" => (
                has("document_query") || has("knowledge_tool") || (has("memory_load") && self.has_knowledge),
                "the tools `document_query` and `knowledge_tool`, or a memory with knowledge",
            ),
            "image_analysis" => (
                has("vision_load") && answers.has_vision.unwrap_or(true),
                "the tool `vision_load`, and its model where that could be asked for",
            ),
            _ => (
                self.has_message_api || answers.has_mcp_server.unwrap_or(false),
                "its API for programs, and its MCP servers where they could be asked for",
            ),
        };
        Capability {
            name,
            available,
            verified: true,
            evidence: evidence.to_owned(),
        }
    }
}

/// Lists the tools of a directory. A name ending in `._py` is one that was switched off.
fn tools(directory: &Path) -> io::Result<Vec<String>> {
    let names = names(directory)?.into_iter();
    let tools = names.filter_map(|name| name.strip_suffix(".py").map(str::to_owned));
    Ok(tools.filter(|name| name != "unknown").collect())
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries
        .take(MAX_ENTRIES)
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, file: &str) {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    async fn available(directory: &Path) -> Vec<&'static str> {
        let found = discover(Some(directory.to_owned()), None).await.unwrap();
        let available = found.iter().filter(|capability| capability.available);
        available.map(|capability| capability.name).collect()
    }

    #[tokio::test]
    async fn without_an_installation_everything_is_supposed() {
        let directory = tempfile::tempdir().unwrap();
        for place in [None, Some(directory.path().to_owned())] {
            let found = discover(place, None).await.unwrap();
            assert_eq!(found.iter().map(|one| one.name).collect::<Vec<_>>(), VOCABULARY);
            assert!(found.iter().all(|one| one.available && !one.verified));
        }
    }

    #[tokio::test]
    async fn tools_and_plugins_are_found_unless_they_are_off() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for file in [
            "run_ui.py",
            "tools/scheduler.py",
            "tools/vision_load._py",
            "tools/unknown.py",
            "plugins/_code_execution/tools/code_execution_tool.py",
            "plugins/_memory/tools/memory_save.py",
            "plugins/_memory/tools/memory_load.py",
            "usr/plugins/_memory/.toggle-0",
            "usr/plugins/mine/tools/document_query.py",
            "api/api_message.py",
        ] {
            write(root, file);
        }
        let expected = [
            "code_execution",
            "file_operations",
            "shell_commands",
            "task_scheduling",
            "knowledge_retrieval",
            "api_integration",
        ];
        assert_eq!(available(root).await, expected);
    }

    #[tokio::test]
    async fn old_installations_have_their_tools_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            "run_ui.py",
            "python/tools/browser_agent.py",
            "python/tools/knowledge_tool.py",
        ] {
            write(directory.path(), file);
        }
        assert_eq!(
            available(directory.path()).await,
            ["web_browsing", "knowledge_retrieval"]
        );
    }

    #[test]
    fn the_program_knows_better() {
        let files = Files {
            tools: ["browser_agent", "vision_load"].map(str::to_owned).into(),
            ..Files::default()
        };
        let answers = Answers {
            can_browse: can_browse(&json!({"browser_use": {"import_ok": true}, "playwright": {"binary_found": false}})),
            has_vision: Some(false),
            has_mcp_server: has_mcp_server(&json!({"status": [{"name": "a", "connected": true}]})),
        };
        assert!(!files.capability("web_browsing", &answers).available);
        assert!(!files.capability("image_analysis", &answers).available);
        assert!(files.capability("api_integration", &answers).available);
    }
}
