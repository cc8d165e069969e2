//! Query strings, read strictly: a parameter that is unknown, repeated, empty, malformed or out of range is a 400 that
//! names it, because a misspelt filter must not return everything.

mod fields;

use std::future::ready;

use borgos_actors::{Error, search::PathGlob, store, value::Invalid};
use chrono::{DateTime, Utc};
use warp::{Filter, Rejection, path::FullPath, reject};

pub use self::fields::{Fields, Names};
use crate::problem::Problem;

/// How many rows a list has when the client does not say.
pub(crate) const DEFAULT_LIMIT: u64 = 100;
/// How many rows a client may ask for.
pub(crate) const MAX_LIMIT: u64 = 1000;
/// No list is longer, and every database takes it.
const MAX_OFFSET: u64 = i64::MAX as u64;
/// Longer texts are refused; no name that is searched for is that long.
pub(crate) const MAX_TEXT_CHARS: usize = 1000;
/// How much of a parameter's name is repeated in an answer.
const MAX_SHOWN_CHARS: usize = 64;

/// The parameters of one request, known to be allowed, unique and decoded.
#[derive(Debug, Clone)]
pub struct Query {
    path: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: &'static str,
    value: String,
    /// As the client wrote it, for links to other pages.
    raw: String,
}

/// Which part of a list the client wants.
#[derive(Debug, Clone)]
pub struct Page {
    /// How many rows at most.
    pub limit: u64,
    /// How many rows to skip.
    pub offset: u64,
    /// Whether the answer is the envelope: the client named an offset.
    pub is_enveloped: bool,
    /// Path and filters of the list, to which `limit` and `offset` are appended.
    base: String,
}

impl Page {
    /// Returns which rows the store is asked for.
    pub fn rows(&self) -> store::Page {
        store::Page {
            limit: self.limit,
            offset: self.offset,
        }
    }

    /// Returns the path and query of the page that begins at `offset`.
    pub fn target(&self, offset: u64) -> String {
        format!("{}limit={}&offset={offset}", self.base, self.limit)
    }
}

/// Extracts the query of a request that may have the named parameters and no others.
pub fn strict(names: &'static [&'static str]) -> impl Filter<Extract = (Query,), Error = Rejection> + Clone {
    let raw = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path::full()
        .and(raw)
        .and_then(move |path: FullPath, raw: String| {
            ready(Query::parse(path.as_str(), &raw, names).map_err(reject::custom))
        })
}

/// Refuses a query: the request takes no parameters.
pub fn none() -> impl Filter<Extract = (), Error = Rejection> + Clone {
    strict(&[]).map(drop).untuple_one()
}

impl Query {
    /// Reads a raw query string.
    ///
    /// # Errors
    /// Says which parameter is unknown, repeated, empty or malformed.
    pub fn parse(path: &str, raw: &str, names: &[&'static str]) -> Result<Self, Problem> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let parameter = parameter(pair, names)?;
            if parameters.iter().any(|known| known.name == parameter.name) {
                return Err(Problem::invalid_field(parameter.name, "must not be given twice"));
            }
            parameters.push(parameter);
        }
        Ok(Self {
            path: path.to_owned(),
            parameters,
        })
    }

