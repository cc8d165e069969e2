//! Carries out calls of tools, on behalf of a caller.

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tower_service::Service as _;
use tracing::Instrument;
use warp::{
    Reply,
    filters::BoxedFilter,
    http::{StatusCode, header::CONTENT_TYPE},
    reply::Response,
};

use super::tools::{self, Shape, Tool};
use crate::{
    guard::{
        audit::{Auditor, Deed, Requester},
        auth::Caller,
        check_scope,
    },
    problem::Problem,
    routes::{self, TABLE},
};

/// The header by which lists say how long they are.
const X_TOTAL_COUNT: &str = "x-total-count";

/// Carries out calls of tools. Cheap to clone.
#[derive(Clone)]
pub struct Toolbox {
    resources: BoxedFilter<(Response,)>,
    auditor: Auditor,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The answer.
    pub value: Value,
    /// How many there are in all, of which a list has some.
    pub total: Option<u64>,
}

impl Toolbox {
    /// Makes a toolbox of the filters that answer the REST API. They are behind the guard, so what a tool changes is
    /// written down here.
    pub fn new(resources: BoxedFilter<(Response,)>, auditor: Auditor) -> Self {
        Self { resources, auditor }
    }

    /// Iterates over the tools that a caller may use.
    pub fn tools(&self, caller: &Caller) -> impl Iterator<Item = &'static Tool> {
        tools::all().filter(move |tool| {
            let endpoint = tool.endpoint();
            endpoint.is_ok_and(|endpoint| check_scope(endpoint.scope, Some(caller)).is_ok())
        })
    }

    /// Carries out a call.
    ///
    /// # Errors
    /// Says why not, as the REST API would: the caller may not, an argument is wrong, or the request was refused.
    pub async fn call(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        requester: &Requester,
    ) -> Result<Output, Problem> {
        let span = tracing::info_span!("tool", tool = tool.name, caller = &*requester.caller.name);
        self.carry_out(tool, arguments, requester).instrument(span).await
    }

    async fn carry_out(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        requester: &Requester,
    ) -> Result<Output, Problem> {
        let endpoint = tool.endpoint()?;
        check_scope(endpoint.scope, Some(&requester.caller))?;
        let wanted = tool.request(arguments)?;
        let path = wanted.target.split('?').next().unwrap_or_default();
        // An argument must not turn the request into one for another endpoint.
        match routes::find(TABLE, &wanted.method, path) {
            Ok(found) if std::ptr::eq(found, endpoint) => endpoint.check_parameters(path)?,
            _ => return Err(Problem::unknown_path()),
        }
        let body = wanted.body.map(Value::Object).map(|body| body.to_string());
        let mut request = Request::builder()
            .method(wanted.method)
            .uri(&wanted.target)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|cause| Problem::internal(format!("a tool's request cannot be made: {cause}")))?;
        request.extensions_mut().insert(requester.caller.clone());
        // Warp cannot answer a request within another one's poll, so this has a task of its own, which ends with this call.
        let resources = self.resources.clone();
        let mut task = JoinSet::new();
        let work = async {
            task.spawn(async move { warp::service(resources).call(request).await }.in_current_span());
            match task.join_next().await {
                Some(Ok(Ok(response))) => response,
                Some(Err(cause)) => Problem::internal(format!("a tool's request failed: {cause}")).into_response(),
                None => Problem::internal("a tool's request was never made").into_response(),
            }
        };
        let deed = Deed {
            endpoint,
            path,
            tool: Some(tool.name),
        };
        read(self.auditor.witness(requester, deed, work).await, tool.shape).await
    }
}

impl Output {
    /// Returns the answer as an object, as structured content must be.
    pub fn into_object(self) -> Value {
        match self.value {
            object @ Value::Object(_) => object,
            Value::Array(items) => {
                let total = self.total.unwrap_or(items.len() as u64);
                json!({"items": items, "total": total})
            }
            other => json!({"content": other}),
        }
    }
}

async fn read(response: Response, shape: Shape) -> Result<Output, Problem> {
    let (parts, body) = response.into_parts();
    if let Some(problem) = parts.extensions.get::<Problem>() {
        return Err(problem.clone());
    }
    let collected = body.collect().await;
    let bytes = collected
        .map_err(|cause| Problem::internal(format!("an answer cannot be read: {cause}")))?
        .to_bytes();
    let total = parts
        .headers
        .get(X_TOTAL_COUNT)
        .and_then(|total| total.to_str().ok()?.parse().ok());
    Ok(Output {
        value: value(&bytes, shape)?,
        total,
    })
}

fn value(bytes: &[u8], shape: Shape) -> Result<Value, Problem> {
    if shape == Shape::Text {
        let text = std::str::from_utf8(bytes).map(Value::from);
        return text.map_err(|_| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "NOT_TEXT", "the file is no text"));
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|cause| Problem::internal(format!("an answer is no JSON: {cause}")))?;
    Ok(match (shape, value) {
        (Shape::Paths, Value::Array(mut files)) => {
            Value::Array(files.iter_mut().map(|file| file["path"].take()).collect())
        }
        (_, value) => value,
    })
}
