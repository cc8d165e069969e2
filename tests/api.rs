//! The API as its users see it: a real server, asked over HTTP and WebSocket.

mod access;
mod actors;
mod agent_zero;
mod bad_input;
mod clients;
mod command_line;
mod deployments;
mod documented;
mod errors;
mod everywhere;
mod hooks;
mod lifecycle;
mod live;
mod mcp;
mod projects;
mod routes;
mod scans;
mod search;
mod startup;
mod system;
mod tasks;
