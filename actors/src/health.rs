//! Asks an app once whether it is well. When to ask, and how often it may fail, is the deployment actor's to decide.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::value::{HealthPath, Port};

/// What is asked when the client named no path.
const DEFAULT_PATH: &str = "/health";
/// How long one probe may take, whatever the app does.
const DEADLINE: Duration = Duration::from_secs(5);
const CONNECT_DEADLINE: Duration = Duration::from_secs(1);
/// Leaves time within the deadline to see whether the port at least stays open.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);
/// How long a connection must stay open to count: Docker's proxy accepts at once, and resets when nobody listens behind.
const OPEN_FOR: Duration = Duration::from_millis(300);

/// Whom to ask, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where the program itself listens, if the runtime knows; asked first.
    pub own: Option<SocketAddr>,
    /// Where connections are led to; asked when the program's own address cannot be reached from here.
    pub endpoint: SocketAddr,
    /// The public port, which the program is asked as.
    pub port: Port,
    /// What counts as well.
    pub check: Check,
}

/// What counts as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The client named a path, so it must answer 2xx or 3xx.
    Path(HealthPath),
    /// It named none. Any answer below 500 to `/health` counts, and so does a port that takes connections: not every
    /// app speaks HTTP.
    Default,
}

/// Asks once.
///
/// # Errors
/// Says in a few words what is wrong, such as ``GET /health answered 503``.
pub async fn probe(target: &Target) -> Result<(), String> {
    match timeout(DEADLINE, probe_within(target)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
    }
}

async fn probe_within(target: &Target) -> Result<(), String> {
    let (address, connection) = connect(target).await?;
    match &target.check {
        Check::Path(path) => match ask(connection, target.port, path.as_str()).await? {
            status if status.is_success() || status.is_redirection() => Ok(()),
            status => Err(format!("GET {} answered {}", path.as_str(), status.as_u16())),
        },
        Check::Default => match ask(connection, target.port, DEFAULT_PATH).await {
            Ok(status) if status.as_u16() < 500 => Ok(()),
            Ok(status) => Err(format!("GET {DEFAULT_PATH} answered {}", status.as_u16())),
            Err(_) => stays_open(address).await,
        },
    }
}

/// Connects to the program's own address, or to its endpoint where there is no way to the former: a refused connection is
/// an answer, an address without a route is none.
async fn connect(target: &Target) -> Result<(SocketAddr, TcpStream), String> {
    if let Some(own) = target.own {
        match timeout(CONNECT_DEADLINE, TcpStream::connect(own)).await {
            Ok(Ok(connection)) => return Ok((own, connection)),
            Ok(Err(cause)) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
                return Err(format!("nothing listens on port {} of its own address", own.port()));
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
    let endpoint = target.endpoint;
    match timeout(CONNECT_DEADLINE, TcpStream::connect(endpoint)).await {
        Ok(Ok(connection)) => Ok((endpoint, connection)),
        Ok(Err(cause)) => Err(format!("cannot connect to {endpoint}: {cause}")),
        Err(_) => Err(format!("cannot connect to {endpoint} in time")),
    }
}

/// Sends one GET and returns the status of its answer. Redirects are not followed and the body is not read.
async fn ask(connection: TcpStream, port: Port, path: &str) -> Result<StatusCode, String> {
    let request = Request::get(path)
        .header(header::HOST, format!("localhost:{port}"))
        .header(header::USER_AGENT, "borgos-health")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|cause| format!("`{path}` is no path: {cause}"))?;
    let exchange = async {
        let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await?;
        let answer = sender.send_request(request);
        tokio::pin!(answer, driver);
        tokio::select! {
            answered = &mut answer => answered,
            // The connection has ended; what it has still received is in the answer.
            _ = &mut driver => answer.await,
        }
    };
    match timeout(ANSWER_DEADLINE, exchange).await {
        Ok(Ok(response)) => Ok(response.status()),
        Ok(Err(cause)) => Err(format!("GET {path} failed: {cause}")),
        Err(_) => Err(format!(
            "GET {path} was not answered within {} s",
            ANSWER_DEADLINE.as_secs()
        )),
    }
}

/// Connects once more and checks that the other side does not hang up at once.
async fn stays_open(address: SocketAddr) -> Result<(), String> {
    let port = address.port();
    let mut connection = match timeout(CONNECT_DEADLINE, TcpStream::connect(address)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(cause)) => return Err(format!("cannot connect to port {port}: {cause}")),
        Err(_) => return Err(format!("cannot connect to port {port} in time")),
    };
    match timeout(OPEN_FOR, connection.read_u8()).await {
        // Silence or a greeting: somebody is there.
        Err(_) | Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(format!("port {port} takes connections and closes them at once")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    /// Answers every connection with the same bytes once it has been sent something, then hangs up, or not.
    async fn serve(answer: &'static str, linger: Duration) -> (Target, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 1024];
                    if !answer.is_empty() && connection.read(&mut request).await.is_ok() {
                        let _ = connection.write_all(answer.as_bytes()).await;
                    }
                    tokio::time::sleep(linger).await;
                });
            }
        });
        let target = Target {
            own: None,
            endpoint,
            port: Port::try_from(8090).unwrap(),
            check: Check::Default,
        };
        (target, server)
    }

    fn path(text: &str) -> Check {
        Check::Path(HealthPath::try_from(text.to_owned()).unwrap())
    }

    #[tokio::test]
    async fn a_named_path_must_succeed_or_redirect_and_the_default_must_only_not_fail() {
        let answers = [
            ("HTTP/1.1 204 No Content\r\n\r\n", true, true),
            ("HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\n\r\n", true, true),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false, true),
            (
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
                false,
                false,
            ),
        ];
        for (answer, is_well_by_path, is_well_by_default) in answers {
            let (mut target, server) = serve(answer, Duration::ZERO).await;
            assert_eq!(probe(&target).await.is_ok(), is_well_by_default, "{answer}");
            target.check = path("/ready");
            assert_eq!(probe(&target).await.is_ok(), is_well_by_path, "{answer}");
            server.abort();
        }
    }

    #[tokio::test]
    async fn an_app_that_speaks_something_else_is_well_if_its_port_stays_open() {
        let (target, server) = serve("-ERR unknown command\r\n", Duration::from_secs(9)).await;
        assert_eq!(probe(&target).await, Ok(()));
        server.abort();
    }

    #[tokio::test]
    async fn a_port_that_hangs_up_at_once_is_not_well() {
        let (target, server) = serve("", Duration::ZERO).await;
        let reason = probe(&target).await.unwrap_err();
        assert!(reason.contains("closes them at once"), "{reason}");
        server.abort();
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_is_not_asked_elsewhere() {
        let (mut target, server) = serve("HTTP/1.1 200 OK\r\n\r\n", Duration::ZERO).await;
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        target.own = Some(closed);
        let reason = probe(&target).await.unwrap_err();
        assert!(reason.contains("nothing listens"), "{reason}");
        server.abort();
    }
}
