//! How a request finds its line in the route table.

use borgos_actors::value;
use warp::http::{HeaderValue, Method};

use crate::{
    problem::Problem,
    query::{parse_id, unescape},
};

/// The longest actor path that is looked up.
const MAX_PATH_BYTES: usize = 200;
/// Parts of a path that stand for a positive number.
const IDS: [&str; 2] = ["{id}", "{delivery}"];
/// Parts of a path that stand for any number of segments.
const ACTOR: &str = "{path}";
const FILE: &str = "{file}";

/// What a caller must be allowed to do, from nothing to everything; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Anyone, without a credential.
    Public,
    /// Sees.
    Read,
    /// Also acts on projects, deployments, tasks and Agent Zero.
    Deploy,
    /// Also manages actors, credentials and secrets.
    Admin,
}

impl Scope {
    /// Returns the scope as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }

    /// Says whether a credential of that scope is enough.
    pub fn is_met_by(self, scope: value::Scope) -> bool {
        match self {
            Self::Public => true,
            Self::Read => scope >= value::Scope::Read,
            Self::Deploy => scope >= value::Scope::Deploy,
            Self::Admin => scope >= value::Scope::Admin,
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Endpoint {
    /// The method; `GET` stands for `HEAD` too.
    pub method: Method,
    /// The path. `{id}` and `{delivery}` are each one segment with a positive number, `{path}` is an actor's path and `{file}` a file's, each of one
    /// or more segments.
    pub path: &'static str,
    /// What the caller must be allowed to do.
    pub scope: Scope,
    /// The operation's name, for logs and the audit.
    pub name: &'static str,
    /// Whether a request takes from the caller's rate limit.
    pub is_counted: bool,
}

impl Endpoint {
    /// Describes an endpoint that counts against the rate limit.
    pub const fn new(method: Method, path: &'static str, scope: Scope, name: &'static str) -> Self {
        Self {
            method,
            path,
            scope,
            name,
            is_counted: true,
        }
    }

    /// Describes an endpoint that is exempt from the rate limit.
    pub const fn uncounted(method: Method, path: &'static str, scope: Scope, name: &'static str) -> Self {
        Self {
            method,
            path,
            scope,
            name,
            is_counted: false,
        }
    }

    /// Checks the variable parts of a path that matched this line.
    ///
    /// # Errors
    /// 400 when an id is no positive number or an actor's path has characters that none has.
    pub fn check_parameters(&self, path: &str) -> Result<(), Problem> {
        if !self.has_parameters() {
            return Ok(());
        }
        let (pattern, head, tail) = match cut(self.path, path) {
            Some(Cut { before, head, tail, .. }) => (before, head, Some(tail)),
            None => (self.path, path, None),
        };
        let mut segments = pattern.split('/').zip(head.split('/'));
        let wrong = segments.find(|(expected, segment)| IDS.contains(expected) && parse_id(segment).is_none());
        if let Some((expected, _)) = wrong {
            let name = expected.trim_matches(['{', '}']);
            return Err(Problem::invalid_field(name, "must be a positive whole number"));
        }
        match tail {
            Some(actor) if self.path.contains(ACTOR) && !is_actor_path(actor) => Err(Problem::invalid_field(
                "path",
                "must be the path of an actor, such as `deployment/1`",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Says whether a request changes something that people answer for.
    pub fn is_change(&self) -> bool {
        self.method != Method::GET && matches!(self.scope, Scope::Deploy | Scope::Admin)
    }

    fn has_parameters(&self) -> bool {
        self.path.contains('{')
    }

    /// Counts what tells this line from a more general one that matches the same path.
    fn num_literals(&self) -> usize {
        self.path.split('/').filter(|segment| !segment.starts_with('{')).count()
    }

    fn takes(&self, method: &Method) -> bool {
        self.method == *method || (method == Method::HEAD && self.method == Method::GET)
    }
}

/// Why a request has no line.
#[derive(Debug)]
pub enum Miss {
    /// No line has that path.
    Path,
    /// The path has other methods, listed as an `Allow` header.
    Method(HeaderValue),
}

/// Finds the line for a request. The path with the most literal segments wins, whatever its methods.
///
/// # Errors
/// Says whether the path or only the method is unknown.
pub fn find<'a>(table: &'a [Endpoint], method: &Method, path: &str) -> Result<&'a Endpoint, Miss> {
    // A path without parameters is the most literal one that there can be, and needs no matching.
    let exact = table.iter().find(|endpoint| endpoint.path == path);
    let best = exact.or_else(|| most_literal(table, path)).ok_or(Miss::Path)?;
    let mut lines = table.iter().filter(|endpoint| endpoint.path == best.path);
    lines
        .find(|endpoint| endpoint.takes(method))
        .ok_or_else(|| Miss::Method(allow(table, best.path)))
}

fn most_literal<'a>(table: &'a [Endpoint], path: &str) -> Option<&'a Endpoint> {
    let matching = table.iter().filter(|endpoint| is_match(endpoint.path, path));
    matching.max_by_key(|endpoint| endpoint.num_literals())
}

fn allow(table: &[Endpoint], path: &str) -> HeaderValue {
    let mut methods = vec!["OPTIONS"];
    for endpoint in table.iter().filter(|endpoint| endpoint.path == path) {
        methods.push(endpoint.method.as_str());
        if endpoint.method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.sort_unstable();
    HeaderValue::from_str(&methods.join(", ")).expect("method names are fit for a header")
}

/// A path, cut where its pattern has a part of any number of segments.
struct Cut<'a> {
    /// What the pattern has before that part, and the path in its place.
    before: &'a str,
    head: &'a str,
    /// What the path has in the place of that part.
    tail: &'a str,
}

/// Cuts a path; none when the pattern has no such part, or when the path cannot match it.
fn cut<'a>(pattern: &'a str, path: &'a str) -> Option<Cut<'a>> {
    let (before, after) = [ACTOR, FILE].iter().find_map(|part| pattern.split_once(part))?;
    let num_slashes = before.matches('/').count();
    let (last_slash, _) = path.match_indices('/').nth(num_slashes.checked_sub(1)?)?;
    let (head, rest) = path.split_at(last_slash + 1);
    Some(Cut {
        before,
        head,
        tail: rest.strip_suffix(after)?,
    })
}

fn is_match(pattern: &str, path: &str) -> bool {
    match cut(pattern, path) {
        Some(Cut { before, head, tail }) => {
            has_segments(before, head) && tail.split('/').all(|segment| !segment.is_empty())
        }
        None => has_segments(pattern, path),
    }
}

fn has_segments(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let is_each_fine = pattern.split('/').all(|expected| {
        segments
            .next()
            .is_some_and(|segment| segment == expected || (expected.starts_with('{') && !segment.is_empty()))
    });
    is_each_fine && segments.next().is_none()
}

/// Looks at the path as it is meant: clients that are made of the API's description send each `/` as `%2F`.
fn is_actor_path(raw: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    unescape(raw).is_some_and(|text| text.len() <= MAX_PATH_BYTES && text.chars().all(is_allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Endpoint] = &[
        Endpoint::new(Method::GET, "/api/v1/actors/{path}", Scope::Read, "actor"),
        Endpoint::new(
            Method::POST,
            "/api/v1/actors/{path}/restart",
            Scope::Admin,
            "restart_actor",
        ),
        Endpoint::new(Method::GET, "/api/v1/projects", Scope::Read, "list"),
        Endpoint::new(Method::POST, "/api/v1/projects", Scope::Deploy, "create"),
        Endpoint::new(Method::POST, "/api/v1/projects/scan-zenith", Scope::Deploy, "scan"),
        Endpoint::new(Method::GET, "/api/v1/projects/{id}", Scope::Read, "one"),
        Endpoint::new(Method::GET, "/api/v1/projects/{id}/files", Scope::Read, "files"),
        Endpoint::new(Method::GET, "/api/v1/projects/{id}/files/{file}", Scope::Read, "file"),
    ];

    fn name(method: Method, path: &str) -> &'static str {
        match find(TABLE, &method, path) {
            Ok(endpoint) => endpoint.name,
            Err(Miss::Path) => "404",
            Err(Miss::Method(_)) => "405",
        }
    }

    #[test]
    fn a_path_is_matched_exactly() {
        assert_eq!(name(Method::GET, "/api/v1/projects"), "list");
        assert_eq!(name(Method::HEAD, "/api/v1/projects/7"), "one");
        assert_eq!(name(Method::GET, "/api/v1/projects/7/files"), "files");
        assert_eq!(name(Method::GET, "/api/v1/projects/7/files/a"), "file");
        assert_eq!(name(Method::GET, "/api/v1/projects/7/files/files/a%20b/c.rs"), "file");
        assert_eq!(name(Method::GET, "/api/v1/actors/deployment/3"), "actor");
        assert_eq!(
            name(Method::POST, "/api/v1/actors/deployment/3/restart"),
            "restart_actor"
        );
        for path in [
            "",
            "/",
            "/api/v1",
            "/api/v1/projects/",
            "//api/v1/projects",
            "/api/v1/projects/7/",
            "/api/v1/./projects",
            "/api/v1/%70rojects",
            "/API/v1/projects",
            "/api/v1/actors/",
            "/api/v1/actors//x",
            "/api/v1/projects/7/files/",
            "/api/v1/projects/7/files/a//b",
            "/api/v1/projects//files/a",
            "*",
        ] {
            assert_eq!(name(Method::GET, path), "404", "{path}");
        }
    }

    #[test]
    fn the_more_literal_path_decides_about_methods() {
        assert_eq!(name(Method::GET, "/api/v1/projects/scan-zenith"), "405");
        assert_eq!(name(Method::GET, "/api/v1/actors/root/restart"), "405");
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let Err(Miss::Method(allow)) = find(TABLE, &Method::PATCH, "/api/v1/projects") else {
            panic!("PATCH is not allowed");
        };
        assert_eq!(allow, "GET, HEAD, OPTIONS, POST");
    }

    #[test]
    fn ids_and_actor_paths_are_checked() {
        let one = find(TABLE, &Method::GET, "/api/v1/projects/x").unwrap();
        for (path, is_good) in [
            ("7", true),
            ("0", false),
            ("-1", false),
            ("x", false),
            ("%31", false),
            ("9223372036854775808", false),
        ] {
            assert_eq!(
                one.check_parameters(&format!("/api/v1/projects/{path}")).is_ok(),
                is_good,
                "{path}"
            );
        }
        let file = find(TABLE, &Method::GET, "/api/v1/projects/x/files/a").unwrap();
        assert!(file.check_parameters("/api/v1/projects/x/files/a").is_err());
        assert!(file.check_parameters("/api/v1/projects/1/files/a%20b/%00").is_ok());
        let actor = find(TABLE, &Method::GET, "/api/v1/actors/x").unwrap();
        assert!(actor.check_parameters("/api/v1/actors/deployment/1").is_ok());
        assert!(actor.check_parameters("/api/v1/actors/deployment%2F1").is_ok());
        assert!(actor.check_parameters("/api/v1/actors/%00").is_err());
        assert!(
            actor
                .check_parameters(&format!("/api/v1/actors/{}", "x".repeat(201)))
                .is_err()
        );
    }
}
