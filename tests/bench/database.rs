//! Databases on the server that the environment names.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, Database as Connector};
use uuid::Uuid;

/// Names the server.
pub(super) const VARIABLE: &str = "BORGOS_BENCH_POSTGRES_URL";

/// A PostgreSQL server.
pub(super) struct Server {
    url: String,
}

/// A database of its own.
pub(super) struct Database<'a> {
    server: &'a Server,
    name: String,
    url: String,
}

impl Server {
    pub(super) fn from_environment() -> Option<Self> {
        std::env::var(VARIABLE).ok().map(|url| Self { url })
    }

    pub(super) async fn create(&self) -> Result<Database<'_>> {
        let name = format!("bench_{}", Uuid::new_v4().simple());
        self.execute(&format!("CREATE DATABASE {name}")).await?;
        let (address, _) = self.url.rsplit_once('/').context("the url names no database")?;
        let url = format!("{address}/{name}");
        Ok(Database {
            server: self,
            name,
            url,
        })
    }

    async fn execute(&self, statement: &str) -> Result<()> {
        let connection = Connector::connect(&self.url).await?;
        connection.execute_unprepared(statement).await?;
        Ok(connection.close().await?)
    }
}

impl Database<'_> {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn drop_it(&self) -> Result<()> {
        self.server
            .execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
    }
}
