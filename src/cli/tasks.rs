//! `borgos tasks`: what agents have to do, are doing and have done.

mod watch;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, line, plain, sentence},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Print the service's own answer
    #[arg(long, global = true)]
    json: bool,
    /// List only pending, running, completed or failed tasks
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// List only tasks of this agent
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// List at most so many, newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u16,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hand a task to an agent
    Create(Create),
    /// Show one task with its attempts and its output
    Show { id: u64 },
    /// Call a task off; a running one is ended
    Cancel { id: u64 },
    /// Have a task that failed or was called off tried again
    Retry { id: u64 },
    /// Follow one task to its end; fails unless it is completed
    Watch { id: u64 },
}

#[derive(Debug, Args)]
struct Create {
    /// Which agent, as in borgos.toml
    #[arg(long, value_name = "AGENT")]
    agent: String,
    /// What is to be done
    description: String,
    /// The project that it is about
    #[arg(long, value_name = "ID")]
    project: Option<u64>,
    /// What kind of task it is
    #[arg(long = "type", value_name = "TYPE", default_value = "automation")]
    task_type: String,
    /// Larger runs first
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// What the agent is given, as a JSON object
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// How long an attempt may take
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Follow the task to its end
    #[arg(long)]
    watch: bool,
}

/// A task, as far as it is shown here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Task {
    id: Option<u64>,
    agent_type: Option<String>,
    description: Option<String>,
    state: Option<String>,
    priority: Option<i64>,
    attempt: Option<i64>,
    max_attempts: Option<i64>,
    created_at: Option<String>,
    error: Option<String>,
    progress: Option<Value>,
    output: Option<Value>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attempt {
    number: Option<i64>,
    outcome: Option<String>,
    started_at: Option<String>,
    error: Option<String>,
}

/// Carries out the command.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let is_json = arguments.json;
    match arguments.command {
        None => list(&client, &arguments).await,
        Some(Command::Create(new)) => create(&client, new, is_json).await,
        Some(Command::Show { id }) => show(&client, id, is_json).await,
        Some(Command::Cancel { id }) => order(&client, id, "cancel", is_json).await,
        Some(Command::Retry { id }) => order(&client, id, "retry", is_json).await,
        Some(Command::Watch { id }) => watch::run(&client, id, is_json).await,
    }
}

fn path(id: u64) -> String {
    format!("/api/v1/agent/tasks/{id}")
}

async fn list(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let limit = arguments.limit.to_string();
    let query = [
        ("status", arguments.status.as_deref()),
        ("agent_type", arguments.agent.as_deref()),
        ("limit", Some(&limit)),
    ];
    let query: Vec<(&str, &str)> = query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let answer = client.find("/api/v1/agent/tasks", &query).await?.1;
    if arguments.json {
        return Ok(line(&output::json(&answer))?);
    }
    let tasks: Vec<Task> = understood(answer)?;
    Ok(line(&table(&tasks))?)
}

fn table(tasks: &[Task]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["ID", "AGENT", "STATE", "PRIORITY", "ATTEMPT", "CREATED", "DESCRIPTION"]);
    for task in tasks {
        table.add_row([
            number(task.id),
            text(&task.agent_type),
            text(&task.state),
            number(task.priority),
            format!("{} of {}", number(task.attempt), number(task.max_attempts)),
            text(&task.created_at),
            text(&task.description),
        ]);
    }
    table.discover_columns();
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.trim_fmt()
}

async fn create(client: &Client, new: Create, is_json: bool) -> Result<(), Failure> {
    let is_watched = new.watch;
    let answer = client
        .request(Method::POST, "/api/v1/agent/task", Some(&body(new)?))
        .await?;
    accepted(client, &answer, is_watched, is_json).await
}

