//! `borgos serve`: takes the data directory, starts everything, serves until told to stop, and ends in order.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use borgos_actors::{
    agent_zero::{self, AsRoot},
    event_bus::EventBus,
    runtime::Kind,
    store,
    system::{self, System},
    tasks::{AgentKind, llm},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    app::App,
    config::{Config, RuntimeChoice, YesNo},
    guard::{Guard, auth::Authorizer, host::Hosts},
    listener::{self, Stop},
    lock,
    mcp::model::Model,
    routes,
    service::Service,
    ws::Sessions,
};

/// The agent whose model also answers queries in plain words.
const QUERY_AGENT: &str = "llm";
/// How long WebSockets may take to close, beside the listener's own deadline.
const CLOSE_DEADLINE: Duration = Duration::from_secs(3);
/// How long the actors may take to end. With the listener's four seconds, one for a kill and one for the database this
/// stays below ten.
const ACTORS_DEADLINE: Duration = Duration::from_secs(3);

/// How the service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was told to.
    Stopped,
    /// The actors gave up: a fresh process is needed.
    GaveUp,
}

/// Runs the service until SIGTERM or Ctrl-C, or until the tree gives up.
///
/// # Errors
/// Says what could not be started.
pub async fn run(config: Config) -> anyhow::Result<Ending> {
    // Signals count from here on: one that comes during the start ends it in order, too.
    let (stop_sender, stop) = Stop::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _lock = lock::take(&config.data_dir)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let system = tokio::select! {
        started = System::start(settings(&config)?) => started?,
        _ = terminate.recv() => return Ok(Ending::Stopped),
        _ = interrupt.recv() => return Ok(Ending::Stopped),
    };
    let sessions = Sessions::new(EventBus::new(system.events.clone(), system.store.clone()));
    let app = Arc::new(App::new(system.clone(), sessions.clone(), model(&config)?));
    let service = Service::new(guard(&config), routes::routes(&app));
    let address = listener.local_addr()?;
    tracing::info!(%address, "BorgOS {} is listening on http://{address}", env!("CARGO_PKG_VERSION"));

    let ending = async {
        let ending = tokio::select! {
            _ = terminate.recv() => Ending::Stopped,
            _ = interrupt.recv() => Ending::Stopped,
            () = system.tree.ended() => Ending::GaveUp,
        };
        tracing::info!(?ending, "stopping");
        stop_sender.send_replace(true);
        sessions.close(CLOSE_DEADLINE).await;
        ending
    };
    let ((), ending) = tokio::join!(listener::serve(listener, service, stop), ending);
    system.stop(ACTORS_DEADLINE).await;
    Ok(ending)
}

fn settings(config: &Config) -> anyhow::Result<system::Settings> {
    Ok(system::Settings {
        database: database(config)?,
        data_dir: config.data_dir.clone(),
        runtime: match config.runtime {
            RuntimeChoice::Auto => system::RuntimeChoice::Auto,
            RuntimeChoice::Docker => system::RuntimeChoice::Fixed(Kind::Docker),
            RuntimeChoice::Process => system::RuntimeChoice::Fixed(Kind::Process),
        },
        zenith_dir: config.zenith_dir.clone(),
        agents: config.agents.clone(),
        agent_zero: agent_zero::Settings {
            directory: config.agent_zero.directory.clone(),
            port: config.agent_zero.port,
            python: config.agent_zero.python.clone(),
            as_root: match config.agent_zero.as_root {
                YesNo::Yes => AsRoot::Allow,
                YesNo::No => AsRoot::Refuse,
            },
        },
        program: std::env::current_exe().context("cannot find this program's own file")?,
    })
}

/// Returns the settings of the database, with the key of its environments: the one that was named, or the file in the data directory.
///
/// # Errors
/// Fails when the data directory's path cannot be part of a url.
pub fn database(config: &Config) -> Result<store::Settings, store::OpenError> {
    let settings = store::Settings::sqlite(config.data_dir.clone());
    let mut settings = match &config.database_url {
        Some(url) => store::Settings {
            url: url.expose().to_owned(),
            data_dir: config.data_dir.clone(),
            secret_key: None,
        },
        None => settings?,
    };
    settings.secret_key.clone_from(&config.secret_key);
    Ok(settings)
}

/// Prepares the model that answers queries: the one of the agent that the flags make.
fn model(config: &Config) -> anyhow::Result<Option<Model>> {
    let mut agents = config.agents.iter();
    let settings = agents.find_map(|agent| match &agent.kind {
        AgentKind::Llm(settings) if agent.name == QUERY_AGENT => Some(settings.clone()),
        AgentKind::Llm(_) | AgentKind::Command(_) | AgentKind::AgentZero => None,
    });
    let client = settings.map(llm::Client::new).transpose();
    Ok(client.context("cannot prepare the language model")?.map(Model::new))
}

fn guard(config: &Config) -> Guard {
    let hosts = Hosts::new(config.is_loopback_only(), config.allowed_hosts.clone());
    Guard::new(
        hosts,
        Authorizer::new(config.token.as_ref()),
        config.rate_limit.limiter(),
    )
}
