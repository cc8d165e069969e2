//! The settings of Agent Zero.

use std::path::PathBuf;

use borgos_actors::value::Port;
use clap::Args;

use super::{Error, File, YesNo, values::parse_port};

/// What can be said on the command line or in the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct AgentZeroFlags {
    /// Directory that Agent Zero is installed in, with its run_ui.py
    #[arg(long, env = "BORGOS_AGENT_ZERO_DIR", value_name = "DIR")]
    pub agent_zero_dir: Option<PathBuf>,

    /// Port of Agent Zero's page [default: 8085]
    #[arg(long, env = "BORGOS_AGENT_ZERO_PORT", value_name = "PORT", value_parser = parse_port)]
    pub agent_zero_port: Option<Port>,

    /// Python that runs Agent Zero, by its name or its path; 3.12 or newer [default: python3]
    #[arg(long, env = "BORGOS_AGENT_ZERO_PYTHON", value_name = "PROGRAM")]
    pub agent_zero_python: Option<PathBuf>,

    /// Start Agent Zero even as root, with every right on this machine: yes or no [default: no]
    #[arg(long, env = "BORGOS_AGENT_ZERO_AS_ROOT", value_name = "YES|NO")]
    pub agent_zero_as_root: Option<YesNo>,
}

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentZero {
    /// Where it is installed.
    pub directory: Option<PathBuf>,
    /// The port of its page.
    pub port: Port,
    /// The Python that runs it.
    pub python: PathBuf,
    /// Whether it may be started by the superuser.
    pub as_root: YesNo,
}

impl AgentZero {
    pub(super) fn merge(flags: AgentZeroFlags, file: &File) -> Result<Self, Error> {
        let unset = Self::default();
        let directory = flags.agent_zero_dir.or_else(|| file.agent_zero_dir.clone());
        let python = flags.agent_zero_python.or_else(|| file.agent_zero_python.clone());
        Ok(Self {
            directory: directory
                .map(std::path::absolute)
                .transpose()
                .map_err(|_| Error::NoCurrentDir)?,
            port: flags.agent_zero_port.or(file.agent_zero_port).unwrap_or(unset.port),
            python: python.unwrap_or(unset.python),
            as_root: flags
                .agent_zero_as_root
                .or(file.agent_zero_as_root)
                .unwrap_or(unset.as_root),
        })
    }
}

impl Default for AgentZero {
    fn default() -> Self {
        Self {
            directory: None,
            port: Port::try_from(8085).expect("8085 is a port"),
            python: "python3".into(),
            as_root: YesNo::No,
        }
    }
}