    /// Returns a text of at most 1000 characters, none of them a control character.
    ///
    /// # Errors
    /// Names the parameter when its text is too long or holds control characters.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        if value.chars().count() > MAX_TEXT_CHARS || value.chars().any(char::is_control) {
            let reason = format!("must have at most {MAX_TEXT_CHARS} characters and no control characters");
            return Err(invalid(name, reason));
        }
        Ok(Some(value))
    }

    /// Returns a `true` or `false`.
    ///
    /// # Errors
    /// Names the parameter when it is anything else.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(invalid(name, "must be `true` or `false`")),
        }
    }

    /// Returns a pattern of paths; one without a slash is about names.
    ///
    /// # Errors
    /// Names the parameter and what is wrong with the pattern.
    pub fn glob(&self, name: &str) -> Result<Option<PathGlob>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let glob = PathGlob::parse(text).map_err(|reason| invalid(name, format!("is no path pattern: {reason}")))?;
        Ok(Some(glob))
    }

    /// Returns the id of something.
    ///
    /// # Errors
    /// Names the parameter when it is no positive whole number.
    pub fn id(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.value(name).map(parse_id) {
            None => Ok(None),
            Some(Some(id)) => Ok(Some(id)),
            Some(None) => Err(invalid(name, "must be a positive whole number")),
        }
    }

    /// Returns a point in time.
    ///
    /// # Errors
    /// Names the parameter when it is not RFC 3339.
    pub fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
        match self.value(name).map(DateTime::parse_from_rfc3339) {
            None => Ok(None),
            Some(Ok(time)) => Ok(Some(time.to_utc())),
            Some(Err(_)) => Err(invalid(name, "must be an RFC 3339 time such as `2024-01-15T10:30:00Z`")),
        }
    }

    /// Returns the value that a text is parsed as.
    ///
    /// # Errors
    /// Names the parameter and says what is allowed.
    pub fn parsed<T>(&self, name: &str, parse: impl FnOnce(String) -> Result<T, Invalid>) -> Result<Option<T>, Error> {
        let Some(value) = self.text(name)? else {
            return Ok(None);
        };
        parse(value.to_owned())
            .map(Some)
            .map_err(|reason| invalid(name, reason.to_string()))
    }

    /// Returns what one of the allowed words stands for.
    ///
    /// # Errors
    /// Names the parameter and the allowed words when it is none of them.
    pub fn choice<T: Clone>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Ok(Some(meaning.clone())),
            None => {
                let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                Err(invalid(name, format!("must be one of {}", words.join(", "))))
            }
        }
    }

    /// Returns which part of the list is wanted, from `limit` and `offset`.
    ///
    /// # Errors
    /// Names the one that is out of range.
    pub fn page(&self) -> Result<Page, Error> {
        let limit = self.number("limit", 1, MAX_LIMIT)?;
        let offset = self.number("offset", 0, MAX_OFFSET)?;
        let mut base = format!("{}?", self.path);
        for parameter in self
            .parameters
            .iter()
            .filter(|p| p.name != "limit" && p.name != "offset")
        {
            base.push_str(&parameter.raw);
            base.push('&');
        }
        Ok(Page {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            offset: offset.unwrap_or(0),
            is_enveloped: offset.is_some(),
            base,
        })
    }

    /// Returns a whole number within bounds.
    ///
    /// # Errors
    /// Names the parameter and the bounds.
    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Error> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(number) if is_digits && (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(invalid(name, format!("must be a whole number from {min} to {max}"))),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|p| p.name == name)
            .map(|p| p.value.as_str())
    }
}

/// Reads an id as it is written in paths and queries: a positive number without sign or leading zeros.
pub fn parse_id(text: &str) -> Option<i64> {
    let is_canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_canonical { text.parse().ok() } else { None }
}

