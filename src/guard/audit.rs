//! Writes down who changes what.
//!
//! What needs the scope `deploy` or `admin` and is no look is an entry of the audit log, whether it comes as a request or
//! as the call of a tool. The entry is begun before anything is done: what cannot be written down is not done. It is ended
//! with the answer; `unknown` stays where BorgOS was killed, or the client gone, before there was one. Logins that fail and
//! changes that the scope does not cover are entries, too, as many of them as a person could read.

use std::{borrow::Cow, net::IpAddr, num::NonZeroU32, sync::Arc};

use borgos_actors::{
    Error,
    error::chain,
    id::AuditId,
    store::{
        Store,
        audit::{self, NewEntry, Outcome},
    },
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use warp::{Reply, reply::Response};

use super::{auth::Caller, request_id::RequestId};
use crate::{problem::Problem, routes::Endpoint};

/// Refusals that are written down: a minute, and at once. Who guesses must not fill the database.
const REFUSALS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("60 is not zero");
const REFUSALS_AT_ONCE: NonZeroU32 = NonZeroU32::new(300).expect("300 is not zero");
/// So much of what strangers send is kept.
const MAX_PATH_CHARS: usize = 500;
const MAX_NAME_CHARS: usize = 80;

/// Who sends a request, from where, under which name. Kept in the request's extensions.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Who.
    pub caller: Caller,
    /// From where.
    pub address: IpAddr,
    /// The request's name.
    pub request_id: RequestId,
}

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Which operation.
    pub endpoint: &'static Endpoint,
    /// The path of the request.
    pub path: &'a str,
    /// The tool that makes the request.
    pub tool: Option<&'static str>,
}

/// What was refused before anything was done.
#[derive(Debug)]
pub struct Refusal {
    /// Who wanted it.
    pub actor: String,
    /// What they wanted.
    pub action: &'static str,
}

/// Writes the audit log. Cheap to clone.
#[derive(Clone)]
pub struct Auditor {
    store: Store,
    refusals: Arc<DefaultDirectRateLimiter>,
}

impl Auditor {
    /// Writes to this database.
    pub fn new(store: Store) -> Self {
        let quota = Quota::per_minute(REFUSALS_PER_MINUTE).allow_burst(REFUSALS_AT_ONCE);
        Self {
            store,
            refusals: Arc::new(RateLimiter::direct(quota)),
        }
    }

    /// Has something done, and writes it down if it is a change.
    pub async fn witness(
        &self,
        requester: &Requester,
        deed: Deed<'_>,
        work: impl Future<Output = Response>,
    ) -> Response {
        if !deed.endpoint.is_change() {
            return work.await;
        }
        let begun = match self.begin(requester, deed).await {
            Ok(id) => id,
            Err(error) => return Problem::from(error).into_response(),
        };
        let response = work.await;
        self.end(begun, &outcome(&response)).await;
        response
    }

    /// Writes down that something was refused.
    pub async fn note_refusal(
        &self,
        refusal: Refusal,
        problem: &Problem,
        path: &str,
        address: IpAddr,
        request_id: &RequestId,
    ) {
        if self.refusals.check().is_err() {
            tracing::warn!(%address, "too many requests are refused for all of them to be in the audit log");
            return;
        }
        let entry = NewEntry {
            actor: shortened(&refusal.actor, MAX_NAME_CHARS).into_owned(),
            action: refusal.action.to_owned(),
            target: shortened(path, MAX_PATH_CHARS).into_owned(),
            tool: None,
            source_address: Some(address.to_string()),
            request_id: Some(request_id.as_str().to_owned()),
            outcome: Outcome {
                result: problem.code().to_owned(),
                status: Some(problem.status().as_u16()),
            },
        };
        if let Err(error) = audit::record(&self.store, &entry).await {
            tracing::warn!(error = chain(&error), "a refusal is not in the audit log");
        }
    }

    async fn begin(&self, requester: &Requester, deed: Deed<'_>) -> Result<AuditId, Error> {
        let entry = NewEntry {
            actor: requester.caller.name.to_string(),
            action: deed.endpoint.name.to_owned(),
            target: shortened(deed.path, MAX_PATH_CHARS).into_owned(),
            tool: deed.tool.map(str::to_owned),
            source_address: Some(requester.address.to_string()),
            request_id: Some(requester.request_id.as_str().to_owned()),
            outcome: Outcome::unknown(),
        };
        Ok(audit::record(&self.store, &entry).await?.id)
    }

    /// It is done by now, so a failure can only be told.
    async fn end(&self, id: AuditId, outcome: &Outcome) {
        if let Err(error) = audit::end(&self.store, id, outcome).await {
            tracing::error!(
                audit.id = %id,
                result = outcome.result,
                error = chain(&error),
                "entry {id} of the audit log stays without its result"
            );
        }
    }
}

fn outcome(response: &Response) -> Outcome {
    let status = response.status();
    let code = response.extensions().get::<Problem>().map(Problem::code);
    let result = match code {
        Some(code) => code.to_owned(),
        None if status.is_client_error() || status.is_server_error() => status.as_u16().to_string(),
        None => audit::OK.to_owned(),
    };
    Outcome {
        result,
        status: Some(status.as_u16()),
    }
}

fn shortened(text: &str, max_chars: usize) -> Cow<'_, str> {
    let is_plain = text.len() <= max_chars && !text.chars().any(char::is_control);
    match is_plain {
        true => Cow::Borrowed(text),
        false => text.chars().filter(|c| !c.is_control()).take(max_chars).collect(),
    }
}

#[cfg(test)]
mod tests {
    use warp::http::StatusCode;

    use super::*;

    #[test]
    fn the_outcome_is_that_of_the_answer() {
        let of = |response: Response| {
            let Outcome { result, status } = outcome(&response);
            (result, status.unwrap())
        };
        assert_eq!(of(Response::default()), ("ok".to_owned(), 200));
        let conflict = Problem::new(StatusCode::CONFLICT, "NAME_IN_USE", "x");
        assert_eq!(of(conflict.into_response()), ("NAME_IN_USE".to_owned(), 409));
        assert_eq!(of(StatusCode::BAD_GATEWAY.into_response()), ("502".to_owned(), 502));
    }

    #[test]
    fn what_strangers_send_is_bounded() {
        assert_eq!(shortened("/a", 3), "/a");
        assert_eq!(shortened("/a\u{1b}[31mb", 5), "/a[31");
        assert_eq!(shortened(&"x".repeat(100), 10).len(), 10);
    }
}
