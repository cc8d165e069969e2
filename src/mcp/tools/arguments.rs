//! From the arguments of a call to the request that it is.

use serde_json::{Map, Value};
use warp::http::Method;

use super::{Kind, Parameter, Place, Tool};
use crate::problem::Problem;

/// How much of an unknown argument's name is repeated.
const MAX_SHOWN_CHARS: usize = 64;

/// The request of a call.
#[derive(Debug, PartialEq)]
pub(in crate::mcp) struct Request {
    pub(in crate::mcp) method: Method,
    /// Path and query, encoded.
    pub(in crate::mcp) target: String,
    /// The fields of the body, unless it has none.
    pub(in crate::mcp) body: Option<Map<String, Value>>,
}

/// Makes the request of a call.
pub(super) fn request(tool: &Tool, arguments: &Map<String, Value>) -> Result<Request, Problem> {
    check_known(tool, arguments)?;
    let mut path = tool.path.to_owned();
    let mut query = Vec::new();
    let mut body = Map::new();
    for parameter in tool.parameters {
        // What is left out may also be sent as null; models do that.
        let Some(value) = arguments.get(parameter.name).filter(|value| !value.is_null()) else {
            if parameter.is_required {
                return Err(Problem::invalid_field(parameter.name, "is required"));
            }
            continue;
        };
        let text = checked(parameter, value)?;
        match parameter.place {
            Place::Path(part) => path = path.replacen(part, &escaped(&text), 1),
            Place::Query => query.push(format!("{}={}", parameter.name, escaped(&text))),
            Place::Body => drop(body.insert(parameter.name.to_owned(), value.clone())),
        }
    }
    let has_body = tool.parameters.iter().any(|parameter| parameter.place == Place::Body);
    Ok(Request {
        method: tool.method.clone(),
        target: match query.is_empty() {
            true => path,
            false => format!("{path}?{}", query.join("&")),
        },
        body: has_body.then_some(body),
    })
}

fn check_known(tool: &Tool, arguments: &Map<String, Value>) -> Result<(), Problem> {
    let is_known = |name: &String| tool.parameters.iter().any(|parameter| parameter.name == name);
    let Some(unknown) = arguments.keys().find(|name| !is_known(name)) else {
        return Ok(());
    };
    let known: Vec<String> = tool.parameters.iter().map(|p| format!("`{}`", p.name)).collect();
    let reason = match known.is_empty() {
        true => "is not an argument of this tool, which takes none".to_owned(),
        false => format!("is not an argument of this tool, which takes {}", known.join(", ")),
    };
    let shown: String = unknown.chars().take(MAX_SHOWN_CHARS).collect();
    Err(Problem::invalid_field(shown, reason))
}

/// Checks a value and returns it as paths and queries have it.
fn checked(parameter: &Parameter, value: &Value) -> Result<String, Problem> {
    let refuse = |reason: String| Err(Problem::invalid_field(parameter.name, reason));
    match (parameter.kind, value) {
        (Kind::Id, Value::Number(_)) => match value.as_i64() {
            Some(id @ 1..) => Ok(id.to_string()),
            _ => refuse("must be a positive whole number".to_owned()),
        },
        (Kind::Number { min, max }, Value::Number(_)) => match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(number.to_string()),
            _ => refuse(format!("must be a whole number from {min} to {max}")),
        },
        (Kind::Text { max_chars }, Value::String(text)) => match text.chars().count() {
            length if (1..=max_chars).contains(&length) => Ok(text.clone()),
            _ => refuse(format!("must have 1 to {max_chars} characters")),
        },
        (Kind::Flag, Value::Bool(flag)) => Ok(flag.to_string()),
        (Kind::Choice(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(word.clone()),
        (Kind::Choice(words), _) => refuse(format!("must be one of `{}`", words.join("`, `"))),
        (Kind::Texts, Value::Array(_)) | (Kind::Object, Value::Object(_)) => Ok(value.to_string()),
        (kind, _) => refuse(format!("must be {}", kind.in_words())),
    }
}

impl Kind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Id | Self::Number { .. } => "a whole number",
            Self::Text { .. } | Self::Choice(_) => "a string",
            Self::Flag => "`true` or `false`",
            Self::Texts => "an array of strings",
            Self::Object => "an object",
        }
    }
}

/// Writes a text so that it stays one part of a path or query; only the slashes of a path are left.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mcp::tools::find;

    fn made(tool: &str, arguments: Value) -> Result<Request, String> {
        let arguments = arguments.as_object().unwrap();
        request(find(tool).unwrap(), arguments).map_err(|problem| problem.message().to_owned())
    }

    #[test]
    fn arguments_go_where_they_belong() {
        let made = |tool, arguments| made(tool, arguments).unwrap();
        assert_eq!(made("list_projects", json!({})).target, "/api/v1/projects");
        assert_eq!(
            made(
                "list_files",
                json!({"project_id": 7, "lang": "C++", "limit": 5, "path": null})
            )
            .target,
            "/api/v1/projects/7/files?lang=C%2B%2B&limit=5"
        );
        assert_eq!(
            made("read_file", json!({"project_id": 7, "path": "a b/?c#%2f.rs"})).target,
            "/api/v1/projects/7/files/a%20b/%3Fc%23%252f.rs"
        );
        let deploy = made("deploy_project", json!({"project_id": 7, "port": 8090}));
        assert_eq!(
            (deploy.method, deploy.target.as_str()),
            (Method::POST, "/api/v1/deploy")
        );
        assert_eq!(deploy.body, json!({"project_id": 7, "port": 8090}).as_object().cloned());
        assert_eq!(made("stop_deployment", json!({"deployment_id": 1})).body, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (tool, arguments, message) in [
            ("stop_deployment", json!({}), "`deployment_id` is required"),
            (
                "stop_deployment",
                json!({"deployment_id": "1"}),
                "`deployment_id` must be a whole number",
            ),
            (
                "stop_deployment",
                json!({"deployment_id": 0}),
                "`deployment_id` must be a positive whole number",
            ),
            (
                "stop_deployment",
                json!({"deployment_id": 1.5}),
                "`deployment_id` must be a positive whole number",
            ),
            (
                "list_actors",
                json!({"x": 1}),
                "`x` is not an argument of this tool, which takes none",
            ),
            (
                "list_projects",
                json!({"limit": 0}),
                "`limit` must be a whole number from 1 to 1000",
            ),
            (
                "list_projects",
                json!({"active": "yes"}),
                "`active` must be `true` or `false`",
            ),
            (
                "search_code",
                json!({"query": ""}),
                "`query` must have 1 to 1000 characters",
            ),
        ] {
            assert_eq!(made(tool, arguments).unwrap_err(), message);
        }
    }
}
