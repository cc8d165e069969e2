//! What the tests stand on.

pub(crate) mod docker;
mod eventually;
mod port;

pub(crate) use eventually::{eventually, eventually_within};
pub(crate) use port::free_port;

/// Returns what `tests/run` says about its services.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: start the tests with tests/run"))
}
