//! Agent Zero: an agent of its own, a Python program with a web page, that BorgOS starts, watches and gives work to.
//!
//! It is run as it is, from the directory where it was installed. Its versions differ: `probe` finds out which one
//! answers, and nothing else here asks for a version.
//!
//! ```text
//! AgentZero ── Message ──> actor ──┬── Life     one process at most: start, watch, stop, start again
//!     │                            └── Output   reads what it prints: lines, secrets, errors
//!     └────── run_prompt ── HTTP ──> Agent Zero
//! ```
//!
//! To the task queue it is an agent like any other: `agent` has it carry out tasks.

mod actor;
mod adopt;
mod agent;
mod capabilities;
mod check;
mod class;
mod client;
mod control;
mod crashes;
mod env_file;
mod exit;
mod http;
mod installation;
mod intent;
mod life;
mod liveness;
mod output;
mod probe;
mod process;
mod prompt;
mod publish;
mod status;

use std::path::PathBuf;

pub use self::{
    actor::{AgentZeroActor, Args, Message, PATH},
    agent::{CONCURRENCY, NAME},
    capabilities::Capability,
    class::Class,
    client::{Arrival, Failure, Limits, Outcome, Step},
    control::{AgentZero, Progress},
    prompt::Execute,
    status::{State, Status},
};
pub(crate) use self::{agent::AgentZeroAgent, check::HOW_TO_CONFIGURE};
use crate::value::Port;

/// What the operator says about Agent Zero.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is installed: the directory that has `run_ui.py`. Without one it cannot be started.
    pub directory: Option<PathBuf>,
    /// The port of its page and its API, on the loopback.
    pub port: Port,
    /// The interpreter: a name that is looked for in `PATH`, or a path, which may be below the directory.
    pub python: PathBuf,
    /// Whether it may be started by the superuser.
    pub as_root: AsRoot,
}

/// What to do when BorgOS runs as the superuser. Agent Zero runs whatever commands its model thinks of, and would do so
/// with every right on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AsRoot {
    /// Do not start it.
    #[default]
    Refuse,
    /// Start it all the same: the machine is its own, such as a container.
    Allow,
}
