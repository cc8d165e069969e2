//! One request from its head to its answer, whatever it is for: id, span, guard, routes, and the headers of every answer.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures_util::FutureExt;
use hyper::{Request, body::Incoming};
use tower_service::Service as _;
use tracing::{Instrument, Span, field};
use warp::{
    Reply,
    filters::BoxedFilter,
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    reply::Response,
};

use crate::{
    guard::{
        Arrival, Found, Guard, Judgement, Verdict,
        audit::{Auditor, Deed, Requester},
        cors::Grant,
        rate::Allowance,
        request_id::{RequestId, X_REQUEST_ID},
    },
    problem::{self, Problem},
    routes::{self, Endpoint, TABLE},
};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// What every answer says unless it says something else. None of them is a page that may load anything or be framed.
const FIXED: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    guard: Arc<Guard>,
    auditor: Auditor,
    routes: BoxedFilter<(Response,)>,
}

impl Service {
    /// Puts the guard in front of the routes.
    pub fn new(guard: Guard, auditor: Auditor, routes: BoxedFilter<(Response,)>) -> Self {
        Self {
            guard: Arc::new(guard),
            auditor,
            routes,
        }
    }

    /// Answers one request.
    pub async fn respond(&self, request: Request<Incoming>, arrival: Arrival) -> Response {
        let id = RequestId::of(request.headers());
        let found = routes::find(TABLE, request.method(), request.uri().path());
        let span = span(request.method(), &found, &id);
        self.answer(request, arrival, found, &id).instrument(span).await
    }

    async fn answer(&self, request: Request<Incoming>, arrival: Arrival, found: Found, id: &RequestId) -> Response {
        let started = Instant::now();
        let is_head = request.method() == Method::HEAD;
        let (parts, body) = request.into_parts();
        let arrival = Arrival {
            peer: self.guard.client(arrival.peer, &parts.headers),
            ..arrival
        };
        let grant = self.guard.cors().grant(&parts);
        let endpoint = found.as_ref().ok().copied();
        let Judgement {
            verdict,
            allowance,
            refusal,
        } = self.guard.judge(&parts, arrival, found).await;
        let mut response = match verdict {
            Verdict::Pass(caller) => {
                let requester = caller.map(|caller| Requester {
                    caller,
                    address: arrival.peer,
                    request_id: id.clone(),
                });
                let request = Request::from_parts(parts, body);
                self.carry_out(request, endpoint, requester, id).await
            }
            Verdict::Methods(allow) => methods(allow),
            Verdict::Refuse(problem) => {
                if let Some(refusal) = refusal {
                    let path = parts.uri.path();
                    self.auditor
                        .note_refusal(refusal, &problem, path, arrival.peer, id)
                        .await;
                }
                problem.into_response()
            }
        };
        self.finish(&mut response, id, allowance, grant);
        if is_head {
            strip_body(&mut response);
        }
        log(response.status(), started);
        response
    }

    /// Has a request answered, and written down if it is a change.
    async fn carry_out(
        &self,
        mut request: Request<Incoming>,
        endpoint: Option<&'static Endpoint>,
        requester: Option<Requester>,
        id: &RequestId,
    ) -> Response {
        let path = request.uri().path().to_owned();
        request.extensions_mut().insert(id.clone());
        let (Some(requester), Some(endpoint)) = (requester, endpoint) else {
            return self.route(request).await;
        };
        request.extensions_mut().insert(requester.caller.clone());
        request.extensions_mut().insert(requester.clone());
        let deed = Deed {
            endpoint,
            path: &path,
            tool: None,
        };
        self.auditor.witness(&requester, deed, self.route(request)).await
    }

    /// Puts in what every answer has.
    fn finish(&self, response: &mut Response, id: &RequestId, allowance: Option<Allowance>, grant: Option<Grant>) {
        problem::render(response, id.as_str());
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, id.to_header());
        if let Some(allowance) = allowance {
            allowance.write(headers);
        }
        let is_for_others = grant.is_some();
        match grant {
            Some(grant) => grant.write(headers),
            None if self.guard.cors().is_on() => {
                headers.insert(VARY, HeaderValue::from_name(ORIGIN));
            }
            None => {}
        }
        for (name, value) in FIXED {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if !is_for_others {
            let own = HeaderValue::from_static("same-origin");
            headers.entry(RESOURCE_POLICY).or_insert(own);
        }
    }

    /// Hands a request to its filter. A panic there is a defect, and the client still gets an answer.
    async fn route(&self, mut request: Request<Incoming>) -> Response {
        if request.method() == Method::HEAD {
            *request.method_mut() = Method::GET;
        }
        let answer = warp::service(self.routes.clone()).call(request);
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Err(payload) => Problem::internal(format!("a handler panicked: {}", panic_text(&*payload))).into_response(),
        }
    }
}

fn span(method: &Method, found: &Found, id: &RequestId) -> Span {
    let (route, operation) = found
        .as_ref()
        .map_or(("", ""), |endpoint| (endpoint.path, endpoint.name));
    tracing::info_span!(
        "request",
        request.id = id.as_str(),
        http.method = %method,
        http.route = route,
        operation,
        http.status = field::Empty,
    )
}

fn log(status: StatusCode, started: Instant) {
    Span::current().record("http.status", status.as_u16());
    let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    tracing::debug!(duration_ms, "answered {} in {duration_ms:.1} ms", status.as_u16());
}

fn methods(allow: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// Leaves the head of an answer as it is and takes its body away, as `HEAD` wants it.
fn strip_body(response: &mut Response) {
    if let Some(length) = hyper::body::Body::size_hint(response.body()).exact() {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Response::default().into_body();
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
