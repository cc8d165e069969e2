//! The configuration file.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use borgos_actors::value::{Network, Port};
use serde::Deserialize;

use super::{
    BaseUrl, Build, Error, HostName, LogFilter, LogFormat, RateLimit, RuntimeChoice, Secret, WebOrigin, YesNo,
    agents::AgentTable, default_file,
};

/// What `borgos.toml` can say. The token is not among it: a credential belongs into the environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// See [`super::Config::listen`].
    pub listen: Option<SocketAddr>,
    /// See [`super::Config::data_dir`]; only in a file that `--config` names.
    pub data_dir: Option<PathBuf>,
    /// See [`super::Config::database_url`].
    pub database_url: Option<Secret>,
    /// See [`super::Config::runtime`].
    pub runtime: Option<RuntimeChoice>,
    /// See [`super::Config::rate_limit`].
    pub rate_limit: Option<RateLimit>,
    /// See [`super::AgentZero::directory`].
    pub agent_zero_dir: Option<PathBuf>,
    /// See [`super::AgentZero::port`].
    pub agent_zero_port: Option<Port>,
    /// See [`super::AgentZero::python`].
    pub agent_zero_python: Option<PathBuf>,
    /// See [`super::AgentZero::as_root`].
    pub agent_zero_as_root: Option<YesNo>,
    /// See [`super::Config::allowed_hosts`].
    pub allowed_hosts: Vec<HostName>,
    /// See [`super::Config::webhook_allow`].
    pub webhook_allow: Vec<Network>,
    /// See [`super::Config::cors_origins`].
    pub cors_origins: Vec<WebOrigin>,
    /// See [`super::Config::trusted_proxies`].
    pub trusted_proxies: Vec<Network>,
    /// See [`super::TlsFiles::cert`].
    pub tls_cert: Option<PathBuf>,
    /// See [`super::TlsFiles::key`].
    pub tls_key: Option<PathBuf>,
    /// See [`super::Config::zenith_dir`].
    pub zenith_dir: Option<PathBuf>,
    /// Where the language model is that tables of agents need not name again.
    pub llm_base_url: Option<BaseUrl>,
    /// Its name.
    pub llm_model: Option<String>,
    /// See [`super::Config::agents`]; each has a table of its own.
    pub agents: BTreeMap<String, AgentTable>,
    /// See [`super::Config::build`].
    pub build: Build,
    /// See [`super::Config::log`].
    pub log: Option<LogFilter>,
    /// See [`super::Config::log_format`].
    pub log_format: Option<LogFormat>,
}

impl File {
    /// Reads the file that the user named.
    ///
    /// # Errors
    /// Names the file, and the key or line that is wrong.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        toml::from_str(&text).map_err(|cause| Error::Malformed {
            path: path.to_owned(),
            reason: cause.to_string().trim_end().to_owned(),
        })
    }

    /// Reads the file of a data directory, if it has one.
    ///
    /// # Errors
    /// As [`File::read`]; also refuses one that names another data directory.
    pub fn find_in(data_dir: &Path) -> Result<Self, Error> {
        let path = default_file(data_dir);
        match Self::read(&path) {
            Ok(file) if file.data_dir.is_some() => Err(Error::Malformed {
                path,
                reason: "`data_dir` has no meaning in the data directory's own file".to_owned(),
            }),
            Err(Error::Unreadable { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            result => result,
        }
    }
}
