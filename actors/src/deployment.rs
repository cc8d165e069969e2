//! Deployments: projects that are to run on a port.

pub mod status;
