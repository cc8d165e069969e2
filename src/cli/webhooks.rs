//! `borgos webhooks`: who is told of what happens, and what came of it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, line, plain, rows, sentence},
};

const PATH: &str = "/api/v1/webhooks";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
    /// Print the service's own answer
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the webhooks (also without any verb)
    List,
    /// Have events told to an address; prints the secret that was made for it, once
    Create {
        /// Where messages go
        #[arg(value_name = "URL")]
        target: String,
        /// Names of events, such as deployment.failed or error.*
        #[arg(long, value_name = "NAME", required = true, value_delimiter = ',')]
        events: Vec<String>,
        /// File that has the secret; without it one is made
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Forget a webhook
    Delete { id: u64 },
    /// Send a test message and show what came of it; fails unless it was taken
    Test { id: u64 },
    /// List what was or is to be delivered, newest first
    Deliveries {
        id: u64,
        /// Only pending, delivered or failed messages
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u16,
    },
}

/// A webhook, as far as it is shown here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Webhook {
    id: u64,
    url: String,
    events: Vec<String>,
    active: bool,
    failing_since: Option<String>,
    disabled_reason: Option<String>,
}

/// A message, as far as it is shown here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delivery {
    id: u64,
    event: String,
    status: String,
    attempts: u64,
    attempted_at: Option<String>,
    next_at: Option<String>,
    response_status: Option<u16>,
    duration_ms: Option<u64>,
    error: Option<String>,
}

/// Carries out the command.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    let is_json = arguments.json;
    match arguments.command {
        None | Some(Command::List) => show(client.get(PATH).await?, is_json, webhook_lines),
        Some(Command::Create {
            target,
            events,
            secret_file,
        }) => create(&client, &target, &events, secret_file.as_deref(), is_json).await,
        Some(Command::Delete { id }) => {
            let deleted = client.request(Method::DELETE, &format!("{PATH}/{id}"), None).await?;
            show(deleted, is_json, |answer: Value| vec![message(&answer)])
        }
        Some(Command::Test { id }) => test(&client, id, is_json).await,
        Some(Command::Deliveries { id, status, limit }) => {
            let limit = limit.to_string();
            let status = status.as_deref().map(|status| ("status", status));
            let query: Vec<(&str, &str)> = status.into_iter().chain([("limit", limit.as_str())]).collect();
            let (_, answer) = client.find(&format!("{PATH}/{id}/deliveries"), &query).await?;
            show(answer, is_json, delivery_lines)
        }
    }
}

/// Prints an answer as it is, or as people read it.
fn show<T: DeserializeOwned>(
    answer: Value,
    is_json: bool,
    lines: impl FnOnce(T) -> Vec<String>,
) -> Result<(), Failure> {
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    for text in lines(understood(answer)?) {
        line(&text)?;
    }
    Ok(())
}

async fn create(
    client: &Client,
    target: &str,
    events: &[String],
    secret_file: Option<&Path>,
    is_json: bool,
) -> Result<(), Failure> {
    let mut body = json!({"url": target, "events": events});
    if let Some(file) = secret_file {
        let secret = std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("`--secret-file` cannot be read: {error}")))?;
        body["secret"] = json!(secret.trim());
    }
    let created = client.request(Method::POST, PATH, Some(&body)).await?;
    show(created, is_json, |answer: Value| {
        let mut lines = vec![format!(
            "webhook {} is told of {}",
            answer["id"],
            plain(&events.join(", "))
        )];
        if secret_file.is_none() {
            let secret = answer["secret"].as_str().unwrap_or_default();
            lines.push(format!("its secret, which is not shown again: {}", plain(secret)));
        }
        lines
    })
}

async fn test(client: &Client, id: u64, is_json: bool) -> Result<(), Failure> {
    let answer = client.post(&format!("{PATH}/{id}/test")).await?;
    let delivery: Delivery = understood(answer.clone())?;
    match delivery.status.as_str() {
        "delivered" => show(answer, is_json, |_: Value| vec![outcome(&delivery)]),
        _ => Err(Failure::General(outcome(&delivery))),
    }
}

fn outcome(delivery: &Delivery) -> String {
    let status = delivery.response_status.map(|status| format!(" with {status}"));
    let duration = delivery.duration_ms.unwrap_or_default();
    match &delivery.error {
        None => format!("the target took it{} in {duration} ms", status.unwrap_or_default()),
        Some(error) => format!("the target did not take it after {duration} ms: {}", sentence(error)),
    }
}

fn webhook_lines(webhooks: Vec<Webhook>) -> Vec<String> {
    let mut table = output::table(&["ID", "STATE", "EVENTS", "URL", "REMARK"]);
    for webhook in webhooks {
        let state = match (webhook.active, &webhook.failing_since) {
            (false, _) => "inactive",
            (true, Some(_)) => "failing",
            (true, None) => "active",
        };
        table.add_row([
            webhook.id.to_string(),
            state.to_owned(),
            plain(&webhook.events.join(", ")),
            plain(&webhook.url),
            webhook.disabled_reason.as_deref().map_or("-".to_owned(), plain),
        ]);
    }
    rows(table)
}

fn delivery_lines(deliveries: Vec<Delivery>) -> Vec<String> {
    let mut table = output::table(&["ID", "EVENT", "STATUS", "ATTEMPTS", "LAST", "NEXT", "ANSWER", "ERROR"]);
    let text = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), plain);
    for delivery in deliveries {
        table.add_row([
            delivery.id.to_string(),
            plain(&delivery.event),
            plain(&delivery.status),
            delivery.attempts.to_string(),
            text(&delivery.attempted_at),
            text(&delivery.next_at),
            delivery
                .response_status
                .map_or("-".to_owned(), |status| status.to_string()),
            text(&delivery.error),
        ]);
    }
    rows(table)
}

fn message(answer: &Value) -> String {
    sentence(answer["message"].as_str().unwrap_or("done"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_which_webhooks_do_not_work() {
        let webhooks = json!([
            {"id": 1, "url": "https://a/", "events": ["*"], "active": true},
            {"id": 2, "url": "https://b/", "events": ["task.*"], "active": true, "failing_since": "2026-01-01T00:00:00Z"},
            {"id": 3, "url": "https://c/", "events": ["*"], "active": false, "disabled_reason": "gone\u{1b}"},
        ]);
        let lines = webhook_lines(understood(webhooks).unwrap());
        let states: Vec<&str> = lines.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(states, ["STATE", "active", "failing", "inactive"]);
        assert!(lines[3].ends_with("gone"), "{lines:?}");
    }

    #[test]
    fn an_outcome_says_why_the_target_did_not_take_it() {
        let failed: Delivery =
            understood(json!({"error": "the target answered 500", "response_status": 500, "duration_ms": 3})).unwrap();
        assert_eq!(
            outcome(&failed),
            "the target did not take it after 3 ms: the target answered 500"
        );
        let taken: Delivery = understood(json!({"response_status": 204, "duration_ms": 3})).unwrap();
        assert_eq!(outcome(&taken), "the target took it with 204 in 3 ms");
    }
}
