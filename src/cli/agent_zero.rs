//! `borgos agent-zero status|start|stop|execute|logs`.

use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, line, plain, sentence},
    tasks,
};

/// How often the lines are asked for that are followed. The service answers 60 requests a minute for ever.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Print the service's own answer
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show whether it runs, and why not
    Status,
    /// Start it and wait until it is ready
    Start,
    /// Stop it and everything that it has started
    Stop,
    /// Give it a prompt as a task
    Execute(Execute),
    /// Show what it printed last
    Logs {
        /// How many lines
        #[arg(long, value_name = "LINES", default_value_t = 200)]
        tail: usize,
        /// Go on with what it prints
        #[arg(short, long)]
        follow: bool,
    },
}

#[derive(Debug, Args)]
struct Execute {
    /// What is to be done
    prompt: String,
    /// What it is about, in a few words
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What kind of work it is, such as code_execution
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// What else is to be known, as a JSON object; its `project_id` names the project
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    /// Follow the task to its end; fails unless it is completed
    #[arg(long)]
    watch: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    state: Option<String>,
    reason: Option<String>,
    version: Option<String>,
    process_id: Option<i64>,
    port: Option<u16>,
    directory: Option<String>,
    ui_url: Option<String>,
    restarts: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Started {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logs {
    lines: Vec<String>,
}

/// Carries out one of the commands.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let is_json = arguments.json;
    match arguments.command {
        Command::Status => {
            let answer = client.get("/api/v1/agent-zero/status").await?;
            show(answer, is_json, |status: Status| describe(&status))
        }
        Command::Start => {
            let answer = client.post("/api/v1/agent-zero/start").await?;
            show(answer, is_json, |started: Started| describe(&started.status))
        }
        Command::Stop => {
            let answer = client.post("/api/v1/agent-zero/stop").await?;
            show(answer, is_json, |_: Value| vec!["Agent Zero is stopped".to_owned()])
        }
        Command::Execute(wanted) => execute(&client, wanted, is_json).await,
        Command::Logs { tail, follow: false } => {
            let answer = client.get("/api/v1/agent-zero/logs").await?;
            show(answer, is_json, |logs: Logs| {
                last(&logs.lines, tail).iter().map(|text| sentence(text)).collect()
            })
        }
        Command::Logs { tail, follow: true } => follow(&client, tail).await,
    }
}

async fn execute(client: &Client, wanted: Execute, is_json: bool) -> Result<(), Failure> {
    let mut body = json!({"prompt": wanted.prompt});
    if let Some(context) = &wanted.context {
        body["context"] = tasks::object("--context", context)?;
    }
    for (name, text) in [("description", wanted.description), ("type", wanted.kind)] {
        if let Some(text) = text {
            body[name] = json!(text);
        }
    }
    let path = "/api/v1/agent-zero/execute";
    let answer = client.request(Method::POST, path, Some(&body)).await?;
    tasks::accepted(client, &answer, wanted.watch, is_json).await
}

fn show<T: serde::de::DeserializeOwned>(
    answer: Value,
    is_json: bool,
    describe: impl FnOnce(T) -> Vec<String>,
) -> Result<(), Failure> {
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    for text in describe(understood(answer)?) {
        line(&text)?;
    }
    Ok(())
}

fn describe(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("state      {}", plain(status.state.as_deref().unwrap_or("?")))];
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{name:<11}{}", sentence(&value)));
        }
    };
    add("reason", status.reason.clone());
    add("version", status.version.clone());
    add("process", status.process_id.map(|id| id.to_string()));
    add("directory", status.directory.clone());
    add("port", status.port.map(|port| port.to_string()));
    add("page", status.ui_url.clone());
    add(
        "restarts",
        status
            .restarts
            .filter(|number| *number > 0)
            .map(|number| number.to_string()),
    );
    lines
}

/// Prints the last lines, and then what is new among them, until the service is gone.
async fn follow(client: &Client, tail: usize) -> Result<(), Failure> {
    let mut known = Vec::new();
    let mut num_wanted = tail;
    loop {
        let answer = client.get("/api/v1/agent-zero/logs").await?;
        let lines = understood::<Logs>(answer)?.lines;
        for text in last(&lines[num_known(&known, &lines)..], num_wanted) {
            line(&sentence(text))?;
        }
        num_wanted = usize::MAX;
        known = lines;
        sleep(FOLLOW_EVERY).await;
    }
}

fn last(lines: &[String], num_lines: usize) -> &[String] {
    &lines[lines.len().saturating_sub(num_lines)..]
}

/// Counts the lines at the beginning of `lines` that were at the end of `known`.
fn num_known(known: &[String], lines: &[String]) -> usize {
    let longest = known.len().min(lines.len());
    let is_overlap = |length: &usize| known.ends_with(&lines[..*length]);
    (0..=longest).rev().find(is_overlap).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    #[test]
    fn only_what_is_new_is_printed() {
        for (known, now, new) in [
            ("", "ab", "ab"),
            ("ab", "ab", ""),
            ("abc", "bcd", "d"),
            ("abc", "xyz", "xyz"),
        ] {
            let (known, now) = (lines(known), lines(now));
            assert_eq!(now[num_known(&known, &now)..].concat(), new);
        }
    }

    #[test]
    fn a_status_says_what_is_known() {
        let status = serde_json::from_value(serde_json::json!({
            "state": "failed", "reason": "it exited\u{1b} with code 1", "port": 8085, "restarts": 0, "ui_url": null
        }));
        let shown = describe(&status.unwrap());
        assert_eq!(
            shown,
            [
                "state      failed",
                "reason     it exited  with code 1",
                "port       8085"
            ]
        );
    }
}
