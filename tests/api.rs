//! The API as its users see it: a real server, asked over HTTP and WebSocket.

mod clients;
mod lifecycle;
