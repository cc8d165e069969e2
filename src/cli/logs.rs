//! `borgos logs`: what a deployment printed, and prints.

use clap::Args;

use super::{
    Failure,
    client::{Client, Remote},
    output::{line, unsteered},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Id of the deployment
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    deployment: i64,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Show so many of the last lines
    #[arg(long, value_name = "LINES", default_value_t = 100)]
    tail: u32,
    /// Show nothing older, such as 2026-01-15T10:30:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Show one release only
    #[arg(long, value_name = "NUMBER")]
    release: Option<u32>,
    /// Print each line as JSON, with its time and release
    #[arg(long)]
    json: bool,
}

/// Prints the lines. Following ends with the deployment or the service.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let path = format!("/api/v1/deployments/{}/logs", arguments.deployment);
    let mut answer = client.stream(&path, &query(&arguments)).await?;
    let mut rest = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let whole: Vec<u8> = rest.drain(..=end).collect();
            line(&unsteered(&String::from_utf8_lossy(&whole[..end])))?;
        }
    }
    Ok(())
}

fn query(arguments: &Arguments) -> Vec<(&'static str, String)> {
    let mut query = vec![("tail", arguments.tail.to_string())];
    query.extend(arguments.since.clone().map(|since| ("since", since)));
    query.extend(arguments.release.map(|release| ("release", release.to_string())));
    if arguments.follow {
        query.push(("follow", "true".to_owned()));
    }
    if arguments.json {
        query.push(("format", "json".to_owned()));
    }
    query
}
