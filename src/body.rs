//! JSON request bodies, read strictly: bounded in size, time and depth, with every refusal naming the field.
//!
//! The text is read as JSON before the shape is looked at, so a syntax error is `INVALID_JSON` whatever the fields before
//! it are. A request type refuses unknown fields by `#[serde(deny_unknown_fields)]`.

mod fault;
pub mod field;
mod tree;

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use warp::{
    Filter, Rejection,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    reject,
};

use crate::problem::Problem;

/// The largest body that is read.
const MAX_BYTES: usize = 1024 * 1024;
/// How long a client may take to send its body.
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// Extracts the JSON body of a request.
///
/// Rejects with 408 a body that is sent too slowly, 413 one that is too large, 415 one that is not declared as JSON, and
/// 400 one that is not JSON (`INVALID_JSON`) or does not have the shape of `T` (`INVALID_FIELD`).
pub fn json<T: DeserializeOwned + Send>() -> impl Filter<Extract = (T,), Error = Rejection> + Clone {
    warp::header::headers_cloned()
        .and(warp::body::stream())
        .and_then(|headers: HeaderMap, stream| async move {
            check_headers(&headers).map_err(reject::custom)?;
            let bytes = read(stream).await.map_err(reject::custom)?;
            parse(&bytes).map_err(reject::custom)
        })
}

/// Extracts the body of a request as it is; whoever takes it looks at its kind.
///
/// Rejects with 408 a body that is sent too slowly and with 413 one that is too large.
pub fn bytes() -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone {
    warp::body::stream().and_then(|stream| async move { read(stream).await.map_err(reject::custom) })
}

/// Reads a body of JSON, if there is one.
pub fn json_opt<T: DeserializeOwned + Send>() -> impl Filter<Extract = (Option<T>,), Error = Rejection> + Clone {
    warp::header::headers_cloned()
        .and(warp::body::stream())
        .and_then(|headers: HeaderMap, stream| async move {
            let bytes = read(stream).await.map_err(reject::custom)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            check_headers(&headers).map_err(reject::custom)?;
            parse(&bytes).map(Some).map_err(reject::custom)
        })
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let is_json = kinds.next().is_some_and(is_json) && kinds.next().is_none();
    if !is_json || headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be sent as `Content-Type: application/json`, in UTF-8 and without a content encoding",
        ));
    }
    // The listener has refused lengths that are no numbers.
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BYTES as u64) {
        return Err(too_large());
    }
    Ok(())
}

fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_utf8 = |parameter: &str| {
        let parameter = parameter.trim().to_ascii_lowercase();
        matches!(parameter.as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"")
    };
    kind.trim().eq_ignore_ascii_case("application/json") && parameters.split(';').all(is_utf8)
}

async fn read<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>>) -> Result<Bytes, Problem> {
    match timeout(READ_DEADLINE, collect(stream)).await {
        Ok(result) => result,
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "BODY_TIMEOUT",
            format!("the body did not arrive within {} s", READ_DEADLINE.as_secs()),
        )),
    }
}

async fn collect<B: Buf>(stream: impl Stream<Item = Result<B, warp::Error>>) -> Result<Bytes, Problem> {
    pin_mut!(stream);
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let mut chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "INVALID_BODY", "the body ended before its end"))?;
        if bytes.len() + chunk.remaining() > MAX_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
    }
    Ok(bytes.freeze())
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "BODY_TOO_LARGE",
        format!("the body must have at most {MAX_BYTES} bytes"),
    )
}

