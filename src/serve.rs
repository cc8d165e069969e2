//! `borgos serve`: takes the data directory, starts everything, serves until told to stop, and ends in order.

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    app::{App, Health},
    config::Config,
    guard::{Guard, auth::Authorizer, host::Hosts},
    listener::{self, Stop},
    lock,
    service::Service,
};

/// Runs the service until SIGTERM or Ctrl-C.
///
/// # Errors
/// Says what could not be started.
pub async fn run(config: Config) -> anyhow::Result<()> {
    // Signals count from here on: one that comes during the start ends it in order, too.
    let (stop_sender, stop) = Stop::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _lock = lock::take(&config.data_dir)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;

    // LEAD: the store and the tree are started here; they provide health and samples.
    let (_metrics_sender, metrics) = watch::channel(None);
    let app = App::new(|| Health::Well, metrics);

    let hosts = Hosts::new(config.is_loopback_only(), config.allowed_hosts.clone());
    let guard = Guard::new(
        hosts,
        Authorizer::new(config.token.as_ref()),
        config.rate_limit.limiter(),
    );
    let service = Service::new(guard, &app);
    let address = listener.local_addr()?;
    tracing::info!(%address, "BorgOS {} is listening on http://{address}", env!("CARGO_PKG_VERSION"));

    let signalled = async {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("stopping after SIGTERM"),
            _ = interrupt.recv() => tracing::info!("stopping after Ctrl-C"),
        }
        stop_sender.send_replace(true);
    };
    tokio::join!(listener::serve(listener, service, stop), signalled);
    Ok(())
}
