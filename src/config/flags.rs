//! The flags of `borgos serve`, each with its environment variable.

use std::{net::SocketAddr, path::PathBuf};

use borgos_actors::value::Network;
use clap::Args;

use super::{AgentZeroFlags, BaseUrl, HostName, LogFilter, LogFormat, RateLimit, RuntimeChoice, Secret, WebOrigin};

/// What can be said on the command line or in the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Address and port to listen on; any but a loopback address needs a credential [default: 127.0.0.1:8081]
    #[arg(long, env = "BORGOS_LISTEN", value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,

    /// Directory for the database and everything else that is kept [default: $XDG_DATA_HOME/borgos or ~/.local/share/borgos]
    #[arg(long, env = "BORGOS_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Configuration file [default: borgos.toml in the data directory, if it is there]
    #[arg(long, env = "BORGOS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Database, such as postgres://user:password@host/name [default: the file borgos.db in the data directory]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Secret>,

    /// How deployments run: auto (Docker where its engine answers, else processes), docker or process [default: auto]
    #[arg(long, env = "BORGOS_RUNTIME", value_name = "RUNTIME")]
    pub runtime: Option<RuntimeChoice>,

    /// Requests per minute and burst of each caller, or off [default: 60/100]
    #[arg(long, env = "BORGOS_RATE_LIMIT", value_name = "RATE/BURST")]
    pub rate_limit: Option<RateLimit>,

    /// Host name under which clients may reach this service, besides addresses; may be repeated
    #[arg(
        long = "allowed-host",
        env = "BORGOS_ALLOWED_HOSTS",
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub allowed_hosts: Vec<HostName>,

    /// Address or range of addresses inside this network to which webhooks may be sent; may be repeated [default: none]
    #[arg(
        long = "webhook-allow",
        env = "BORGOS_WEBHOOK_ALLOW",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub webhook_allow: Vec<Network>,

    /// Origin whose pages may use the API from a browser, such as `https://board.example`; may be repeated
    #[arg(
        long = "cors-origin",
        env = "BORGOS_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub cors_origins: Vec<WebOrigin>,

    /// Network of proxies whose `Forwarded` or `X-Forwarded-For` tells the client's address; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "BORGOS_TRUSTED_PROXIES",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<Network>,

    /// Certificate chain in PEM; with it and its key HTTPS is spoken, and both are read again when they change
    #[arg(long, env = "BORGOS_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Key of the certificate in PEM
    #[arg(long, env = "BORGOS_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Directory below which `scan-zenith` finds projects [default: none]
    #[arg(long, env = "BORGOS_ZENITH_DIR", value_name = "DIR")]
    pub zenith_dir: Option<PathBuf>,

    /// Where a language model is that speaks the OpenAI protocol; its key is read from BORGOS_LLM_API_KEY
    #[arg(long, env = "BORGOS_LLM_BASE_URL", value_name = "URL")]
    pub llm_base_url: Option<BaseUrl>,

    /// Name of that model [default: gpt-4o-mini]
    #[arg(long, env = "BORGOS_LLM_MODEL", value_name = "MODEL")]
    pub llm_model: Option<String>,

    /// What is said about Agent Zero.
    #[command(flatten)]
    pub agent_zero: AgentZeroFlags,

    /// Which log lines are written to standard error, such as info or borgos=debug,info [default: info]
    #[arg(long, env = "BORGOS_LOG", value_name = "FILTER")]
    pub log: Option<LogFilter>,

    /// How they are written: text or json [default: text]
    #[arg(long, env = "BORGOS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}
