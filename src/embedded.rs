//! Files that browsers run or show, embedded in the program: the dashboard, and the page that shows the API.
//!
//! They hold no data, so everybody may have them.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY},
    },
    reply::Response,
};

use crate::problem::Problem;

/// Browsers keep the files and ask whether they are still the same, so that an upgrade shows at once.
const CACHING: &str = "no-cache";

/// Types by the end of a file's name.
pub(crate) const TYPES: [(&str, &str); 4] = [
    (".html", "text/html; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".svg", "image/svg+xml"),
];

/// Answers with a file, under the policy of what a browser lets it do, or tells the browser that it has it already.
///
/// # Errors
/// 404 when there is no such file.
pub(crate) fn answer<F: RustEmbed>(path: &str, policy: &'static str, headers: &HeaderMap) -> Result<Response, Problem> {
    let file = F::get(path).ok_or_else(Problem::unknown_path)?;
    let content_type = content_type(path).ok_or_else(Problem::unknown_path)?;
    let tag = tag(&file);
    let mut response = if is_known(headers, &tag) {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(file.data.into_owned().into())
    };
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, CACHING),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    match HeaderValue::from_str(&tag) {
        Ok(tag) => {
            response.headers_mut().insert(ETAG, tag);
            Ok(response)
        }
        Err(cause) => Err(Problem::internal(format!("a tag is no header: {cause}"))),
    }
}

fn content_type(path: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(ending, _)| path.ends_with(ending));
    found.map(|(_, content_type)| *content_type)
}

fn tag(file: &EmbeddedFile) -> String {
    let digits = file.metadata.sha256_hash().map(|byte| format!("{byte:02x}"));
    format!("\"{}\"", digits.concat())
}

/// Says whether the browser has the file with this tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}
