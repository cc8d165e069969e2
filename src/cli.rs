//! The command line: `serve`, and clients of a running service.

mod actors;
mod agent_zero;
mod client;
mod deployments;
mod doctor;
pub mod edge;
mod events;
mod failure;
mod hooks;
mod logs;
mod mcp;
mod output;
mod password;
mod place;
mod plan;
mod scan;
mod search;
mod secrets;
mod status;
mod stream;
mod tasks;
mod token;
mod user;
mod webhooks;

use borgos_actors::error::chain;
use clap::{Parser, Subcommand};

use self::client::Remote;
pub use self::failure::Failure;
use crate::{
    config::{self, Config, Flags, unknown_variables},
    logging,
    serve::{self, Ending},
};

const EXAMPLES: &str = "\
Examples:
  borgos                                     serve on http://127.0.0.1:8081, for this machine only
  borgos user add ada --admin                add the first user; from then on nobody gets in without a credential
  borgos token create --name ci --scope deploy --expires 30d
  borgos serve --listen 0.0.0.0:8081         serve for others too; needs a user, a token or BORGOS_TOKEN
  borgos doctor                              what is wrong with this machine's setup, and how to mend it
  borgos status                              how the service and its machine are
  borgos actors                              what runs inside, as a tree
  borgos actors restart deployment/3         replace one actor; its container keeps running
  borgos plan 1                              how project 1 would be built and started, and why
  borgos deploy 1 --port 8090                deploy project 1
  borgos redeploy 3                          build a new release of deployment 3
  borgos logs 3 --follow                     what deployment 3 prints
  borgos events --channels deployments       follow what happens
  borgos tasks create --agent coder --project 1 --watch 'fix the failing test'
  borgos agent-zero start                    start Agent Zero and wait until it is ready
  borgos agent-zero logs --follow            what it prints
  borgos scan --discover ~/code              find all projects below a directory, and scan them
  borgos webhooks create https://example.com/hook --events deployment.failed,error.critical
  borgos search --lang rust 'fn main'        find lines of code in all scanned projects
  borgos search --projects postgres          find projects by all that is known of them

  curl http://127.0.0.1:8081/api/v1/projects

Settings come from flags, above environment variables, above borgos.toml in the data directory, above defaults.
BORGOS_TOKEN, a secret of at least 16 characters, is read from the environment only, by the service and its clients.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 4 credential missing or refused, 5 not found,
70 the actors gave up and a fresh process is needed.";

/// Control plane for one machine full of code projects: deploys them, watches them and keeps them running.
#[derive(Debug, Parser)]
#[command(name = "borgos", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until SIGTERM or Ctrl-C (also without any subcommand)
    Serve(Flags),
    /// Show how a running service and its machine are
    Status {
        #[command(flatten)]
        remote: Remote,
        /// Print the service's own answer
        #[arg(long)]
        json: bool,
    },
    /// Show the actors of a running service as a tree, or restart one
    Actors(actors::Arguments),
    /// Deploy a project on a port
    Deploy(deployments::DeployArguments),
    /// Show how a project would be deployed, and why
    Plan(plan::Arguments),
    /// List the deployments
    Deployments(deployments::ListArguments),
    /// Build a new release, which serves once it is healthy
    Redeploy(deployments::RedeployArguments),
    /// Have an earlier release serve again, or list those that can
    Rollback(deployments::RollbackArguments),
    /// Start a deployment that does not run
    Start(deployments::OneArguments),
    /// Stop a deployment
    Stop(deployments::OneArguments),
    /// Put a new instance in the place of the one that serves
    Restart(deployments::OneArguments),
    /// Call off the build or the rollout that is under way
    Cancel(deployments::OneArguments),
    /// Show what a deployment printed, and follow what it prints
    Logs(logs::Arguments),
    /// Set, show or remove the hook by which pushes to a project's repository are deployed
    Hooks(hooks::Arguments),
    /// Have projects scanned, and show what came of it
    Scan(scan::Arguments),
    /// Find lines of code in scanned projects, or projects
    Search(search::Arguments),
    /// Follow the events of a running service, one a line
    Events(events::Arguments),
    /// List the tasks of agents, or create, show, cancel, retry or watch one
    Tasks(tasks::Arguments),
    /// Start, stop and look at the Agent Zero of a running service
    AgentZero(agent_zero::Arguments),
    /// List who is told of what happens, or create, delete or test a webhook
    Webhooks(webhooks::Arguments),
    /// Speak the Model Context Protocol on standard input and output, for clients that start their tools
    Mcp(mcp::Arguments),
    /// Make, list and revoke tokens, by which programs show who they are
    Token(token::Arguments),
    /// Add, list, change and remove users, who show who they are by name and password
    User(user::Arguments),
    /// Change the key that environments are sealed with
    Secrets(secrets::Arguments),
    /// Check engine, database, port and directories, and say how to mend what is wrong
    Doctor(Flags),
}