/// Reads a value of type `T` from JSON text.
///
/// # Errors
/// `INVALID_JSON` with line and column when the text is no JSON or nested too deeply, `INVALID_FIELD` when it has
/// another shape than `T` or a field twice.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let tree = tree::parse(bytes)?;
    // Serde would take an array for a struct, too, with the fields in the order of our code.
    if !tree.is_object() {
        return Err(fault::explain(".", "invalid type, expected a map"));
    }
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        fault::explain(&path, &error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use borgos_actors::value::{Environment, Port};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Deploy {
        project_id: i64,
        port: Port,
        #[serde(default)]
        environment: Environment,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn refusal(text: &str) -> (&'static str, String) {
        let problem = parse::<Deploy>(text.as_bytes()).unwrap_err();
        assert_eq!(problem.status(), 400);
        (problem.code(), problem.message().to_owned())
    }

    #[test]
    fn a_good_body_is_read() {
        let text = br#"{"project_id": 1.0, "port": 8090, "environment": {"A": "b"}, "tags": ["x"]}"#;
        let deploy: Deploy = parse(text).unwrap();
        assert_eq!((deploy.project_id, deploy.port.get()), (1, 8090));
        assert_eq!(deploy.environment.iter().collect::<Vec<_>>(), [("A", "b")]);
        assert_eq!(deploy.tags, ["x"]);
    }

    #[test]
    fn text_that_is_no_json_is_told_from_json_of_another_shape() {
        for text in [
            "",
            "{",
            "{\"project_id\": 1,}",
            "\u{feff}{}",
            "{} {}",
            "nul",
            "{\"project_id\": 1e999}",
            "{\"a\": \"\u{1}\"}",
        ] {
            let (code, message) = refusal(text);
            assert_eq!(code, "INVALID_JSON", "{text:?}: {message}");
            assert!(message.contains("line"), "{message}");
        }
        assert_eq!(
            parse::<Deploy>(b"{\"a\": \"\xff\"}").unwrap_err().code(),
            "INVALID_JSON"
        );
    }

    #[test]
    fn nesting_bombs_are_refused() {
        for text in [
            "[".repeat(100_000),
            format!("{{\"tags\": {}{}}}", "[".repeat(200), "]".repeat(200)),
        ] {
            assert_eq!(refusal(&text).0, "INVALID_JSON");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let table = [
            ("[]", "the body must be an object"),
            ("null", "the body must be an object"),
            (r#"{"port": 1}"#, "`project_id` is required"),
            (
                r#"{"project_id": 1, "prot": 1}"#,
                "`prot` is not a field of this request, which has `project_id`, `port`, `environment`, `tags`",
            ),
            (
                r#"{"project_id": "1", "port": 1}"#,
                "`project_id` must be a whole number",
            ),
            (
                r#"{"project_id": 1.5, "port": 1}"#,
                "`project_id` must be a whole number",
            ),
            (
                r#"{"project_id": 1, "port": 70000}"#,
                "`port` must be a port number from 1 to 65535",
            ),
            (
                r#"{"project_id": 1, "port": 1, "port": 2}"#,
                "`port` must not be given twice",
            ),
            (
                r#"{"project_id": 1, "port": 1, "environment": {"A": "1", "A": "2"}}"#,
                "`environment.A` must not be given twice",
            ),
            (
                r#"{"project_id": 1, "port": 1, "tags": ["a", 1]}"#,
                "`tags[1]` must be a string",
            ),
            (r#"{"project_id": 1, "port": 1, "tags": {}}"#, "`tags` must be an array"),
            (r#"{"project_id": 1, "port": null}"#, "`port` must be a whole number"),
        ];
        for (text, message) in table {
            assert_eq!(refusal(text), ("INVALID_FIELD", message.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_a_huge_name() {
        let text = format!("{{\"{}\": 1}}", "x".repeat(100_000));
        assert!(refusal(&text).1.len() < 500);
    }

    #[test]
    fn only_json_in_utf8_is_taken() {
        let with = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            check_headers(&headers).is_ok()
        };
        assert!(with("application/json") && with("Application/JSON; charset=UTF-8"));
        for bad in [
            "text/plain",
            "application/jsonx",
            "application/json; charset=latin1",
            "",
        ] {
            assert!(!with(bad), "{bad}");
        }
        assert_eq!(check_headers(&HeaderMap::new()).unwrap_err().status(), 415);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = futures_util::stream::pending::<Result<Bytes, warp::Error>>();
        assert_eq!(read(endless).await.unwrap_err().status(), 408);
    }

    #[tokio::test]
    async fn a_chunked_body_is_counted_too() {
        let chunk = || Ok(Bytes::from(vec![b' '; 64 * 1024]));
        let stream = futures_util::stream::iter((0..17).map(|_| chunk()));
        assert_eq!(read(stream).await.unwrap_err().status(), 413);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_with_400(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            if let Err(problem) = parse::<serde_json::Value>(&bytes) {
                proptest::prop_assert_eq!(problem.status(), 400);
            }
        }
    }
}
