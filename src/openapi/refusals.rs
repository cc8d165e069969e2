//! The error answers of an operation: the one error body, with the codes that each status can have.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use warp::http::StatusCode;

use super::{COMPONENTS, headers};
use crate::{
    problem,
    routes::{Endpoint, Scope},
};

/// Codes by status.
pub(super) type Refusals = BTreeMap<u16, Vec<&'static str>>;

/// Any request can be answered with these.
const ALWAYS: [(u16, &[&str]); 5] = [
    (
        400,
        &[
            "AMBIGUOUS_LENGTH",
            "CREDENTIAL_IN_QUERY",
            "INVALID_FIELD",
            "INVALID_HOST",
        ],
    ),
    (403, &["HOST_NOT_ALLOWED", "INSUFFICIENT_SCOPE", "ORIGIN_NOT_ALLOWED"]),
    (405, &["METHOD_NOT_ALLOWED"]),
    (500, &["INTERNAL"]),
    (
        503,
        &[
            "BUSY",
            "DATABASE_UNAVAILABLE",
            "ENGINE_UNAVAILABLE",
            "RESTARTING",
            "TIMEOUT",
        ],
    ),
];
/// One that needs a credential also with these.
const WITH_CREDENTIAL: [(u16, &[&str]); 3] = [
    (401, &["UNAUTHORIZED"]),
    (429, &["LOGIN_SLOWED"]),
    (503, &["CREDENTIALS_UNAVAILABLE", "LOGIN_BUSY"]),
];
/// One with a body also with these.
const WITH_BODY: [(u16, &[&str]); 4] = [
    (400, &["INVALID_BODY", "INVALID_JSON"]),
    (408, &["BODY_TIMEOUT"]),
    (413, &["BODY_TOO_LARGE"]),
    (415, &["UNSUPPORTED_MEDIA_TYPE"]),
];

/// Collects what an endpoint refuses for reasons that have nothing to do with what it does.
pub(super) fn common(endpoint: &Endpoint, has_body: bool) -> Refusals {
    let mut refusals = Refusals::new();
    add(&mut refusals, &ALWAYS);
    if endpoint.scope != Scope::Public {
        add(&mut refusals, &WITH_CREDENTIAL);
    }
    if endpoint.is_counted {
        add(&mut refusals, &[(429, &["RATE_LIMITED"])]);
    }
    if endpoint.path.contains('{') {
        add(&mut refusals, &[(404, &["NOT_FOUND"])]);
    }
    if has_body {
        add(&mut refusals, &WITH_BODY);
    }
    refusals
}

/// Adds further codes.
pub(super) fn add(refusals: &mut Refusals, more: &[(u16, &[&'static str])]) {
    for (status, codes) in more {
        refusals.entry(*status).or_default().extend(*codes);
    }
}

/// Writes the answer of one status.
pub(super) fn render(status: u16, codes: &[&'static str]) -> Value {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes.dedup();
    let title = StatusCode::from_u16(status).map_or("Error", problem::title);
    let schema = json!({
        "allOf": [
            {"$ref": format!("{COMPONENTS}/schemas/Problem")},
            {"properties": {"code": {"enum": codes}}},
        ],
    });
    json!({
        "description": title,
        "headers": headers::of_problem(status),
        "content": {"application/json": {"schema": schema}},
    })
}
