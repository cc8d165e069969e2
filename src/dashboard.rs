//! The dashboard: files that a browser runs, embedded in the program.
//!
//! They hold no data, so everybody may have them; what a page shows it asks of the API, with the credential of the person
//! in front of it. Nothing is fetched from anywhere else, and the policy that goes out with every file has the browser
//! refuse what is not one of them: scripts and styles within a page, other sites, and text that is made into markup.

use rust_embed::RustEmbed;
use warp::{http::HeaderMap, reply::Response};

use crate::{embedded, problem::Problem};

/// The page that loads all others.
const INDEX: &str = "index.html";
/// What a browser lets these files do.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      object-src 'none'; require-trusted-types-for 'script'";

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
    embedded::answer::<Assets>(path, POLICY, headers)
}

#[cfg(test)]
mod tests {
    use warp::http::{
        HeaderValue,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    };

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
