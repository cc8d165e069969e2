//! What the tests stand on: a [`World`] with a real server in it, and the services that `tests/run` started.

pub(crate) mod docker;
mod eventually;

pub(crate) use eventually::{eventually, eventually_within};

/// Returns what `tests/run` says about its services.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: start the tests with tests/run"))
}
