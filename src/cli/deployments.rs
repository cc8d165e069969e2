//! `borgos deploy`, `borgos deployments` and what can be done to one deployment.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::{Client, Remote},
    output::{self, line, plain, sentence},
};

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    remote: Remote,
    /// Print the service's own answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DeployArguments {
    #[command(flatten)]
    remote: Remote,
    /// Id of the project
    #[arg(value_name = "PROJECT", value_parser = clap::value_parser!(i64).range(1..))]
    project: i64,
    /// Public port
    #[arg(long)]
    port: u16,
    /// Name of the deployment
    #[arg(long)]
    name: Option<String>,
    /// Ready image to run instead of a build
    #[arg(long)]
    image: Option<String>,
    /// Commit, branch or tag to build instead of the project's directory
    #[arg(long, value_name = "REF")]
    source_ref: Option<String>,
    /// CPUs that it may use, such as 0.5
    #[arg(long, value_name = "CPUS")]
    cpu_limit: Option<String>,
    /// Memory that it may use, such as 256m
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<String>,
    /// File of NAME=value lines for its environment; secrets on a command line are seen by others
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct OneArguments {
    #[command(flatten)]
    remote: Remote,
    /// Id of the deployment
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    deployment: i64,
}

#[derive(Debug, Args)]
pub(super) struct RedeployArguments {
    #[command(flatten)]
    one: OneArguments,
    /// Commit, branch or tag to build, now and by further redeploys
    #[arg(long, value_name = "REF")]
    source_ref: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArguments {
    #[command(flatten)]
    one: OneArguments,
    /// Number of the release; without it the candidates are listed
    #[arg(value_name = "RELEASE", value_parser = clap::value_parser!(i64).range(1..))]
    release: Option<i64>,
}

/// Prints all deployments as a table.
pub(super) async fn list(arguments: ListArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let listed = client.get("/api/v1/deployments").await?;
    if arguments.json {
        return Ok(line(&output::json(&listed))?);
    }
    line(&format!(
        "{:<6} {:<24} {:<6} {:<14} {}",
        "ID", "NAME", "PORT", "STATUS", "REASON"
    ))?;
    for row in listed.as_array().into_iter().flatten() {
        line(row_text(row).trim_end())?;
    }
    Ok(())
}

fn row_text(row: &Value) -> String {
    let text = |field: &str| plain(row[field].as_str().unwrap_or_default());
    let (id, port) = (plain(&row["id"].to_string()), plain(&row["port"].to_string()));
    format!(
        "{id:<6} {:<24} {port:<6} {:<14} {}",
        text("name"),
        text("status"),
        text("reason")
    )
}

/// Deploys a project.
pub(super) async fn deploy(arguments: DeployArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let mut body = json!({"project_id": arguments.project, "port": arguments.port});
    for (field, value) in [
        ("name", arguments.name),
        ("image", arguments.image),
        ("source_ref", arguments.source_ref),
        ("cpu_limit", arguments.cpu_limit),
        ("memory_limit", arguments.memory_limit),
    ] {
        if let Some(value) = value {
            body[field] = value.into();
        }
    }
    if let Some(file) = arguments.env_file {
        let text = std::fs::read_to_string(&file)
            .map_err(|cause| Failure::Usage(format!("`{}` cannot be read: {cause}", file.display())))?;
        body["environment"] = environment(&text)?.into();
    }
    let created = client.request(Method::POST, "/api/v1/deploy", Some(&body)).await?;
    say(&created)?;
    Ok(line(&format!("deployment {}", plain(&created["id"].to_string())))?)
}

/// Reads lines of `NAME=value`; empty ones and those that begin with `#` say nothing. Values are taken as they stand.
fn environment(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut variables = Map::new();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        // The line itself may be a secret.
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("line {number} of the environment is not `NAME=value`")))?;
        variables.insert(name.to_owned(), value.into());
    }
    Ok(variables)
}

/// Asks for something that needs no more than the deployment, such as `redeploy`.
pub(super) async fn act(arguments: OneArguments, verb: &str) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let path = format!("/api/v1/deployments/{}/{verb}", arguments.deployment);
    say(&client.post(&path).await?)
}

/// Asks for a new release.
pub(super) async fn redeploy(arguments: RedeployArguments) -> Result<(), Failure> {
    let Some(source_ref) = arguments.source_ref else {
        return act(arguments.one, "redeploy").await;
    };
    let client = Client::new(&arguments.one.remote)?;
    let path = format!("/api/v1/deployments/{}/redeploy", arguments.one.deployment);
    let body = json!({"source_ref": source_ref});
    say(&client.request(Method::POST, &path, Some(&body)).await?)
}

/// Has an earlier release serve again, or lists those that can.
pub(super) async fn rollback(arguments: RollbackArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.one.remote)?;
    let path = format!("/api/v1/deployments/{}/rollback", arguments.one.deployment);
    let Some(release) = arguments.release else {
        return candidates(&client.post(&path).await?);
    };
    let body = json!({"release": release});
    say(&client.request(Method::POST, &path, Some(&body)).await?)
}

fn candidates(listed: &Value) -> Result<(), Failure> {
    line(&format!("{:<8} {:<28} {:<12} {}", "RELEASE", "CREATED", "BY", "SERVES"))?;
    for release in listed.as_array().into_iter().flatten() {
        let text = |field: &str| plain(release[field].as_str().unwrap_or_default());
        let number = plain(&release["release"].to_string());
        let serves = if release["is_serving"] == true { "now" } else { "" };
        let row = format!(
            "{number:<8} {:<28} {:<12} {serves}",
            text("created_at"),
            text("created_by")
        );
        line(row.trim_end())?;
    }
    Ok(())
}

fn say(answer: &Value) -> Result<(), Failure> {
    let message = answer["message"].as_str().unwrap_or("the service said nothing");
    Ok(line(&sentence(message))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_line_by_line() {
        let read = environment("# secrets\nA=1\n\n B=x = y \nC=\n").unwrap();
        assert_eq!(json!(read), json!({"A": "1", "B": "x = y", "C": ""}));
        let refused = environment("A=1\nhunter2").unwrap_err().to_string();
        assert!(refused.contains("line 2") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_deployment_is_one_line() {
        let row = json!({"id": 3, "name": "shop", "port": 8090, "status": "running", "reason": null});
        assert_eq!(
            row_text(&row).trim_end(),
            "3      shop                     8090   running"
        );
    }
}
