//! What the tests stand on: a [`World`] with a real server in it, and the services that `tests/run` started.

mod agent_zero;
mod browser;
mod database;
pub(crate) mod docker;
mod eventually;
mod http;
mod leftovers;
mod memory;
mod model;
mod port;
mod postgres;
mod project;
mod python;
mod repository;
mod scan;
mod server;
mod socket;
mod target;
mod world;

pub(crate) use agent_zero::StandIn;
pub(crate) use browser::{Browser, Screen};
pub(crate) use database::{Backend, postgres_address};
pub(crate) use eventually::{eventually, eventually_within};
pub(crate) use http::{Answer, Http, install_tls_provider};
pub(crate) use leftovers::{kill_processes, processes};
pub(crate) use memory::{MemoryLimit, peak_memory};
pub(crate) use model::ModelService;
pub(crate) use port::free_port;
pub(crate) use postgres::Postgres;
pub(crate) use project::Project;
pub(crate) use python::python_program;
pub(crate) use repository::{commit, git, versioned};
pub(crate) use scan::{scan, scanned_since};
pub(crate) use server::program;
pub(crate) use socket::Socket;
pub(crate) use target::{Received, Reply, Target};
pub(crate) use world::{Runtime, Setup, World};

/// Returns what `tests/run` says about its services.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: start the tests with tests/run"))
}
