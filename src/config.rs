//! The configuration of `borgos serve`: flags above environment variables above `borgos.toml` above defaults.

mod agent_zero;
mod agents;
mod build;
mod file;
mod flags;
mod values;

use std::{
    env,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use borgos_actors::{
    seal::{Key, NoKey},
    tasks::AgentSettings,
    value::Network,
};
use clap::Args as _;

use self::agents::{Defaults, LLM_KEY_VARIABLE};
pub use self::{
    agent_zero::{AgentZero, AgentZeroFlags},
    build::Build,
    file::File,
    flags::Flags,
    values::{BaseUrl, HostName, LogFilter, LogFormat, RateLimit, RuntimeChoice, Secret, WebOrigin, YesNo},
};

const TOKEN_VARIABLE: &str = "BORGOS_TOKEN";
const KEY_VARIABLE: &str = "BORGOS_SECRET_KEY";
/// Of `borgos secrets rotate`.
const NEXT_KEY_VARIABLE: &str = "BORGOS_NEW_SECRET_KEY";
/// Of the clients; known here so that it is not taken for a misspelt setting.
const URL_VARIABLE: &str = "BORGOS_URL";
/// A shorter token could be guessed.
const MIN_TOKEN_CHARS: usize = 16;
const MAX_TOKEN_CHARS: usize = 512;
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// A database other than the SQLite file in the data directory.
    pub database_url: Option<Secret>,
    /// How deployments run.
    pub runtime: RuntimeChoice,
    /// The bootstrap token with every right.
    pub token: Option<Secret>,
    /// The key that environments are sealed with, instead of the one in the data directory.
    pub secret_key: Option<Key>,
    /// How many requests a caller may send.
    pub rate_limit: RateLimit,
    /// Where Agent Zero is, and how it is started.
    pub agent_zero: AgentZero,
    /// Names of this service besides addresses.
    pub allowed_hosts: Vec<HostName>,
    /// Inner networks to which webhooks may be sent.
    pub webhook_allow: Vec<Network>,
    /// Origins whose pages may use the API.
    pub cors_origins: Vec<WebOrigin>,
    /// Proxies whose word counts about the client's address.
    pub trusted_proxies: Vec<Network>,
    /// Certificate and key, if HTTPS is spoken.
    pub tls: Option<TlsFiles>,
    /// Where the projects of Zenith are.
    pub zenith_dir: Option<PathBuf>,
    /// Who carries out tasks.
    pub agents: Vec<AgentSettings>,
    /// What releases are built from.
    pub build: Build,
    /// Which log lines are written.
    pub log: LogFilter,
    /// How log lines are written.
    pub log_format: LogFormat,
}

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, in PEM.
    pub cert: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("configuration file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The file has an unknown key, a wrong value, or is no TOML.
    #[error("configuration file {}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
    /// An agent is not described well.
    #[error("`{key}` {reason}")]
    Agent {
        /// The table, or the key in it.
        key: String,
        /// What is allowed.
        reason: String,
    },
    /// A relative path means nothing without a current directory.
    #[error("`--agent-zero-dir` must be an absolute path, as there is no current directory")]
    NoCurrentDir,
    /// A certificate is of no use without its key.
    #[error("`tls_cert` and `tls_key` must be given together")]
    HalfTls,
    /// There is no place to keep anything.
    #[error("`--data-dir` must be given, as neither XDG_DATA_HOME nor HOME names an absolute directory")]
    NoDataDir,
    /// The token could be guessed or cannot be sent in a header.
    #[error(
        "BORGOS_TOKEN must have {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} printable ASCII characters without spaces; make one with `openssl rand -hex 32`"
    )]
    UnfitToken,
    /// The key is none.
    #[error("{variable} {reason}")]
    UnfitKey {
        /// Where it was given.
        variable: &'static str,
        /// What is wrong with it.
        reason: NoKey,
    },
    /// Others could use the service without a credential.
    #[error(
        "`--listen {0}` can be reached from other machines, so there must be a credential; add a user with `borgos user add NAME --admin`, or make a token with `export BORGOS_TOKEN=$(openssl rand -hex 32)` and have clients send it as `Authorization: Bearer`"
    )]
    OpenToOthers(SocketAddr),
}

impl Config {
    /// Brings flags, environment and file together.
    ///
    /// # Errors
    /// Says which setting is not accepted and why.
    pub fn load(flags: Flags) -> Result<Self, Error> {
        Self::load_with(flags, &|name| env::var_os(name))
    }

    fn load_with(flags: Flags, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let (data_dir, file) = match &flags.config {
            Some(path) => {
                let file = File::read(path)?;
                (
                    data_dir(flags.data_dir.as_ref().or(file.data_dir.as_ref()), variable)?,
                    file,
                )
            }
            None => {
                let data_dir = data_dir(flags.data_dir.as_ref(), variable)?;
                let file = File::find_in(&data_dir)?;
                (data_dir, file)
            }
        };
        let token = variable(TOKEN_VARIABLE).map(token).transpose()?;
        let secrets = Secrets {
            token,
            key: key(KEY_VARIABLE, variable)?,
        };
        Self::merge(flags, file, data_dir, secrets, variable)
    }

