//! BorgOS as a tool of programs that think: one table of tools, which language models, the built-in planner, MCP clients
//! and the documented endpoints below `/api/v1/mcp` share.
//!
//! A tool is a request of the REST API under another name. It is judged by the same route table and the caller's own
//! scope, read by the same filters and answered by the same functions, so a tool can do nothing that its caller could
//! not do with `curl`, whatever the text says that made somebody call it.

pub mod model;
pub mod planner;
pub mod query;
pub mod server;
pub mod toolbox;
pub mod tools;