/// Carries out a command line.
///
/// # Errors
/// Says what failed, with the exit code that it means.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => serve(cli.flags).await,
        Some(Command::Serve(flags)) => serve(flags).await,
        Some(Command::Status { remote, json }) => status::run(&remote, json).await,
        Some(Command::Actors(arguments)) => actors::run(arguments).await,
        Some(Command::Deploy(arguments)) => deployments::deploy(arguments).await,
        Some(Command::Plan(arguments)) => plan::run(arguments).await,
        Some(Command::Deployments(arguments)) => deployments::list(arguments).await,
        Some(Command::Redeploy(arguments)) => deployments::redeploy(arguments).await,
        Some(Command::Rollback(arguments)) => deployments::rollback(arguments).await,
        Some(Command::Start(arguments)) => deployments::act(arguments, "start").await,
        Some(Command::Stop(arguments)) => deployments::act(arguments, "stop").await,
        Some(Command::Restart(arguments)) => deployments::act(arguments, "restart").await,
        Some(Command::Cancel(arguments)) => deployments::act(arguments, "cancel").await,
        Some(Command::Logs(arguments)) => logs::run(arguments).await,
        Some(Command::Hooks(arguments)) => hooks::run(arguments).await,
        Some(Command::Scan(arguments)) => scan::run(arguments).await,
        Some(Command::Search(arguments)) => search::run(arguments).await,
        Some(Command::Events(arguments)) => events::run(arguments).await,
        Some(Command::Tasks(arguments)) => tasks::run(arguments).await,
        Some(Command::AgentZero(arguments)) => agent_zero::run(arguments).await,
        Some(Command::Webhooks(arguments)) => webhooks::run(arguments).await,
        Some(Command::Mcp(arguments)) => mcp::run(arguments).await,
        Some(Command::Token(arguments)) => token::run(arguments).await,
        Some(Command::User(arguments)) => user::run(arguments).await,
        Some(Command::Secrets(arguments)) => secrets::run(arguments).await,
        Some(Command::Doctor(flags)) => doctor::run(flags).await,
    }
}

async fn serve(flags: Flags) -> Result<(), Failure> {
    let config = Config::load(flags).map_err(|error| Failure::Usage(chain(&error)))?;
    logging::start(&config.log, config.log_format).map_err(|error| Failure::General(chain(&error)))?;
    for name in unknown_variables() {
        tracing::warn!(
            variable = name,
            "environment variable {name} is not a setting of BorgOS and has no effect"
        );
    }
    if !config.is_loopback_only() && !serve::has_credential(&config).await.map_err(failed)? {
        return Err(Failure::Usage(chain(&config::Error::OpenToOthers(config.listen))));
    }
    match serve::run(config).await {
        Ok(Ending::Stopped) => Ok(()),
        Ok(Ending::GaveUp) => Err(Failure::GaveUp),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: anyhow::Error) -> Failure {
    Failure::General(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_what_happens_without_a_subcommand() {
        assert!(
            Cli::try_parse_from(["borgos", "--listen", "127.0.0.1:1"])
                .unwrap()
                .command
                .is_none()
        );
        assert!(matches!(
            Cli::try_parse_from(["borgos", "serve", "--listen", "127.0.0.1:1"])
                .unwrap()
                .command,
            Some(Command::Serve(_))
        ));
    }

    #[test]
    fn a_client_takes_its_address_before_or_after_the_verb() {
        for line in [
            ["borgos", "actors", "--url", "http://a", "restart", "root"],
            ["borgos", "actors", "restart", "root", "--url", "http://a"],
        ] {
            assert!(Cli::try_parse_from(line).is_ok(), "{line:?}");
        }
    }
}
