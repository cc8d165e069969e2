//! What browsers show and run.

use super::operation::Operation;
use crate::embedded::TYPES;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("dashboard", "Shows the dashboard")
            .describe("Takes any query.")
            .sends_a_file(&["text/html; charset=utf-8"]),
        Operation::new("dashboard.file", "Is a part of the dashboard")
            .describe("Takes any query.")
            .sends_a_file(&TYPES.map(|(_, content_type)| content_type))
            .refuses(404, &["NOT_FOUND"]),
        Operation::new("docs", "Shows this API to people").sends_a_file(&["text/html; charset=utf-8"]),
        Operation::new("docs.style", "Is how that page looks").sends_a_file(&["text/css; charset=utf-8"]),
        Operation::new("docs.script", "Is what that page does").sends_a_file(&["text/javascript; charset=utf-8"]),
    ]
}
