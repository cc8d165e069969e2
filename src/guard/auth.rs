//! Who sent a request.
//!
//! A credential travels in the `Authorization` header, or, as browsers cannot set that for a WebSocket, as a subprotocol
//! of the handshake. As long as none is configured, everybody on this machine is known without one.

mod presented;

use std::{net::IpAddr, sync::Arc};

pub use borgos_actors::credentials::Caller;
use borgos_actors::credentials::{Credentials, Proof, Unknown};
use warp::http::{StatusCode, request::Parts};

use self::presented::Presented;
pub use self::presented::check_query;
use super::{slowing::Slowing, tickets::Tickets};
use crate::problem::Problem;

/// How long a client should wait while nobody can say who it is.
const RETRY_STALE_SECONDS: u64 = 5;
const RETRY_BUSY_SECONDS: u64 = 1;

/// What is found out about who sent a request.
#[derive(Debug)]
pub enum Recognised {
    /// It is this caller.
    Caller(Caller),
    /// There is no credential.
    Nobody,
    /// The credential is wrong, or not valid any more.
    Wrong {
        /// Who it would have been, as they say.
        claim: String,
    },
}

/// Tells callers by their credential.
pub struct Authorizer {
    credentials: Credentials,
    tickets: Arc<Tickets>,
    slowing: Slowing,
    is_loopback_only: bool,
}

impl Authorizer {
    /// Recognises whom `credentials` and `tickets` know, and everybody as long as they know nobody and only this machine
    /// reaches the listener.
    pub fn new(credentials: Credentials, tickets: Arc<Tickets>, is_loopback_only: bool) -> Self {
        Self {
            credentials,
            tickets,
            slowing: Slowing::new(),
            is_loopback_only,
        }
    }

    /// Finds out who sent the request.
    ///
    /// # Errors
    /// 429 after too many wrong credentials, 503 while nobody can say.
    pub async fn caller(&self, parts: &Parts, peer: IpAddr) -> Result<Recognised, Problem> {
        // A trusted proxy on this machine may pass on requests of others.
        if self.is_loopback_only && peer.is_loopback() && !self.credentials.is_configured() {
            return Ok(Recognised::Caller(Caller::local()));
        }
        let recognised = match Presented::by(parts) {
            Presented::Nothing => return Ok(Recognised::Nobody),
            Presented::Unreadable => Err(Unknown::Wrong),
            Presented::Bearer(text) => self.credentials.bearer(text),
            Presented::Ticket(text) => self.ticket(text),
            Presented::Basic { name, password } => return self.user(&name, &password, peer).await,
        };
        match recognised {
            Ok(caller) => Ok(Recognised::Caller(caller)),
            Err(Unknown::Wrong) => {
                self.slowing.note_wrong(peer)?;
                Ok(Recognised::Wrong {
                    claim: "unknown".to_owned(),
                })
            }
            Err(unknown) => Err(unavailable(unknown)),
        }
    }

    fn ticket(&self, text: &str) -> Result<Caller, Unknown> {
        let caller = self.tickets.redeem(text).ok_or(Unknown::Wrong)?;
        match self.credentials.still_holds(&caller) {
            true => Ok(caller),
            false => Err(Unknown::Wrong),
        }
    }

    /// A password that was proven a short while ago lets its owner in however many wrong ones others send.
    async fn user(&self, name: &str, password: &str, peer: IpAddr) -> Result<Recognised, Problem> {
        let login = match self.credentials.user(name, password).map_err(unavailable)? {
            Proof::Proven(caller) => return Ok(Recognised::Caller(caller)),
            Proof::Unproven(login) => login,
        };
        self.slowing.admit(name, peer)?;
        match self.credentials.check(login.as_ref(), password).await {
            Ok(caller) => {
                self.slowing.note_right(name, peer);
                Ok(Recognised::Caller(caller))
            }
            Err(Unknown::Wrong) => Ok(Recognised::Wrong {
                claim: format!("unproven user:{name}"),
            }),
            Err(unknown) => Err(unavailable(unknown)),
        }
    }
}

fn unavailable(unknown: Unknown) -> Problem {
    let (code, message, seconds) = match unknown {
        Unknown::Busy => (
            "LOGIN_BUSY",
            "too many passwords are being checked, try again",
            RETRY_BUSY_SECONDS,
        ),
        Unknown::Wrong | Unknown::Stale => (
            "CREDENTIALS_UNAVAILABLE",
            "credentials cannot be checked, as the database does not answer",
            RETRY_STALE_SECONDS,
        ),
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message).with_retry_after(seconds)
}

#[cfg(test)]
pub(crate) mod tests {
    use borgos_actors::{
        store::{Settings, Store},
        supervision::Handle,
    };
    use tempfile::TempDir;
    use warp::http::{Request, header::AUTHORIZATION};

    use super::*;

    /// An authorizer over an empty database, which lives as long as the directory.
    pub(crate) async fn authorizer(token: Option<&str>) -> (Authorizer, Store, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::sqlite(directory.path().to_owned()).unwrap();
        let store = Store::open(&settings).await.unwrap();
        let prepared = Credentials::prepare(&store, directory.path(), Handle::new("credentials", 10)).await;
        let (credentials, _) = prepared.unwrap();
        let credentials = credentials.with_bootstrap(token);
        (Authorizer::new(credentials, Arc::default(), true), store, directory)
    }

    async fn name(authorizer: &Authorizer, sent: &[&str]) -> Option<String> {
        name_at([127, 0, 0, 1].into(), authorizer, sent).await
    }

    async fn name_at(peer: IpAddr, authorizer: &Authorizer, sent: &[&str]) -> Option<String> {
        let mut request = Request::builder().uri("/");
        for value in sent {
            request = request.header(AUTHORIZATION, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match authorizer.caller(&parts, peer).await.unwrap() {
            Recognised::Caller(caller) => Some(caller.name.to_string()),
            Recognised::Nobody | Recognised::Wrong { .. } => None,
        }
    }

    #[tokio::test]
    async fn only_the_exact_token_is_accepted() {
        let (authorizer, _store, _directory) = authorizer(Some("s3cret-s3cret-s3cret")).await;
        for good in ["Bearer s3cret-s3cret-s3cret", "bearer s3cret-s3cret-s3cret"] {
            assert_eq!(name(&authorizer, &[good]).await.as_deref(), Some("bootstrap-token"));
        }
        for bad in [
            &["Bearer S3cret-s3cret-s3cret"][..],
            &["Bearer s3cret-s3cret-s3cretx"],
            &["Bearer "],
            &["Bearer"],
            &["Basic s3cret-s3cret-s3cret"],
            &["s3cret-s3cret-s3cret"],
            &["Bearer s3cret-s3cret-s3cret", "Bearer s3cret-s3cret-s3cret"],
            &[],
        ] {
            assert_eq!(name(&authorizer, bad).await, None, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn without_a_credential_everybody_on_this_machine_is_local() {
        let (authorizer, _store, _directory) = authorizer(None).await;
        assert_eq!(name(&authorizer, &[]).await.as_deref(), Some("local"));
        assert_eq!(name_at([192, 0, 2, 1].into(), &authorizer, &[]).await, None);
        let wider = Authorizer {
            is_loopback_only: false,
            ..authorizer
        };
        assert_eq!(name(&wider, &[]).await, None);
    }
}