    fn merge(
        flags: Flags,
        file: File,
        data_dir: PathBuf,
        secrets: Secrets,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        let agent_zero = AgentZero::merge(flags.agent_zero, &file)?;
        let tls = match (flags.tls_cert.or(file.tls_cert), flags.tls_key.or(file.tls_key)) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            _ => return Err(Error::HalfTls),
        };
        let defaults = Defaults {
            base_url: flags.llm_base_url.or(file.llm_base_url),
            model: flags.llm_model.or(file.llm_model),
            has_agent_zero: agent_zero.directory.is_some(),
        };
        Ok(Self {
            agents: agents::resolve(file.agents, &defaults, variable)?,
            build: file.build,
            listen: flags.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN),
            data_dir,
            database_url: flags.database_url.or(file.database_url),
            runtime: flags.runtime.or(file.runtime).unwrap_or_default(),
            token: secrets.token,
            secret_key: secrets.key,
            rate_limit: flags.rate_limit.or(file.rate_limit).unwrap_or_default(),
            agent_zero,
            allowed_hosts: either(flags.allowed_hosts, file.allowed_hosts),
            webhook_allow: either(flags.webhook_allow, file.webhook_allow),
            cors_origins: either(flags.cors_origins, file.cors_origins),
            trusted_proxies: either(flags.trusted_proxies, file.trusted_proxies),
            tls,
            zenith_dir: flags.zenith_dir.or(file.zenith_dir),
            log: flags.log.or(file.log).unwrap_or_default(),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
        })
    }

    /// Says whether only this machine reaches the listener.
    pub fn is_loopback_only(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

/// Returns the first list, or the second if that says nothing.
fn either<T>(above: Vec<T>, below: Vec<T>) -> Vec<T> {
    if above.is_empty() { below } else { above }
}

/// Reads the key that is to take the place of the one in use, where it is given.
///
/// # Errors
/// Fails when it is none.
pub fn next_key() -> Result<Option<Key>, Error> {
    key(NEXT_KEY_VARIABLE, &|name| env::var_os(name))
}

/// Returns the variables that look like settings of ours and are none: misspelt, or of another version.
pub fn unknown_variables() -> Vec<String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    unknown_among(names)
}

fn unknown_among(names: impl Iterator<Item = String>) -> Vec<String> {
    let command = Flags::augment_args(clap::Command::new("borgos"));
    let is_known = |name: &str| {
        let mut settings = command.get_arguments().filter_map(clap::Arg::get_env);
        let known = [
            TOKEN_VARIABLE,
            KEY_VARIABLE,
            NEXT_KEY_VARIABLE,
            URL_VARIABLE,
            LLM_KEY_VARIABLE,
        ];
        known.contains(&name) || settings.any(|known| known == name)
    };
    names
        .filter(|name| name.starts_with("BORGOS_") && !is_known(name))
        .collect()
}

/// What is read from the environment only.
struct Secrets {
    token: Option<Secret>,
    key: Option<Key>,
}

/// Reads a key from its variable.
fn key(name: &'static str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Key>, Error> {
    let parse = |text: OsString| Key::parse(&text.to_string_lossy());
    let key = variable(name).map(parse).transpose();
    key.map_err(|reason| Error::UnfitKey { variable: name, reason })
}

/// Returns the data directory as an absolute path.
fn data_dir(given: Option<&PathBuf>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    if let Some(given) = given {
        return std::path::absolute(given).map_err(|_| Error::NoDataDir);
    }
    let home = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("borgos"))
        .ok_or(Error::NoDataDir)
}

fn token(text: OsString) -> Result<Secret, Error> {
    match text.into_string() {
        Ok(text) if is_fit_token(&text) => Ok(Secret::from(text)),
        _ => Err(Error::UnfitToken),
    }
}

