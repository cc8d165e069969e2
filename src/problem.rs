//! Error answers. The only mapping from what went wrong to a status and the one error body
//! `{"error", "message", "code", "request_id"}`.
//!
//! A [`Problem`] travels inside the response's extensions until the request is finished; only there the request id is
//! known, so that routes need not carry it about.

use std::convert::Infallible;

use borgos_actors::{Error, error::chain};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{
    Rejection, Reply,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    reject::Reject,
    reply::Response,
};

/// How long a client should wait for an actor that is busy, being restarted, or slow.
const RETRY_ACTOR_SECONDS: u64 = 1;
/// How long a client should wait for a queue that is full.
const RETRY_QUEUE_SECONDS: u64 = 5;
/// How long a client should wait for a database or an engine that is away.
const RETRY_OUTAGE_SECONDS: u64 = 5;

/// An error answer that waits for its request id.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<Hint>,
    /// What is logged and never shown.
    cause: Option<String>,
}

/// The header that tells a client how to do better.
#[derive(Debug, Clone)]
enum Hint {
    RetryAfter(u64),
    Allow(HeaderValue),
    Authenticate(Challenge),
}

/// Which credentials a client is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A token.
    Bearer,
    /// A token, or a user's name and password.
    BearerOrBasic,
}

/// The one error body.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Body<'a> {
    /// What the status means.
    error: &'static str,
    /// What is wrong, for people.
    message: &'a str,
    /// What is wrong, for programs: stable.
    code: &'static str,
    /// The name of the request, as in `X-Request-Id`.
    request_id: &'a str,
}

impl Problem {
    /// Creates a problem of any other kind than the named ones below.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: None,
            cause: None,
        }
    }

    /// A parameter or field with a value that is not accepted.
    pub fn invalid_field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Error::InvalidField {
            field: field.into(),
            reason: reason.into(),
        }
        .into()
    }

    /// The credential is missing or wrong; the texts are the documented ones.
    pub fn unauthorized(challenge: Challenge) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHORIZED",
            "Invalid or missing authentication token",
        )
        .with_hint(Hint::Authenticate(challenge))
    }

    /// Nothing is served at the path.
    pub fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path")
    }

    /// The path is served, but not for this method.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "this path does not take that method; see the `Allow` header",
        )
        .with_hint(Hint::Allow(allow))
    }

    /// The client sent more requests than it may.
    pub fn rate_limited(wait_seconds: u64) -> Self {
        let message = format!("rate limit exceeded, try again in {wait_seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message).with_retry_after(wait_seconds)
    }

    /// Something that should be impossible; the cause is logged, not shown.
    pub fn internal(cause: impl Into<String>) -> Self {
        let message = "An unexpected error occurred";
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message);
        problem.cause = Some(cause.into());
        problem
    }

    /// Tells the client when it may try again.
    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_hint(Hint::RetryAfter(seconds))
    }

    fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Returns the status that the answer will have.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the stable code that programs act on.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the text for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Challenge {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer realm=\"borgos\"",
            Self::BearerOrBasic => "Bearer realm=\"borgos\", Basic realm=\"borgos\", charset=\"UTF-8\"",
        }
    }
}

impl Hint {
    fn header(&self) -> (HeaderName, HeaderValue) {
        match self {
            Self::RetryAfter(seconds) => (RETRY_AFTER, HeaderValue::from(*seconds)),
            Self::Allow(methods) => (ALLOW, methods.clone()),
            Self::Authenticate(challenge) => (WWW_AUTHENTICATE, HeaderValue::from_static(challenge.as_str())),
        }
    }
}

/// Writes the body of an answer that holds a problem, and logs the problem's hidden cause. Other answers stay as they are.
pub fn render(response: &mut Response, request_id: &str) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return;
    };
    if let Some(cause) = &problem.cause {
        match problem.status {
            StatusCode::INTERNAL_SERVER_ERROR => tracing::error!(code = problem.code, "request failed: {cause}"),
            _ => tracing::warn!(code = problem.code, "request could not be carried out: {cause}"),
        }
    }
    let body = Body {
        error: title(problem.status),
        message: &problem.message,
        code: problem.code,
        request_id,
    };
    // Four strings always serialise; were that ever wrong, the status alone is still the truth.
    let text = serde_json::to_string(&body).unwrap_or_default();
    *response.body_mut() = text.into();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
}

