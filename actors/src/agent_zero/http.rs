//! One HTTP exchange with Agent Zero, on a connection of its own: it is on this machine, and nothing is worth a pool.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Request, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::value::Port;

/// No answer of interest is larger: a log of a thousand items of 15,000 characters.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// What it said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

/// Returns where its page and API are, as its own pages send it along.
pub(super) fn origin(port: Port) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// Fails when that takes longer than the deadline, with `TimedOut`.
pub(super) async fn exchange(port: Port, mut request: Request<Full<Bytes>>, deadline: Duration) -> io::Result<Answer> {
    let host = origin(port).trim_start_matches("http://").to_owned();
    let host = host.parse().map_err(io::Error::other)?;
    request.headers_mut().insert(header::HOST, host);
    timeout(deadline, exchange_now(port, request)).await?
}

async fn exchange_now(port: Port, request: Request<Full<Bytes>>) -> io::Result<Answer> {
    let connection = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port.get()))).await?;
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(connection))
        .await
        .map_err(io::Error::other)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(io::Error::other)?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        })
    };
    tokio::pin!(exchange, driver);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection has ended; what it has still received is in the answer.
        _ = &mut driver => exchange.await,
    }
}