fn is_fit_token(text: &str) -> bool {
    (MIN_TOKEN_CHARS..=MAX_TOKEN_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the path of the configuration file that a data directory may have.
fn default_file(data_dir: &Path) -> PathBuf {
    data_dir.join("borgos.toml")
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, Parser};

    use super::*;

    fn load(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Config, Error> {
        let command = Flags::augment_args(clap::Command::new("borgos"));
        let matches = command.try_get_matches_from([&["borgos"], arguments].concat()).unwrap();
        let flags = Flags::from_arg_matches(&matches).unwrap();
        load_flags(flags, variables)
    }

    fn load_flags(flags: Flags, variables: &[(&str, &str)]) -> Result<Config, Error> {
        Config::load_with(flags, &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn nothing_said_means_the_documented_defaults() {
        let config = load(&[], &[("HOME", "/nonexistent/home")]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8081");
        assert_eq!(config.data_dir, Path::new("/nonexistent/home/.local/share/borgos"));
        assert_eq!((config.database_url, config.token), (None, None));
        assert_eq!(
            (config.runtime, config.rate_limit),
            (RuntimeChoice::Auto, RateLimit::default())
        );
        let agent_zero = config.agent_zero;
        assert_eq!((agent_zero.directory, agent_zero.port.get()), (None, 8085));
        assert_eq!(
            (agent_zero.python.to_str(), agent_zero.as_root),
            (Some("python3"), YesNo::No)
        );
        let config = load(&[], &[("HOME", "/h"), ("XDG_DATA_HOME", "/nonexistent/xdg")]).unwrap();
        assert_eq!(config.data_dir, Path::new("/nonexistent/xdg/borgos"));
        assert!(matches!(load(&[], &[]), Err(Error::NoDataDir)));
    }

    #[test]
    fn flags_win_over_the_file_which_wins_over_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let text = "listen = \"127.0.0.1:1\"\nrate_limit = \"1/2\"\nallowed_hosts = [\"a.example\"]\n";
        std::fs::write(default_file(directory.path()), text).unwrap();
        let data_dir = directory.path().to_str().unwrap();
        let config = load(&["--data-dir", data_dir, "--rate-limit", "off"], &[]).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.rate_limit, RateLimit::Off);
        assert_eq!(config.allowed_hosts, ["a.example".parse().unwrap()]);
    }

    #[test]
    fn an_unknown_key_or_a_wrong_value_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().to_str().unwrap();
        for (text, name) in [
            ("listne = \"127.0.0.1:1\"", "listne"),
            ("token = \"x\"", "token"),
            ("runtime = \"swarm\"", "swarm"),
            ("listen = 1", "listen"),
            ("data_dir = \"/elsewhere\"", "data_dir"),
            ("listen", "line 1"),
            ("[agents.x]\nkind = \"command\"\nargv = []", "argv"),
            ("[agents.x]\nkind = \"shell\"", "shell"),
            ("[agents.x]\nkind = \"command\"", "agents.x.command"),
            ("[build]\nimage = \"x\"", "image"),
            ("[build.images]\nruby = \"ruby:3\"", "ruby"),
            ("[build.images]\nnode = \"Node Slim\"", "image reference"),
            ("[build]\ngit_protocols = [\"ext\"]", "ext"),
        ] {
            std::fs::write(default_file(directory.path()), text).unwrap();
            let error = load(&["--data-dir", data_dir], &[]).unwrap_err();
            assert!(error.to_string().contains(name), "{text}: {error}");
        }
    }

    #[test]
    fn a_named_file_must_be_there_and_may_name_the_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("other.toml");
        let path_text = path.to_str().unwrap();
        assert!(matches!(
            load(&["--config", path_text], &[]),
            Err(Error::Unreadable { .. })
        ));
        std::fs::write(&path, "data_dir = \"/nonexistent/data\"").unwrap();
        let config = load(&["--config", path_text], &[]).unwrap();
        assert_eq!(config.data_dir, Path::new("/nonexistent/data"));
    }

    #[test]
    fn a_token_cannot_be_guessed() {
        let home = ("HOME", "/nonexistent");
        let arguments = ["--listen", "0.0.0.0:8081"];
        for bad in ["", "short", "with a space in it", "ümlaut-ümlaut-ümlaut"] {
            let result = load(&arguments, &[home, ("BORGOS_TOKEN", bad)]);
            assert!(matches!(result, Err(Error::UnfitToken)), "{bad}");
        }
        let config = load(&arguments, &[home, ("BORGOS_TOKEN", "canary-canary-canary")]).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn a_misspelt_variable_is_noticed() {
        let names = ["BORGOS_LISTEN", "BORGOS_LISTNE", "BORGOS_TOKEN", "BORGOS_URL", "PATH"].map(str::to_owned);
        assert_eq!(unknown_among(names.into_iter()), ["BORGOS_LISTNE"]);
    }

    #[test]
    fn a_wrong_flag_is_refused_with_its_name() {
        #[derive(Parser)]
        struct Program {
            #[command(flatten)]
            _flags: Flags,
        }
        for arguments in [
            ["--runtime", "swarm"],
            ["--listen", "localhost"],
            ["--rate-limit", "0/0"],
            ["--allowed-host", "*"],
            ["--cors-origin", "*"],
            ["--trusted-proxy", "10.0.0.0/33"],
            ["--tls-cert", "cert.pem"],
            ["--log", "x=loud"],
            ["--agent-zero-port", "0"],
            ["--agent-zero-as-root", "perhaps"],
            ["--token", "x"],
        ] {
            let error = Program::try_parse_from([&["borgos"], &arguments[..]].concat())
                .err()
                .unwrap();
            assert!(error.to_string().contains(arguments[0]), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
