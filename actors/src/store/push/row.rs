//! The tables `push_hooks`, `push_deliveries` and `push_wishes`.

pub(super) mod delivery;
pub(super) mod hook;
pub(super) mod wish;
