//! A target of webhooks: takes messages, keeps them, and answers as a test says.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::eventually;

/// A message as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// What the target answered; 0 while it has not.
    pub(crate) status: u16,
}

impl Received {
    /// Returns a header's text; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Returns the id of the message.
    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// Returns what it tells.
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).expect("a message is JSON")
    }
}

/// How a target answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// Says that the message should go elsewhere.
    Redirect(String),
    /// Says that it should come again after so many seconds.
    RetryAfter(u64),
    /// 200, with so many bytes.
    Long(usize),
    /// Never.
    Silence,
}

/// What a target decides by: how many messages came before, and the message.
type Script = dyn Fn(usize, &Received) -> Reply + Send + Sync;

/// The target. It ends when it is dropped.
pub(crate) struct Target {
    port: u16,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
    num_open: AtomicUsize,
}

impl Target {
    /// Starts a target that answers as the script says.
    pub(crate) async fn start(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            received: Mutex::default(),
            num_open: AtomicUsize::new(0),
        });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, shared.clone()));
        Self {
            port,
            shared,
            _server: server,
        }
    }

    /// Starts a target that takes everything.
    pub(crate) async fn willing() -> Self {
        Self::start(|_, _| Reply::Status(204)).await
    }

    /// Returns its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Returns its address by a name.
    pub(crate) fn url_by_name(&self) -> String {
        format!("http://localhost:{}/hook", self.port)
    }

    /// Returns everything that came, first to last.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no script panics").clone()
    }

    /// Returns what came and was taken.
    pub(crate) fn taken(&self) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|message| (200..300).contains(&message.status));
        received
    }

    /// Returns how many messages have no answer yet.
    pub(crate) fn num_open(&self) -> usize {
        self.shared.num_open.load(Ordering::Relaxed)
    }

    /// Waits until so many messages were taken, and returns them.
    pub(crate) async fn has_taken(&self, num: usize) -> Vec<Received> {
        eventually(&format!("the target has taken {num} messages"), async || {
            let taken = self.taken();
            if taken.len() >= num { Ok(taken) } else { Err(taken) }
        })
        .await
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        while connections.try_join_next().is_some() {}
        connections.spawn(talk(stream, shared.clone()));
    }
}

async fn talk(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, shared.clone()));
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        eprintln!("a connection to a target ended: {error}");
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut message = Received {
        headers: head.headers,
        text: String::from_utf8_lossy(&body).into_owned(),
        status: 0,
    };
    let (index, reply) = {
        let mut received = shared.received.lock().expect("no script panics");
        let index = received.len();
        let reply = (shared.script)(index, &message);
        message.status = match &reply {
            Reply::Status(status) => *status,
            Reply::Redirect(_) => 302,
            Reply::RetryAfter(_) => 429,
            Reply::Long(_) => 200,
            Reply::Silence => 0,
        };
        received.push(message.clone());
        (index, reply)
    };
    let response = Response::builder().status(if message.status == 0 { 200 } else { message.status });
    let (response, body) = match reply {
        Reply::Status(_) => (response, Bytes::from(format!("answer {index}"))),
        Reply::Redirect(to) => (response.header(LOCATION, to), Bytes::new()),
        Reply::RetryAfter(seconds) => (response.header(RETRY_AFTER, seconds), Bytes::new()),
        Reply::Long(num_bytes) => (response, Bytes::from(vec![b'x'; num_bytes])),
        Reply::Silence => {
            shared.num_open.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        }
    };
    Ok(response.body(Full::new(body)).expect("a response of these parts"))
}
