//! The database of one world.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use uuid::Uuid;

/// What requests write to. `events` is left out, since actors write there by themselves; each change of these tables
/// comes with its event.
const WRITTEN: [&str; 8] = [
    "projects",
    "deployments",
    "releases",
    "error_log",
    "tasks",
    "tokens",
    "users",
    "webhooks",
];

/// Which database a world uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The file that BorgOS makes in its data directory.
    Sqlite,
    /// A database of its own on the server that `tests/run` started.
    Postgres,
}

/// A database, by its address. One on PostgreSQL is dropped by [`TestDatabase::drop_it`].
#[derive(Debug)]
pub(crate) struct TestDatabase {
    url: String,
    /// Where it is on PostgreSQL.
    server: Option<OnServer>,
}

#[derive(Debug)]
struct OnServer {
    /// The address of a database that is always there.
    url: String,
    name: String,
}

impl TestDatabase {
    /// Makes the database, on this server if it is one on PostgreSQL, or says where BorgOS will make it.
    pub(crate) async fn create(backend: Backend, data_dir: &Path, server: Option<&str>) -> Result<Self, DbErr> {
        if backend == Backend::Sqlite {
            let url = format!("sqlite://{}?mode=rw", data_dir.join("borgos.db").display());
            return Ok(Self { url, server: None });
        }
        let name = format!("test_{}", Uuid::new_v4().simple());
        let server = server.map_or_else(server_url, str::to_owned);
        execute(&server, &format!("CREATE DATABASE {name}")).await?;
        let (address, _) = server
            .rsplit_once('/')
            .expect("the address of the server names a database");
        Ok(Self {
            url: format!("{address}/{name}"),
            server: Some(OnServer { url: server, name }),
        })
    }

    /// Returns its address when BorgOS has to be told.
    pub(crate) fn server_url(&self) -> Option<&str> {
        self.server.is_some().then_some(self.url.as_str())
    }

    /// Connects to it, for a look at the rows.
    pub(crate) async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        Database::connect(&self.url).await
    }

    /// Returns the id that labels everything this BorgOS starts.
    pub(crate) async fn instance(&self) -> Result<String, DbErr> {
        let connection = self.connect().await?;
        let question = "SELECT value FROM meta WHERE key = 'instance'";
        let row = connection
            .query_one_raw(Statement::from_string(connection.get_database_backend(), question))
            .await?;
        let instance = row
            .ok_or_else(|| DbErr::RecordNotFound("instance".to_owned()))?
            .try_get("", "value");
        connection.close().await?;
        instance
    }

    /// Counts the rows of everything that people write to.
    pub(crate) async fn num_rows(&self) -> Result<u64, DbErr> {
        let connection = self.connect().await?;
        let counts = WRITTEN.map(|table| format!("(SELECT COUNT(*) FROM {table})"));
        let question = format!("SELECT {} AS num_rows", counts.join(" + "));
        let row = connection
            .query_one_raw(Statement::from_string(connection.get_database_backend(), question))
            .await?;
        let num_rows: i64 = row
            .ok_or_else(|| DbErr::RecordNotFound("num_rows".to_owned()))?
            .try_get("", "num_rows")?;
        connection.close().await?;
        u64::try_from(num_rows).map_err(|error| DbErr::Type(error.to_string()))
    }

    /// Drops it if it is one on a server, even while someone is connected.
    pub(crate) async fn drop_it(&self) -> Result<(), DbErr> {
        match &self.server {
            Some(OnServer { url, name }) => execute(url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await,
            None => Ok(()),
        }
    }
}

/// Returns where the server listens, as `host:port`.
pub(crate) fn postgres_address() -> String {
    let url = server_url();
    let authority = url.split('/').nth(2).expect("the address of the server has a host");
    let (_, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    address.to_owned()
}

fn server_url() -> String {
    super::variable("BORGOS_TEST_POSTGRES_URL")
}

async fn execute(url: &str, statement: &str) -> Result<(), DbErr> {
    let connection = Database::connect(url).await?;
    connection.execute_unprepared(statement).await?;
    connection.close().await
}
