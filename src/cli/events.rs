//! `borgos events`: follows `/ws` and prints what comes.

use clap::Args;
use serde_json::Value;

use super::{
    Failure,
    client::{Client, Remote},
    output::{self, line, plain},
    stream::Stream,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// What to follow; one subject is written deployments:7
    #[arg(
        long,
        value_name = "CHANNELS",
        value_delimiter = ',',
        default_value = "projects,deployments,errors,tasks,agent-zero,actors,system"
    )]
    channels: Vec<String>,
    /// Print each event as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Prints events until the connection ends, which is a failure: the caller wanted to follow.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let mut stream = Stream::open(&client, &arguments.channels).await?;
    loop {
        let frame = stream.next().await?;
        line(&match arguments.json {
            true => output::json(&frame),
            false => describe(&frame),
        })?;
    }
}

fn describe(frame: &Value) -> String {
    let text = |key: &str| plain(frame[key].as_str().unwrap_or("-"));
    format!(
        "{}  {:<14} {:<20} {}",
        text("at"),
        text("channel"),
        text("type"),
        output::json(&frame["data"])
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let frame = json!({
            "type": "deployment_status", "data": {"id": 1, "note": "a\nb"}, "channel": "deployments",
            "at": "2024-01-15T10:30:00Z"
        });
        assert_eq!(
            describe(&frame),
            r#"2024-01-15T10:30:00Z  deployments    deployment_status    {"id":1,"note":"a\nb"}"#
        );
    }
}
