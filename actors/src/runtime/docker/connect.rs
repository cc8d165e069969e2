//! The connection to the engine: made when it is first needed, and every call on it with a deadline.

use std::{env, sync::OnceLock, time::Duration};

use bollard::{Docker as Client, errors::Error as ClientError};
use tokio::time::timeout;

use crate::runtime::Error;

/// How long the engine may take for what it does from memory.
pub(super) const QUICK: Duration = Duration::from_secs(10);
/// How long it may take for what touches its disk or network: create, start, remove.
pub(super) const SLOW: Duration = Duration::from_secs(60);
/// The client's own limit on the head of an answer. Out of the way: each call has its own deadline.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// How to reach the engine.
#[derive(Debug)]
pub(super) struct Connection {
    host: String,
    client: OnceLock<Client>,
}

impl Connection {
    /// Takes the engine's address from `DOCKER_HOST`.
    pub(super) fn from_environment() -> Result<Self, Error> {
        match env::var("DOCKER_HOST") {
            Ok(host) if !host.is_empty() => Self::new(host),
            _ => Self::new(DEFAULT_HOST.to_owned()),
        }
    }

    pub(super) fn new(host: String) -> Result<Self, Error> {
        match host.split_once("://") {
            Some(("unix" | "tcp" | "http", address)) if !address.is_empty() => Ok(Self {
                host,
                client: OnceLock::new(),
            }),
            _ => Err(Error::Refused(format!(
                "the engine address `{host}` is neither `unix://…` nor `tcp://…`"
            ))),
        }
    }

    /// Tells whether the engine runs on this machine, so that addresses of its containers mean something here.
    pub(super) fn is_local(&self) -> bool {
        self.host.starts_with("unix://")
    }

    /// Returns the client. Connects nothing yet, yet fails while the engine's socket does not exist.
    pub(super) fn client(&self) -> Result<Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = Client::connect_with_host(&self.host)
            .map_err(failed)?
            .with_timeout(CLIENT_TIMEOUT);
        Ok(self.client.get_or_init(|| client).clone())
    }
}

/// Waits for the engine no longer than the deadline.
pub(super) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    timeout(deadline, call)
        .await
        .unwrap_or(Err(ClientError::RequestTimeoutError))
}

/// Turns a failure into ours: what the engine said is a refusal, and all else means that it could not be reached.
pub(super) fn failed(cause: ClientError) -> Error {
    match cause {
        ClientError::DockerResponseServerError { message, .. } => Error::Refused(message),
        ClientError::DockerStreamError { error } => Error::Refused(error),
        ClientError::JsonDataError { message, .. } => {
            Error::Refused(format!("the answer is not understood: {message}"))
        }
        other => Error::Unreachable(Box::new(other)),
    }
}

/// Returns the status and the text of an answer that was an error.
pub(super) fn answer(cause: &ClientError) -> Option<(u16, &str)> {
    match cause {
        ClientError::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        _ => None,
    }
}

/// Tells whether the engine said that there is no such thing.
pub(super) fn is_absent(cause: &ClientError) -> bool {
    matches!(answer(cause), Some((404, _)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_not_there_yet_can_be_named_and_one_that_cannot_be_is_refused() {
        let connection = Connection::new("unix:///no/such/docker.sock".to_owned()).unwrap();
        assert!(matches!(connection.client(), Err(Error::Unreachable(_))));
        for host in ["", "docker", "unix://", "ssh://host", "npipe:////./pipe/docker_engine"] {
            assert!(Connection::new(host.to_owned()).is_err(), "{host}");
        }
    }
}
