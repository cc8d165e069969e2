//! Integration tests of BorgOS, linked into one binary: a second one would cost another 100 MB of linking.
//!
//! Start them with `tests/run`: it brings up the Docker engine and the PostgreSQL server that they use.

#[cfg(test)]
mod api;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod support;
