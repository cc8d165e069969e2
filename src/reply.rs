//! Success answers: the only place that builds JSON bodies and the envelope of lists.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use borgos_actors::Error;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use schemars::JsonSchema;
use serde::Serialize;
use warp::{
    Reply as _,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, LINK, LOCATION, X_CONTENT_TYPE_OPTIONS},
    },
    reply::Response,
};

use crate::{
    problem::Problem,
    query::{Fields, Page},
};

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// A success answer.
#[derive(Debug)]
pub struct Reply(Response);

#[derive(Serialize)]
struct Envelope<'a, T> {
    data: &'a [T],
    pagination: Pagination,
}

/// Which part of a list an answer has.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Pagination {
    total: u64,
    limit: u64,
    offset: u64,
    has_more: bool,
}

impl Reply {
    /// Says how many there are in all, of which the answer has some.
    pub fn with_total(self, total: u64) -> Self {
        self.with_header(X_TOTAL_COUNT, HeaderValue::from(total))
    }

    /// Adds a header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }
}

/// 200 with a body.
pub fn ok(body: &impl Serialize) -> Reply {
    Reply(json(StatusCode::OK, body))
}

/// Any other status with a body that is not an error body, such as that of an unhealthy `/health`.
pub fn with_status(status: StatusCode, body: &impl Serialize) -> Reply {
    Reply(json(status, body))
}

/// 202: the work was accepted and goes on.
pub fn accepted(body: &impl Serialize) -> Reply {
    Reply(json(StatusCode::ACCEPTED, body))
}

/// 201 with the path of what was created.
pub fn created(location: &str, body: &impl Serialize) -> Reply {
    let mut response = json(StatusCode::CREATED, body);
    insert(&mut response, LOCATION, location);
    Reply(response)
}

/// 200 with one page of a list: a bare array, or the envelope when the client asked with `offset`. Both say how many
/// there are in all and where the neighbouring pages are.
pub fn list<T: Serialize>(rows: &[T], total: u64, page: &Page) -> Reply {
    let end = page.offset.saturating_add(rows.len() as u64);
    let mut response = if page.is_enveloped {
        let pagination = Pagination {
            total,
            limit: page.limit,
            offset: page.offset,
            has_more: end < total,
        };
        json(StatusCode::OK, &Envelope { data: rows, pagination })
    } else {
        json(StatusCode::OK, &rows)
    };
    response.headers_mut().insert(X_TOTAL_COUNT, HeaderValue::from(total));
    let links = links(page, end, total);
    if !links.is_empty() {
        insert(&mut response, LINK, &links);
    }
    Reply(response)
}

/// [`list`] with only those fields of each row that the client named, if it did.
///
/// # Errors
/// Fails when a row cannot be written, which is a defect.
pub fn list_fields<T: Serialize>(
    rows: &[T],
    fields: Option<&Fields>,
    total: u64,
    page: &Page,
) -> Result<Reply, Problem> {
    let Some(fields) = fields else {
        return Ok(list(rows, total, page));
    };
    let rows: Vec<_> = rows.iter().map(|row| fields.of(row)).collect::<Result<_, _>>()?;
    Ok(list(&rows, total, page))
}

/// 200 with one page of a list that is in memory, as [`list`] answers.
pub fn page_of<T: Serialize>(all: &[T], page: &Page) -> Reply {
    let position = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).min(all.len());
    let range = position(page.offset)..position(page.offset.saturating_add(page.limit));
    list(all.get(range).unwrap_or_default(), all.len() as u64, page)
}

/// 200 with a file of a project, which no browser may take for a page.
pub fn file(content: Vec<u8>) -> Reply {
    let kind = match std::str::from_utf8(&content) {
        Ok(_) => "text/plain; charset=utf-8",
        Err(_) => "application/octet-stream",
    };
    raw(kind, content.into()).with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}

/// 200 with a text of this type.
pub fn raw(content_type: &'static str, text: Bytes) -> Reply {
    Reply(typed(Response::new(text.into()), content_type))
}

/// 200 with a text of this type that is sent as it comes. An error cuts it off, so that the client sees that it is not the
/// end.
pub fn stream(content_type: &'static str, chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Reply {
    let chunks = Exclusive(Mutex::new(chunks.boxed()));
    Reply(typed(warp::reply::stream(chunks).into_response(), content_type))
}

/// Makes a stream shareable, as warp wants its bodies, although it is only ever polled by its owner.
struct Exclusive(Mutex<BoxStream<'static, Result<Bytes, Error>>>);

impl Stream for Exclusive {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let inner = self.get_mut().0.get_mut();
        inner.unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    }
}

fn typed(mut response: Response, content_type: &'static str) -> Response {
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn links(page: &Page, end: u64, total: u64) -> String {
    let mut links = Vec::new();
    if end < total {
        links.push(format!("<{}>; rel=\"next\"", page.target(end)));
    }
    if page.offset > 0 {
        links.push(format!(
            "<{}>; rel=\"prev\"",
            page.target(page.offset.saturating_sub(page.limit))
        ));
    }
    links.join(", ")
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(bytes.into());
            *response.status_mut() = status;
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(cause) => warp::Reply::into_response(Problem::internal(format!("body could not be written: {cause}"))),
    }
}

/// Sets a header whose text we made ourselves; a text that no header can hold makes the answer a defect's.
fn insert(response: &mut Response, name: HeaderName, text: &str) {
    match HeaderValue::from_str(text) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(_) => {
            *response = warp::Reply::into_response(Problem::internal(format!("header {name} cannot be {text:?}")));
        }
    }
}

impl warp::Reply for Reply {
    fn into_response(self) -> Response {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use warp::{Reply as _, http::HeaderMap};

    use super::*;
    use crate::query::Query;

    async fn parts(reply: Reply) -> (StatusCode, HeaderMap, Value) {
        let (parts, body) = reply.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    fn page(raw: &str) -> Page {
        let names = ["limit", "offset", "active"];
        Query::parse("/api/v1/projects", raw, &names).unwrap().page().unwrap()
    }

    #[tokio::test]
    async fn a_list_is_a_bare_array_unless_the_client_pages() {
        let (_, headers, body) = parts(list(&[1, 2], 5, &page("limit=2&active=true"))).await;
        assert_eq!(body, json!([1, 2]));
        assert_eq!(headers["x-total-count"], "5");
        assert_eq!(
            headers["link"],
            "</api/v1/projects?active=true&limit=2&offset=2>; rel=\"next\""
        );
    }

    #[tokio::test]
    async fn a_page_comes_in_an_envelope_with_links() {
        let (_, headers, body) = parts(list(&[3, 4], 5, &page("limit=2&offset=2"))).await;
        assert_eq!(
            body,
            json!({"data": [3, 4], "pagination": {"total": 5, "limit": 2, "offset": 2, "has_more": true}})
        );
        assert_eq!(
            headers["link"],
            "</api/v1/projects?limit=2&offset=4>; rel=\"next\", </api/v1/projects?limit=2&offset=0>; rel=\"prev\""
        );
        let (_, _, body) = parts(list(&[5], 5, &page("limit=2&offset=4"))).await;
        assert_eq!(body["pagination"]["has_more"], false);
    }

    #[tokio::test]
    async fn what_was_created_has_a_location() {
        let (status, headers, body) = parts(created("/api/v1/projects/2", &json!({"id": 2}))).await;
        assert_eq!((status, body), (StatusCode::CREATED, json!({"id": 2})));
        assert_eq!(headers["location"], "/api/v1/projects/2");
    }
}
