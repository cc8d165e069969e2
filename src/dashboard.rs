//! The dashboard: files that a browser runs, embedded in the program.
//!
//! They hold no data, so everybody may have them; what a page shows it asks of the API, with the credential of the person
//! in front of it. Nothing is fetched from anywhere else, and the policy that goes out with every file has the browser
//! refuse what is not one of them: scripts and styles within a page, other sites, and text that is made into markup.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY},
    },
    reply::Response,
};

use crate::problem::Problem;

/// The page that loads all others.
const INDEX: &str = "index.html";
/// What a browser lets these files do.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      object-src 'none'; require-trusted-types-for 'script'";
/// Browsers keep the files and ask whether they are still the same, so that an upgrade shows at once.
const CACHING: &str = "no-cache";

/// Types by the end of a file's name.
const TYPES: [(&str, &str); 4] = [
    (".html", "text/html; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".svg", "image/svg+xml"),
];

#[derive(RustEmbed)]
#[folder = "src/dashboard/assets"]
struct Assets;

/// Answers with the page.
///
/// # Errors
/// Never fails; a program without the page is a defect.
pub fn page(headers: &HeaderMap) -> Result<Response, Problem> {
    file(INDEX, headers)
}

/// Answers with the file of this path, or tells the browser that it has it already.
///
/// # Errors
/// 404 when there is no such file.
pub fn file(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let file = Assets::get(path).ok_or_else(Problem::unknown_path)?;
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
        (CONTENT_SECURITY_POLICY, POLICY),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_type() {
        for path in Assets::iter() {
            let response = file(&path, &HeaderMap::new()).unwrap();
            assert!(response.headers().contains_key(CONTENT_TYPE), "{path}");
        }
    }

    fn texts() -> impl Iterator<Item = (String, String)> {
        Assets::iter().map(|path| {
            let content = Assets::get(&path).unwrap().data.into_owned();
            (path.into_owned(), String::from_utf8(content).unwrap())
        })
    }

    #[test]
    fn no_script_makes_markup_or_code_of_text() {
        let dangerous = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ];
        for (path, text) in texts().filter(|(path, _)| path.ends_with(".js")) {
            let found = dangerous.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{path}");
        }
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        let mut num_named = 0;
        for (path, text) in texts() {
            for rest in text.split("\"/assets/").skip(1) {
                let named = rest.split('"').next().unwrap_or_default();
                assert!(Assets::get(named).is_some(), "{path} names {named}, which is not there");
                num_named += 1;
            }
        }
        assert!(num_named > 20, "only {num_named} names were found");
    }

    #[test]
    fn a_file_that_has_not_changed_is_not_sent_again() {
        let first = page(&HeaderMap::new()).unwrap();
        let tag = first.headers()[ETAG].clone();
        let other = HeaderValue::from_static("\"other\"");
        for (known, status) in [(tag, 304), (other, 200)] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, known)]);
            assert_eq!(page(&headers).unwrap().status().as_u16(), status);
        }
    }

    #[test]
    fn nothing_outside_is_served() {
        for path in [
            "",
            "/",
            "../dashboard.rs",
            "../../main.rs",
            "pages",
            "/etc/passwd",
            "no.js",
        ] {
            assert_eq!(file(path, &HeaderMap::new()).unwrap_err().status(), 404, "{path}");
        }
    }
}
