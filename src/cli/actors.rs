//! `borgos actors` and `borgos actors restart PATH`.

mod tree;

use clap::{Args, Subcommand};

use self::tree::Actor;
use super::{
    Failure,
    client::{Client, Remote, understood},
    output::{self, line, plain},
};

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
    /// Replace one actor; its accepted messages are kept, its container or process keeps running
    Restart {
        /// Path of the actor as `borgos actors` shows it, such as deployment/3
        path: String,
    },
}

/// Shows the tree, or restarts an actor of it.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    match arguments.command {
        None => show(&client, arguments.json).await,
        Some(Command::Restart { path }) => restart(&client, &path, arguments.json).await,
    }
}

async fn show(client: &Client, is_json: bool) -> Result<(), Failure> {
    let answer = client.get("/api/v1/actors").await?;
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    let actors: Vec<Actor> = understood(answer)?;
    for text in tree::draw(&actors) {
        line(&text)?;
    }
    Ok(())
}

async fn restart(client: &Client, path: &str, is_json: bool) -> Result<(), Failure> {
    if !path.split('/').all(is_segment) {
        return Err(Failure::Usage(
            "PATH must be an actor's path, such as deployment/3".to_owned(),
        ));
    }
    let answer = client.post(&format!("/api/v1/actors/{path}/restart")).await?;
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    let actor: Actor = understood(answer)?;
    let state = plain(actor.state.as_deref().unwrap_or("?"));
    Ok(line(&format!("{path} was restarted and is {state}"))?)
}

/// Says whether a text can be a part of an actor's path; `..` would leave the address of the actors.
fn is_segment(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.starts_with('.') && !text.is_empty() && text.chars().all(is_allowed)
}
