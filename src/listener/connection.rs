//! One client connection.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{
    Request,
    body::{Body, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, set_tcp_user_timeout,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::sleep,
};
use warp::http::{
    HeaderValue, StatusCode, Version,
    header::{CONNECTION, TRANSFER_ENCODING},
};

use super::{
    Stop,
    framing::{Framing, Scanner},
    places::Place,
    tap::Tap,
    tls::Tls,
};
use crate::{
    guard::{Arrival, PeerAddr},
    service::Service,
};

/// How long a client may take to send the head of a request, and how long it may be silent between two.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How large a head may be; larger ones are answered with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A body of this size has usually arrived with its head, so that the connection can be used again.
const SHORT_BODY_BYTES: u64 = 4 * 1024;
/// A client that was silent for so long is asked for a sign of life, and given up after so many without an answer.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;
/// A client that takes nothing of what it is sent is given up after that.
const MAX_UNACKNOWLEDGED_MS: u32 = 300_000;
/// HTTP/2 clients are asked for a sign of life this often.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(20);

/// Finds out about clients that are gone without a word, such as one whose machine lost its network while it followed a log.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    set_socket_keepalive(stream, true)?;
    set_tcp_keepidle(stream, KEEPALIVE_AFTER)?;
    set_tcp_keepintvl(stream, KEEPALIVE_EVERY)?;
    set_tcp_keepcnt(stream, KEEPALIVE_TRIES)?;
    set_tcp_user_timeout(stream, MAX_UNACKNOWLEDGED_MS)?;
    Ok(())
}

/// Serves one connection to its end, or until the stop; then the request that is being answered is finished.
pub(super) async fn serve(
    stream: TcpStream,
    tls: Option<Tls>,
    peer: SocketAddr,
    place: Place,
    service: Service,
    stop: Stop,
) {
    if let Err(error) = stream.set_nodelay(true).and_then(|()| keep_alive(&stream)) {
        tracing::debug!(%peer, %error, "connection was gone before it was served");
        return;
    }
    let Some(tls) = tls else {
        return speak(stream, peer, place, service, stop).await;
    };
    match tls.accept(stream).await {
        Ok(stream) => speak(stream, peer, place, service, stop).await,
        Err(error) => tracing::debug!(%peer, %error, "no keys were agreed on"),
    }
}

/// Speaks HTTP.
async fn speak<S>(stream: S, peer: SocketAddr, place: Place, service: Service, stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let framing = Framing::default();
    let io = TokioIo::new(Tap::new(stream, Scanner::new(framing.clone()), place));
    let has_begun = Arc::new(AtomicBool::new(false));
    let answer = {
        let has_begun = has_begun.clone();
        service_fn(move |request| {
            has_begun.store(true, Ordering::Release);
            respond(request, peer, service.clone(), framing.clone())
        })
    };
    let builder = builder();
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, answer));
    // Hyper's own deadline begins with the first byte. This one also ends who sends nothing at all.
    let mut first_head = pin!(sleep(HEAD_DEADLINE));
    let mut stopped = pin!(stop.requested());
    let (mut is_first_awaited, mut is_stopping) = (true, false);
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%peer, error, "connection ended early");
                }
                return;
            }
            () = &mut first_head, if is_first_awaited => {
                if !has_begun.load(Ordering::Acquire) {
                    return;
                }
                is_first_awaited = false;
            }
            () = &mut stopped, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_PING_EVERY)
        .keep_alive_timeout(HEAD_DEADLINE)
        .max_header_list_size(MAX_HEAD_BYTES as u32);
    builder
}

async fn respond(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    service: Service,
    framing: Framing,
) -> Result<warp::reply::Response, Infallible> {
    request.extensions_mut().insert(PeerAddr(peer));
    let is_http1 = request.version() < Version::HTTP_2;
    let is_chunked = is_http1 && request.headers().contains_key(TRANSFER_ENCODING);
    let is_long = is_http1 && request.body().size_hint().lower() > SHORT_BODY_BYTES;
    let arrival = Arrival {
        peer: peer.ip(),
        is_ambiguous: framing.is_ambiguous(),
    };
    let mut response = service.respond(request, arrival).await;
    // The scanner does not follow chunks, so nothing after them may be taken for a request. And where a long body may
    // have been refused unread, the client is told that the connection ends, so that it sends nothing more on it.
    if is_chunked || (is_long && response.status().is_client_error()) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        framing.end();
    }
    Ok(response)
}
