//! `borgos plan`: how a project would be deployed.

use clap::Args;
use serde::Deserialize;

use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, line, sentence},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Id of the project
    #[arg(value_name = "PROJECT", value_parser = clap::value_parser!(i64).range(1..))]
    project: i64,
    /// Print the service's own answer
    #[arg(long)]
    json: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Plan {
    runtime: Option<String>,
    source: Option<String>,
    why: Vec<String>,
    dockerfile: Option<String>,
    command: Option<Vec<String>>,
    port: Option<u16>,
    health_path: Option<String>,
    services: Vec<Service>,
    obstacle: Option<String>,
    warnings: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Service {
    name: String,
    image: Option<String>,
    build: Option<String>,
}

/// Prints the plan.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let answer = client
        .get(&format!("/api/v1/projects/{}/plan", arguments.project))
        .await?;
    if arguments.json {
        return Ok(line(&output::json(&answer))?);
    }
    for text in describe(understood(answer)?) {
        line(&text)?;
    }
    Ok(())
}

fn describe(plan: Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |name: &str, text: Option<String>| {
        if let Some(text) = text {
            lines.push(format!("{name:<10}{}", sentence(&text)));
        }
    };
    add("source", plan.source);
    add("runtime", plan.runtime);
    for reason in plan.why {
        add("why", Some(reason));
    }
    add("command", plan.command.map(|words| words.join(" ")));
    add("port", plan.port.map(|port| port.to_string()));
    add("health", plan.health_path);
    for service in plan.services {
        let of = service
            .build
            .map(|directory| format!("built from {directory}"))
            .or(service.image);
        add("service", Some(format!("{}: {}", service.name, of.unwrap_or_default())));
    }
    add("obstacle", plan.obstacle);
    for warning in plan.warnings {
        add("warning", Some(warning));
    }
    if let Some(dockerfile) = plan.dockerfile {
        lines.push(String::new());
        lines.extend(dockerfile.lines().map(sentence));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_line_by_line() {
        let plan = serde_json::from_value(serde_json::json!({
            "source": "node", "runtime": "docker", "why": ["package.json is there", "it\u{1b} starts"], "port": 8080,
            "command": ["node", "x.js"], "dockerfile": "FROM node\nCMD [\"node\"]\n", "warnings": ["no lock file"]
        }));
        let expected = [
            "source    node",
            "runtime   docker",
            "why       package.json is there",
            "why       it  starts",
            "command   node x.js",
            "port      8080",
            "warning   no lock file",
            "",
            "FROM node",
            "CMD [\"node\"]",
        ];
        assert_eq!(describe(plan.unwrap()), expected);
    }
}
