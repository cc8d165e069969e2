//! The agent `command`: a program that is started for each task, in the project's directory.
//!
//! This is how a coding agent's command line or a script plugs in. The program gets an allow-listed environment and a process
//! group of its own; when it has ended, or has to, everything that it started is ended with it. There is no shell.

mod capture;
mod process;

use std::{
    collections::BTreeMap,
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde_json::{Value, json};

use self::process::{Ended, Launch};
use super::{Agent, Attempt, Control, Failure, Health, Output, leftovers};
use crate::{
    program,
    value::{Command, Environment, MemoryLimit, Secrets},
};

/// An argument that is this text is replaced by the prompt.
const PROMPT: &str = "{prompt}";
/// The kernel takes no longer argument: 32 pages, of which one byte ends the text.
const MAX_ARGUMENT_BYTES: usize = 32 * 4096 - 1;
/// How much of the end of an output is told as the reason of a failure.
const MAX_REASON_CHARS: usize = 1000;

/// What the program finds on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    /// The description of the task, and its input data as JSON where there is any.
    Prompt,
    /// The whole task as one JSON object.
    Json,
    /// Nothing.
    Nothing,
}

/// How the program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The program and its arguments.
    pub command: Command,
    /// Where it runs for tasks without a project; without it such tasks are refused.
    pub directory: Option<PathBuf>,
    /// What it finds on its standard input; by default the prompt, unless an argument is.
    pub stdin: Option<Stdin>,
    /// Variables of BorgOS's own environment that it is given.
    pub inherit: Vec<String>,
    /// Further variables.
    pub environment: Environment,
    /// Memory that each of its processes may write to.
    pub memory_limit: Option<MemoryLimit>,
}

/// The agent.
pub struct CommandAgent {
    settings: Settings,
    /// What every attempt's program is given.
    environment: BTreeMap<String, String>,
    /// What of that it must not show.
    secrets: Secrets,
}

impl CommandAgent {
    /// Prepares an agent; the environment is that of now.
    pub fn new(settings: Settings) -> Self {
        let named = settings.inherit.iter();
        let named = named.filter_map(|name| Some((name.clone(), env::var(name).ok()?)));
        let always = program::inherited()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let configured = settings.environment.iter();
        let configured = configured.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment: BTreeMap<String, String> = always.chain(named).chain(configured).collect();
        let variables = environment.iter();
        let secrets = Secrets::among(variables.map(|(name, value)| (name.as_str(), value.as_str())));
        Self {
            settings,
            environment,
            secrets,
        }
    }

    fn launch(&self, attempt: &Attempt) -> Result<Launch, Failure> {
        let directory = match (&attempt.project, &self.settings.directory) {
            (Some(project), _) => project.directory.clone(),
            (None, Some(directory)) => directory.clone(),
            (None, None) => return Err(Failure::lasting("no_project", "the task needs a project to run in")),
        };
        let prompt = attempt.prompt();
        let argv = self.settings.command.as_argv();
        let default = if self.has_placeholder() {
            Stdin::Nothing
        } else {
            Stdin::Prompt
        };
        let input = match self.settings.stdin.unwrap_or(default) {
            Stdin::Prompt => prompt.clone(),
            Stdin::Json => task(attempt).to_string(),
            Stdin::Nothing => String::new(),
        };
        let argv = argv.iter().map(|argument| match argument == PROMPT {
            true => prompt.clone(),
            false => argument.clone(),
        });
        let mut environment = self.environment.clone();
        environment.insert("BORGOS_TASK_ID".to_owned(), attempt.task.to_string());
        environment.insert("BORGOS_TASK_ATTEMPT".to_owned(), attempt.number.to_string());
        environment.insert(leftovers::VARIABLE.to_owned(), attempt.key.clone());
        Ok(Launch {
            argv: argv.collect(),
            directory,
            environment,
            input,
            memory_limit_bytes: self.settings.memory_limit.as_ref().map(MemoryLimit::bytes),
        })
    }

    /// Whether the prompt is an argument.
    fn has_placeholder(&self) -> bool {
        self.settings
            .command
            .as_argv()
            .iter()
            .any(|argument| argument == PROMPT)
    }

    /// Says why the program cannot be found, if it cannot.
    fn complaint(&self) -> Option<String> {
        let program = self.settings.command.as_argv().first()?;
        if program.contains('/') {
            // A relative path is looked up in the project's directory, which only a task names.
            let is_fine = Path::new(program).is_relative() || is_executable(Path::new(program));
            return (!is_fine).then(|| format!("`{program}` is not an executable file"));
        }
        let path = self.environment.get("PATH").map_or("", String::as_str);
        let is_found = env::split_paths(path).any(|directory| is_executable(&directory.join(program)));
        (!is_found).then(|| format!("`{program}` is in no directory of PATH"))
    }
}

#[async_trait]
impl Agent for CommandAgent {
    fn kind(&self) -> &'static str {
        "command"
    }

    fn needs_project(&self) -> bool {
        self.settings.directory.is_none()
    }

    fn max_prompt_bytes(&self) -> Option<usize> {
        self.has_placeholder().then_some(MAX_ARGUMENT_BYTES)
    }

    async fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    async fn health(&self) -> Health {
        self.complaint().map_or(Health::Available, Health::Unavailable)
    }

    async fn run(&self, attempt: Attempt, control: Control) -> Result<Output, Failure> {
        let launch = self.launch(&attempt)?;
        let ended = process::run(launch, &control).await?;
        let Ended { status, stdout, stderr } = ended.ok_or_else(Failure::stopped)?;
        if !status.success() {
            let said = if stderr.is_empty() { &stdout } else { &stderr };
            return Err(Failure::passing(
                "exit_code",
                format!("{status}: {}", said.end(MAX_REASON_CHARS)),
            ));
        }
        Ok(Output(json!({
            "exit_code": status.code(),
            "stdout": stdout.text(),
            "stdout_bytes": stdout.num_bytes(),
            "stderr": stderr.text(),
            "stderr_bytes": stderr.num_bytes(),
        })))
    }
}

fn task(attempt: &Attempt) -> Value {
    json!({
        "task_id": attempt.task,
        "attempt": attempt.number,
        "project_id": attempt.project.as_ref().map(|project| project.id),
        "task_type": attempt.task_type,
        "description": attempt.description,
        "input_data": attempt.input_data,
    })
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
