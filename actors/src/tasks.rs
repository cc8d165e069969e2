//! Tasks of agents: accepted work gets done.
//!
//! A task that was accepted is a row, and stays one until it has ended. Whoever works on it holds a lease; every write of
//! a worker carries the task, the attempt and the owner, so that one who lost the lease cannot write any more. A task is
//! done at least once: what an agent does outside can be repeated after a crash, never by two owners at one time.

mod agent;

pub use agent::{Agent, Attempt, Control, Failure, Health, Output, Project, Stop};
