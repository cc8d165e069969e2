//! What there is to compare with: a server that says a constant, on bare warp and on bare hyper. Each runs in a process
//! of its own, as BorgOS does, which is this program started again with an argument.

use std::{convert::Infallible, net::SocketAddr, process::Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    task::JoinSet,
};
use warp::Filter;

/// As long as what `/health` says.
const BODY: &str = r#"{"status":"healthy","timestamp":"2024-01-15T10:30:00.000Z"}"#;
const SERVE: &str = "--serve-hello";

/// What serves it.
#[derive(Clone, Copy)]
pub(super) enum Framework {
    Warp,
    Hyper,
}

impl Framework {
    /// Returns the framework to serve with when this process was started by [`Hello::start`].
    pub(super) fn from_arguments() -> Option<Self> {
        let mut arguments = std::env::args().skip_while(|argument| argument != SERVE);
        match arguments.nth(1)?.as_str() {
            "warp" => Some(Self::Warp),
            "hyper" => Some(Self::Hyper),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Warp => "warp",
            Self::Hyper => "hyper",
        }
    }
}

/// A running server. Dropping it kills it.
pub(super) struct Hello {
    pub(super) address: SocketAddr,
    _process: Child,
}

impl Hello {
    pub(super) async fn start(framework: Framework) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([SERVE, framework.name()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("a piped output")?;
        let line = BufReader::new(output)
            .lines()
            .next_line()
            .await?
            .context("no address")?;
        let address = line.parse()?;
        Ok(Self {
            address,
            _process: process,
        })
    }
}

/// Says its address on standard output and serves until it is killed.
pub(super) async fn serve(framework: Framework) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    match framework {
        Framework::Warp => {
            let hello = warp::get().map(|| warp::reply::with_header(BODY, "content-type", "application/json"));
            warp::serve(hello).incoming(listener).run().await;
            Ok(())
        }
        Framework::Hyper => serve_hyper(listener).await,
    }
}

async fn serve_hyper(listener: TcpListener) -> Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)));
        while connections.try_join_next().is_some() {}
    }
}

async fn hello(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    response.headers_mut().insert(
        "content-type",
        hyper::header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
