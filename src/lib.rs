//! The front of BorgOS: its listener, its REST API and its command line.
//!
//! Everything here speaks to people and programs; everything that decides lives in `borgos-actors`. A request passes
//! [`listener`], [`service`] and [`guard`], is found in the one table of [`routes`], and is answered by a function below
//! it with a [`reply`] or a [`problem`]. There is no SQL and no Docker in this package.

pub mod app;
pub mod body;
pub mod cli;
pub mod config;
pub mod dashboard;
mod embedded;
pub mod events;
pub mod guard;
pub mod listener;
pub mod lock;
pub mod logging;
pub mod mcp;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod reply;
pub mod routes;
pub mod serve;
pub mod service;
pub mod ws;
