//! `borgos serve`: takes the data directory, starts everything, serves until told to stop, and ends in order.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use borgos_actors::{
    agent_zero::{self, AsRoot},
    event_bus::EventBus,
    runtime::Kind,
    store::{self, Condition, Store, tokens, users},
    system::{self, System},
    tasks::{AgentKind, llm},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    app::App,
    config::{Config, RuntimeChoice, Secret, YesNo},
    guard::{Guard, auth::Authorizer, client::Proxies, cors::Cors, host::Hosts, limits::Limits, tickets::Tickets},
    listener::{self, Entrance, Stop, Tls},
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
    let tls = config.tls.clone().map(Tls::load).transpose();
    let tls = tls.context("cannot speak HTTPS")?;
    let system = tokio::select! {
        started = System::start(settings(&config)?) => started?,
        _ = terminate.recv() => return Ok(Ending::Stopped),
        _ = interrupt.recv() => return Ok(Ending::Stopped),
    };
    let system = with_bootstrap(system, &config);
    let sessions = Sessions::new(EventBus::new(system.events.clone(), system.store.clone()));
    let tickets = Arc::new(Tickets::default());
    let app = App::new(system.clone(), sessions.clone(), model(&config)?, tickets.clone());
    let app = Arc::new(app);
    let service = Service::new(
        guard(&config, &system, tickets),
        app.auditor.clone(),
        routes::routes(&app),
    );
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(%address, "BorgOS {} is listening on {scheme}://{address}", env!("CARGO_PKG_VERSION"));
    if tls.is_none() && !config.is_loopback_only() {
        tracing::warn!("credentials travel in clear text unless a proxy in front speaks HTTPS; see `--tls-cert`");
    }
    let entrance = Entrance {
        listener,
        tls,
        proxies: Proxies::new(config.trusted_proxies.clone()),
    };

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
    let ((), ending) = tokio::join!(listener::serve(entrance, service, stop), ending);
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
        images: config.build.images.clone(),
        git_protocols: config.build.git_protocols.clone(),
        agent_zero: agent_zero::Settings {
            directory: config.agent_zero.directory.clone(),
            port: config.agent_zero.port,
            python: config.agent_zero.python.clone(),
            as_root: match config.agent_zero.as_root {
                YesNo::Yes => AsRoot::Allow,
                YesNo::No => AsRoot::Refuse,
            },
        },
        webhook_allow: config.webhook_allow.clone(),
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

/// The bootstrap token is a setting and not a row, so the actors' side has to be told.
fn with_bootstrap(mut system: System, config: &Config) -> System {
    let token = config.token.as_ref().map(Secret::expose);
    system.credentials = system.credentials.with_bootstrap(token);
    system
}

fn guard(config: &Config, system: &System, tickets: Arc<Tickets>) -> Guard {
    let cors = Cors::new(config.cors_origins.clone());
    let hosts = Hosts::new(config.is_loopback_only(), config.allowed_hosts.clone(), cors);
    let authorizer = Authorizer::new(system.credentials.clone(), tickets, config.is_loopback_only());
    Guard::new(
        hosts,
        authorizer,
        Limits::new(config.rate_limit.limiter()),
        Proxies::new(config.trusted_proxies.clone()),
    )
}

/// Says whether somebody could show a credential if others could reach the service. Makes no database.
///
/// # Errors
/// Says why the database cannot be looked at.
pub async fn has_credential(config: &Config) -> anyhow::Result<bool> {
    if config.token.is_some() {
        return Ok(true);
    }
    let settings = database(config)?;
    if store::inspect(&settings).await? == Condition::Missing {
        return Ok(false);
    }
    let store = Store::open(&settings).await?;
    let has_any = !tokens::valid(&store).await?.is_empty() || !users::logins(&store).await?.is_empty();
    store.close().await?;
    Ok(has_any)
}