/// Returns the `error` text of a status; those of 400, 401, 404 and 500 are documented.
pub(crate) fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "Invalid request",
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::METHOD_NOT_ALLOWED => "Method not allowed",
        StatusCode::REQUEST_TIMEOUT => "Request timeout",
        StatusCode::CONFLICT => "Conflict",
        StatusCode::PAYLOAD_TOO_LARGE => "Payload too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Unsupported media type",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable request",
        StatusCode::UPGRADE_REQUIRED => "Upgrade required",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::INTERNAL_SERVER_ERROR => "Internal server error",
        StatusCode::SERVICE_UNAVAILABLE => "Service unavailable",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let simple = |status| Self::new(status, code, error.to_string());
        match &error {
            Error::InvalidField { .. } | Error::PortInUse { .. } => simple(StatusCode::BAD_REQUEST),
            Error::NotFound { .. } => simple(StatusCode::NOT_FOUND),
            Error::NameInUse { .. } | Error::PathInUse { .. } | Error::Conflict { .. } => simple(StatusCode::CONFLICT),
            Error::Impossible { .. } => simple(StatusCode::UNPROCESSABLE_ENTITY),
            Error::TooManyTasks { .. } => simple(StatusCode::TOO_MANY_REQUESTS).with_retry_after(RETRY_QUEUE_SECONDS),
            Error::Busy { .. } | Error::Restarting { .. } | Error::Timeout { .. } => {
                simple(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(RETRY_ACTOR_SECONDS)
            }
            Error::Engine(_) | Error::Database(_) => Self {
                cause: Some(chain(&error)),
                ..simple(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(RETRY_OUTAGE_SECONDS)
            },
            Error::Internal(_) => Self::internal(chain(&error)),
        }
    }
}

impl Reject for Problem {}

impl Reply for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self.status;
        if let Some(hint) = &self.hint {
            let (name, value) = hint.header();
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Turns a rejection of warp into an answer. The route table has already answered unknown paths and methods, so what is
/// neither ours nor known is a defect: an endpoint of the table that no filter takes.
///
/// # Errors
/// Never fails; the signature is warp's.
pub async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let problem = match rejection.find::<Problem>() {
        Some(problem) => problem.clone(),
        None => Problem::internal(format!("no filter took the request: {rejection:?}")),
    };
    Ok(problem.into_response())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use borgos_actors::value::Port;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;

    async fn rendered(problem: Problem) -> (StatusCode, warp::http::HeaderMap, Value) {
        let mut response = problem.into_response();
        render(&mut response, "req_1");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn documented_errors_read_exactly_as_documented() {
        let in_use = Error::PortInUse {
            port: Port::try_from(8080).unwrap(),
            holder: None,
        };
        let (status, _, body) = rendered(in_use.into()).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({"error": "Invalid request", "message": "Port 8080 is already in use", "code": "PORT_IN_USE", "request_id": "req_1"})
        );

        let (status, headers, body) = rendered(Problem::unauthorized(Challenge::Bearer)).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], "Bearer realm=\"borgos\"");
        assert_eq!(body["error"], "Unauthorized");
        assert_eq!(body["message"], "Invalid or missing authentication token");

        let missing = Error::NotFound {
            kind: "Project",
            id: "99".to_owned(),
        };
        let (status, _, body) = rendered(missing.into()).await;
        assert_eq!(status, 404);
        assert_eq!(body["error"], "Not found");
        assert_eq!(body["message"], "Project with id 99 not found");

        let (status, _, body) = rendered(Error::Internal("canary".to_owned()).into()).await;
        assert_eq!(status, 500);
        assert_eq!(body["error"], "Internal server error");
        assert_eq!(body["message"], "An unexpected error occurred");
        assert!(!body.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn every_error_that_passes_by_itself_says_when_to_try_again() {
        let actor = || "deployments".to_owned();
        let cases: [Error; 5] = [
            Error::Busy { actor: actor() },
            Error::Restarting { actor: actor() },
            Error::Timeout {
                actor: actor(),
                after: Duration::from_secs(1),
            },
            Error::Engine("canary".into()),
            Error::Database(sea_orm::DbErr::Custom("canary".to_owned())),
        ];
        for error in cases {
            let (status, headers, body) = rendered(error.into()).await;
            assert_eq!(status, 503, "{body}");
            assert!(headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            assert!(!body.to_string().contains("canary"), "{body}");
        }
    }

    #[test]
    fn conflicts_and_impossibilities_keep_their_own_code() {
        let conflict = Problem::from(Error::Conflict {
            code: "PROJECT_HAS_DEPLOYMENTS",
            reason: "it has deployments".to_owned(),
        });
        assert_eq!(
            (conflict.status().as_u16(), conflict.code()),
            (409, "PROJECT_HAS_DEPLOYMENTS")
        );
        let impossible = Problem::from(Error::Impossible {
            code: "NOTHING_TO_DEPLOY",
            reason: "there is no Dockerfile".to_owned(),
        });
        assert_eq!(
            (impossible.status().as_u16(), impossible.code()),
            (422, "NOTHING_TO_DEPLOY")
        );
    }
}