fn parameter(pair: &str, names: &[&'static str]) -> Result<Parameter, Problem> {
    let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
    let known = decode(raw_name).and_then(|name| names.iter().find(|known| **known == name));
    let Some(name) = known else {
        return Err(Problem::invalid_field(shown(raw_name), unknown_reason(names)));
    };
    match decode(raw_value) {
        Some(value) if value.is_empty() => Err(Problem::invalid_field(*name, "must not be empty")),
        Some(value) => Ok(Parameter {
            name,
            value,
            raw: pair.to_owned(),
        }),
        None => Err(Problem::invalid_field(*name, "must be percent-encoded UTF-8")),
    }
}

fn unknown_reason(names: &[&'static str]) -> String {
    if names.is_empty() {
        return "is not a parameter of this endpoint, which has none".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("is not a parameter of this endpoint, which has {}", names.join(", "))
}

fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN_CHARS).collect()
}

/// Decodes the text of a query, where `+` is a space.
fn decode(raw: &str) -> Option<String> {
    unescape(&raw.replace('+', " "))
}

/// Decodes percent escapes; `None` when one is broken or the result is not UTF-8.
pub fn unescape(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn invalid(field: &str, reason: impl Into<String>) -> Error {
    Error::InvalidField {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 7] = ["active", "limit", "offset", "project_id", "since", "status", "query"];

    fn query(raw: &str) -> Query {
        Query::parse("/list", raw, &NAMES).unwrap()
    }

    #[test]
    fn a_parameter_that_is_unknown_repeated_empty_or_broken_is_named() {
        for (raw, name) in [
            ("activ=true", "`activ`"),
            ("ACTIVE=true", "`ACTIVE`"),
            ("active=true&active=false", "`active`"),
            ("active=", "`active`"),
            ("active", "`active`"),
            ("query=%zz", "`query`"),
            ("query=%4", "`query`"),
            ("query=%ff", "`query`"),
            ("=1", "``"),
        ] {
            let problem = Query::parse("/list", raw, &NAMES).unwrap_err();
            assert_eq!(problem.status(), 400, "{raw}");
            assert!(problem.message().starts_with(name), "{raw}: {}", problem.message());
        }
    }

    #[test]
    fn a_long_unknown_name_is_not_repeated_in_full() {
        let problem = Query::parse("/list", &"x".repeat(10_000), &NAMES).unwrap_err();
        assert!(problem.message().len() < 300);
    }

    #[test]
    fn values_are_decoded_once() {
        assert_eq!(query("query=a+b%2Bc%25").text("query").unwrap(), Some("a b+c%"));
        assert_eq!(query("quer%79=x").text("query").unwrap(), Some("x"));
        assert!(query("query=%00").text("query").is_err());
        assert!(query(&format!("query={}", "x".repeat(1001))).text("query").is_err());
    }

    #[test]
    fn numbers_are_plain_digits_within_their_bounds() {
        for bad in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=%2B1",
            "limit=1.0",
            "limit=1e1",
            "limit=0x1",
            "limit=%201",
            "limit=99999999999999999999",
            "offset=-1",
            "offset=9223372036854775808",
        ] {
            assert!(query(bad).page().is_err(), "{bad}");
        }
        let page = query("limit=1000&offset=0").page().unwrap();
        assert_eq!((page.limit, page.offset, page.is_enveloped), (1000, 0, true));
        let page = query("").page().unwrap();
        assert_eq!((page.limit, page.offset, page.is_enveloped), (100, 0, false));
    }

    #[test]
    fn ids_booleans_times_and_words_are_checked() {
        for bad in [
            "project_id=0",
            "project_id=-1",
            "project_id=01",
            "project_id=x",
            "project_id=9223372036854775808",
        ] {
            assert!(query(bad).id("project_id").is_err(), "{bad}");
        }
        assert_eq!(query("project_id=7").id("project_id").unwrap(), Some(7));
        assert!(query("active=1").boolean("active").is_err());
        assert_eq!(query("active=false").boolean("active").unwrap(), Some(false));
        assert!(query("since=yesterday").time("since").is_err());
        let time = query("since=2024-01-15T12:30:00%2B02:00")
            .time("since")
            .unwrap()
            .unwrap();
        assert_eq!(time.to_rfc3339(), "2024-01-15T10:30:00+00:00");
        let choices = [("running", 1), ("stopped", 2)];
        assert_eq!(query("status=stopped").choice("status", &choices).unwrap(), Some(2));
        let refused = query("status=Running").choice("status", &choices).unwrap_err();
        assert_eq!(refused.to_string(), "`status` must be one of `running`, `stopped`");
    }

    fn encoded(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_as_it_was_sent(text in "[^\\pC]{1,100}") {
            let query = query(&format!("query={}", encoded(&text)));
            proptest::prop_assert_eq!(query.text("query").unwrap(), Some(text.as_str()));
        }

        #[test]
        fn any_query_is_read_or_refused_with_400(raw in ".{0,200}") {
            if let Err(problem) = Query::parse("/list", &raw, &NAMES) {
                proptest::prop_assert_eq!(problem.status(), 400);
            }
        }
    }
}
