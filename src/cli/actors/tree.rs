//! The tree of actors as a person reads it.

use comfy_table::{Cell, Color};
use serde::Deserialize;

use crate::cli::output::{duration, plain, rows, table};

/// What is shown of an actor. Everything but the path may be missing, as the service may be of another version.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Actor {
    #[serde(default)]
    path: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    restarts_total: u64,
    #[serde(default)]
    restarts_in_window: Option<u64>,
    #[serde(default)]
    restart_budget: Option<u64>,
    #[serde(default)]
    last_exit: Option<LastExit>,
    #[serde(default)]
    uptime_seconds: Option<u64>,
    #[serde(default)]
    queue_depth: u64,
    #[serde(default)]
    queue_limit: Option<u64>,
    #[serde(default)]
    busy_for_ms: Option<u64>,
    #[serde(default, alias = "current_message")]
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct LastExit {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    is_abnormal: bool,
}

/// Draws actors below their supervisors, one a line.
pub(super) fn draw(actors: &[Actor]) -> Vec<String> {
    let mut table = table(&[
        "ACTOR",
        "STATE",
        "UPTIME",
        "RESTARTS",
        "QUEUE",
        "BUSY WITH",
        "LAST EXIT",
    ]);
    for (branch, actor) in arranged(actors) {
        table.add_row(row(branch, actor));
    }
    rows(table)
}

/// Returns the actors depth first, each with the lines that lead to it. An actor whose supervisor is not listed stands
/// at the top, so that none is lost.
fn arranged(actors: &[Actor]) -> Vec<(String, &Actor)> {
    let is_listed = |path: &str| actors.iter().any(|actor| actor.path == path);
    let tops = actors
        .iter()
        .filter(|actor| !actor.parent.as_deref().is_some_and(is_listed));
    let mut lines = Vec::new();
    // A stack, not recursion, and each actor at most once: the answer may come from anything.
    let mut stack: Vec<(String, String, &Actor)> = tops.map(|actor| (String::new(), String::new(), actor)).collect();
    stack.reverse();
    while let Some((branch, indent, actor)) = stack.pop() {
        if lines.len() >= actors.len() {
            break;
        }
        lines.push((branch, actor));
        let children: Vec<&Actor> = actors
            .iter()
            .filter(|child| child.parent.as_deref() == Some(&actor.path))
            .collect();
        for (position, child) in children.iter().enumerate().rev() {
            let is_last = position + 1 == children.len();
            let (own, below) = if is_last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            stack.push((format!("{indent}{own}"), format!("{indent}{below}"), child));
        }
    }
    lines
}

fn row(branch: String, actor: &Actor) -> Vec<Cell> {
    let state = actor.state.as_deref().unwrap_or("?");
    let color = match state {
        "running" => Color::Green,
        "stuck" | "gave_up" => Color::Red,
        _ => Color::Yellow,
    };
    vec![
        Cell::new(format!("{branch}{}", plain(&actor.path))),
        Cell::new(plain(state)).fg(color),
        Cell::new(actor.uptime_seconds.map_or("-".to_owned(), duration)),
        Cell::new(restarts(actor)),
        Cell::new(queue(actor)),
        Cell::new(busy(actor)),
        Cell::new(last_exit(actor)),
    ]
}

fn restarts(actor: &Actor) -> String {
    match (actor.restarts_in_window, actor.restart_budget) {
        (Some(recent), Some(budget)) => format!("{} ({recent} of {budget})", actor.restarts_total),
        _ => actor.restarts_total.to_string(),
    }
}

fn queue(actor: &Actor) -> String {
    match actor.queue_limit {
        Some(limit) if limit > 0 => format!("{}/{limit}", actor.queue_depth),
        _ => "-".to_owned(),
    }
}

fn busy(actor: &Actor) -> String {
    match (&actor.message, actor.busy_for_ms) {
        (Some(message), Some(ms)) => format!("{} {ms} ms", plain(message)),
        (None, Some(ms)) => format!("{ms} ms"),
        (_, None) => "-".to_owned(),
    }
}

fn last_exit(actor: &Actor) -> String {
    match &actor.last_exit {
        Some(exit) if exit.is_abnormal => format!("failed: {}", plain(&exit.reason)),
        Some(exit) => plain(&exit.reason),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn actors(value: serde_json::Value) -> Vec<Actor> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn actors_stand_below_their_supervisors() {
        let actors = actors(json!([
            {"path": "root", "parent": null, "state": "running", "uptime_seconds": 61, "queue_limit": 0},
            {"path": "app", "parent": "root", "state": "running", "restarts_total": 2, "restarts_in_window": 1, "restart_budget": 5},
            {"path": "deployment/7", "parent": "app", "state": "stuck", "queue_depth": 3, "queue_limit": 64,
             "busy_for_ms": 12_000, "message": "start", "last_exit": {"reason": "panic\nin start", "is_abnormal": true}},
            {"path": "event-bus", "parent": "app"},
            {"path": "store-watch", "parent": "root", "future_field": 1},
            {"path": "lost", "parent": "nobody"},
            {"path": "found", "parent": "lost"},
            {"path": "below", "parent": "found"}
        ]));
        let lines = draw(&actors);
        let starts: Vec<&str> = lines
            .iter()
            .map(|line| line.split("  ").next().unwrap_or_default())
            .collect();
        assert_eq!(
            starts,
            [
                "ACTOR",
                "root",
                "├─ app",
                "│",
                "│",
                "└─ store-watch",
                "lost",
                "└─ found",
                ""
            ],
            "{lines:#?}"
        );
        assert!(lines[8].starts_with("   └─ below"), "{}", lines[8]);
        assert!(lines[1].contains("1m 1s"));
        assert!(lines[2].contains("2 (1 of 5)"));
        assert!(
            lines[3].contains("├─ deployment/7") && lines[3].contains("3/64"),
            "{}",
            lines[3]
        );
        assert!(lines[3].contains("start 12000 ms") && lines[3].contains("failed: panic in start"));
    }

    #[test]
    fn a_circle_of_supervisors_does_not_hang_the_client() {
        let circle = actors(json!([
            {"path": "a", "parent": "b"}, {"path": "b", "parent": "a"}, {"path": "c", "parent": "c"},
            {"path": "d"}, {"path": "d", "parent": "d"}
        ]));
        assert!(draw(&circle).len() <= circle.len() + 1);
    }
}
