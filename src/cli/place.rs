//! Where tokens and users are kept: with a running service, or in its database.

use std::path::PathBuf;

use borgos_actors::{
    Error,
    error::chain,
    store::{
        Store,
        audit::{self, NewEntry, Outcome},
    },
};
use clap::Args;

use super::{
    Failure,
    client::{Client, Remote},
};
use crate::{
    config::{Config, Flags, Secret},
    serve,
};

/// What every help says about it.
pub(super) const HELP: &str = "\
A service that answers at --url is asked, with BORGOS_TOKEN if it is set. Where none answers and the address is this \
machine's, or with --local, the database is opened itself: the one that `borgos serve` would use with the same --data-dir, \
--config and --database-url. That needs no credential, only the right to write there, and so lets in who has lost theirs. \
A running service obeys such a change within seconds.";

/// Where tokens and users are kept.
#[derive(Debug, Clone, Args)]
pub(super) struct Place {
    #[command(flatten)]
    remote: Remote,
    /// Open the database itself, even while a service answers
    #[arg(long, global = true)]
    local: bool,
    /// Data directory of the service
    #[arg(long, env = "BORGOS_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Configuration file of the service
    #[arg(long, env = "BORGOS_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Database of the service
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        global = true
    )]
    database_url: Option<Secret>,
}

/// A place that was found.
pub(super) enum Keeper {
    /// A running service.
    Service(Client),
    /// The database.
    Database(Store),
}

impl Place {
    /// Finds out where to turn.
    pub(super) async fn keeper(&self) -> Result<Keeper, Failure> {
        if !self.local {
            let client = Client::new(&self.remote)?;
            if client.is_there().await {
                return Ok(Keeper::Service(client));
            }
            if !client.is_local() {
                return Err(client.absent());
            }
        }
        let store = self.open().await?;
        Ok(Keeper::Database(store))
    }

    async fn open(&self) -> Result<Store, Failure> {
        let flags = Flags {
            data_dir: self.data_dir.clone(),
            config: self.config.clone(),
            database_url: self.database_url.clone(),
            ..Flags::default()
        };
        let config = Config::load(flags).map_err(|error| Failure::Usage(chain(&error)))?;
        let made = crate::lock::make(&config.data_dir);
        made.map_err(|error| Failure::General(chain(&error)))?;
        let settings = serve::database(&config).map_err(|error| Failure::General(chain(&error)))?;
        Store::open(&settings)
            .await
            .map_err(|error| Failure::General(chain(&error)))
    }
}

/// Carries out a change on the database, and writes it down in the audit log as the service would.
pub(super) async fn audited<T>(
    store: &Store,
    action: &str,
    target: String,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let entry = NewEntry {
        actor: format!("command-line:uid-{}", rustix::process::getuid().as_raw()),
        action: action.to_owned(),
        target,
        tool: None,
        source_address: None,
        request_id: None,
        outcome: Outcome::unknown(),
    };
    let begun = audit::record(store, &entry).await.map_err(refused)?;
    let result = work.await;
    let outcome = Outcome {
        result: result
            .as_ref()
            .map_or_else(|error| error.code(), |_| audit::OK)
            .to_owned(),
        status: None,
    };
    audit::end(store, begun.id, &outcome).await.map_err(refused)?;
    result.map_err(refused)
}

/// Says why the database refused.
pub(super) fn refused(error: Error) -> Failure {
    match error {
        Error::NotFound { .. } => Failure::NotFound(error.to_string()),
        other => Failure::General(chain(&other)),
    }
}
