//! One actor per deployment, which makes what runs agree with what is wanted.
//!
//! [`machine`] decides, `job` and `build` do what takes long, [`actor`] ties them to the row; `crash_loop` says when to try again and
//! `watch` whether a running instance is well.

pub mod actor;
mod build;
mod crash_loop;
mod failure;
mod job;
mod lane;
pub mod machine;
mod probes;
mod status;
mod traffic;
mod waiting;
mod watch;

pub use actor::{Args, DeploymentActor, Message};
pub use probes::Probe;
pub use status::{Desired, Status};
pub use waiting::Goal;