/// Tells which task was accepted, or follows it to its end.
pub(super) async fn accepted(client: &Client, answer: &Value, is_watched: bool, is_json: bool) -> Result<(), Failure> {
    let id = answer["task_id"].as_u64();
    match (is_watched, id) {
        (true, Some(id)) => watch::run(client, id, is_json).await,
        _ if is_json => Ok(line(&output::json(answer))?),
        _ => Ok(line(&format!("task {} is queued", number(id)))?),
    }
}

/// Reads the value of a flag that must be a JSON object.
pub(super) fn object(flag: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str::<Map<String, Value>>(text)
        .map(Value::Object)
        .map_err(|error| Failure::Usage(format!("`{flag}` must be a JSON object: {error}")))
}

fn body(new: Create) -> Result<Value, Failure> {
    let mut body = json!({
        "agent_type": new.agent,
        "task_type": new.task_type,
        "description": new.description,
    });
    if let Some(input) = new.input {
        body["input_data"] = object("--input", &input)?;
    }
    let numbers = [
        ("project_id", new.project.map(Value::from)),
        ("priority", new.priority.map(Value::from)),
        ("timeout_s", new.timeout.map(Value::from)),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    Ok(body)
}

async fn show(client: &Client, id: u64, is_json: bool) -> Result<(), Failure> {
    let answer = client.get(&path(id)).await?;
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    let task: Task = understood(answer)?;
    for text in describe(&task) {
        line(&text)?;
    }
    Ok(())
}

fn describe(task: &Task) -> Vec<String> {
    let mut lines = vec![
        format!("task         {}", number(task.id)),
        format!("agent        {}", text(&task.agent_type)),
        format!("state        {}", text(&task.state)),
        format!("description  {}", sentence(task.description.as_deref().unwrap_or("-"))),
    ];
    if let Some(message) = task.progress.as_ref().and_then(|progress| progress["message"].as_str()) {
        lines.push(format!("progress     {}", sentence(message)));
    }
    for attempt in &task.attempts {
        let mut shown = format!(
            "attempt {:<4} {}  {}",
            number(attempt.number),
            text(&attempt.started_at),
            text(&attempt.outcome)
        );
        if let Some(error) = &attempt.error {
            shown.push_str(&format!(": {}", sentence(error)));
        }
        lines.push(shown);
    }
    if let Some(output) = &task.output {
        lines.push(format!("output       {}", output::json(output)));
    }
    lines
}

async fn order(client: &Client, id: u64, verb: &str, is_json: bool) -> Result<(), Failure> {
    let answer = client.post(&format!("{}/{verb}", path(id))).await?;
    let text = match is_json {
        true => output::json(&answer),
        false => sentence(answer["message"].as_str().unwrap_or("done")),
    };
    Ok(line(&text)?)
}

fn number<N: ToString>(value: Option<N>) -> String {
    value.map_or("?".to_owned(), |value| value.to_string())
}

fn text(value: &Option<String>) -> String {
    value.as_deref().map_or("-".to_owned(), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_shown_with_its_attempts() {
        let task = serde_json::from_value(json!({
            "id": 7, "agent_type": "coder", "state": "completed", "description": "a\nb", "progress": {"message": "done"},
            "attempts": [{"number": 1, "outcome": "failed", "error": "exit code 1"}, {"number": 2}],
            "output": {"stdout": "\u{1b}[31m"}, "new_field": 1
        }))
        .unwrap();
        let lines = describe(&task);
        assert_eq!(lines[3], "description  a b");
        assert_eq!(lines[5], "attempt 1    -  failed: exit code 1");
        assert_eq!(lines[7], r#"output       {"stdout":"\u001b[31m"}"#);
    }

    #[test]
    fn a_list_has_a_line_for_each_task() {
        let tasks: Vec<Task> = serde_json::from_value(json!([{"id": 7, "state": "running", "attempt": 1}])).unwrap();
        let lines: Vec<String> = table(&tasks).lines().map(str::to_owned).collect();
        assert!(
            lines.len() == 2 && lines[1].contains("running") && lines[1].contains("1 of ?"),
            "{lines:?}"
        );
    }
}
