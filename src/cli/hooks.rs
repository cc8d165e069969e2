//! `borgos hooks set|show|remove`: push to deploy.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Failure,
    client::{Client, Remote},
    output::{self, line, sentence},
};

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
    /// Make the hook of a project, or change it; its secret is shown when it is made
    Set {
        #[command(flatten)]
        project: Project,
        /// Branch that counts; the default one of the repository if left out
        #[arg(long, value_name = "BRANCH")]
        branch: Option<String>,
        /// Deployment that gets releases; may be repeated; all of the project if left out
        #[arg(long = "deployment", value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
        deployments: Vec<i64>,
        /// File with the secret; secrets on a command line are seen by others
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Show the hook of a project
    Show {
        #[command(flatten)]
        project: Project,
    },
    /// Take the hook of a project away
    Remove {
        #[command(flatten)]
        project: Project,
    },
}

#[derive(Debug, Args)]
struct Project {
    /// Id of the project
    #[arg(value_name = "PROJECT", value_parser = clap::value_parser!(i64).range(1..))]
    project: i64,
}

impl Project {
    fn path(&self) -> String {
        format!("/api/v1/projects/{}/hook", self.project)
    }
}

/// Carries out one of the commands.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let answer = match arguments.command {
        Command::Set {
            project,
            branch,
            deployments,
            secret_file,
        } => {
            let body = body(branch, deployments, secret_file)?;
            client.request(Method::PUT, &project.path(), Some(&body)).await?
        }
        Command::Show { project } => client.get(&project.path()).await?,
        Command::Remove { project } => client.request(Method::DELETE, &project.path(), None).await?,
    };
    if arguments.json {
        return Ok(line(&output::json(&answer))?);
    }
    for text in describe(&answer) {
        line(&text)?;
    }
    Ok(())
}

fn body(branch: Option<String>, deployments: Vec<i64>, secret_file: Option<PathBuf>) -> Result<Value, Failure> {
    let mut body = json!({});
    if let Some(branch) = branch {
        body["branch"] = branch.into();
    }
    if !deployments.is_empty() {
        body["deployments"] = deployments.into();
    }
    if let Some(file) = secret_file {
        let text = std::fs::read_to_string(&file)
            .map_err(|cause| Failure::Usage(format!("`{}` cannot be read: {cause}", file.display())))?;
        body["secret"] = text.trim().into();
    }
    Ok(body)
}

fn describe(answer: &Value) -> Vec<String> {
    if let Some(message) = answer["message"].as_str() {
        return vec![sentence(message)];
    }
    let shown = |value: &Value, otherwise: &str| match value {
        Value::Null => otherwise.to_owned(),
        Value::String(text) => sentence(text),
        other => sentence(&other.to_string()),
    };
    let mut lines = vec![
        format!("path         {}", shown(&answer["path"], "?")),
        format!(
            "branch       {}",
            shown(&answer["branch"], "the default one of the repository")
        ),
        format!("deployments  {}", shown(&answer["deployments"], "all of the project")),
    ];
    if let Some(secret) = answer["secret"].as_str() {
        lines.push(format!("secret       {} (it is not shown again)", sentence(secret)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_told_line_by_line() {
        let answer = json!({"path": "/api/v1/hooks/1", "branch": null, "deployments": [1, 2], "secret": "canary"});
        let expected = [
            "path         /api/v1/hooks/1",
            "branch       the default one of the repository",
            "deployments  [1,2]",
            "secret       canary (it is not shown again)",
        ];
        assert_eq!(describe(&answer), expected);
    }
}
