//! `borgos tasks watch`: one task, step by step, to its end.

use serde_json::Value;

use super::{Task, describe, path};
use crate::cli::{
    Failure,
    client::{Client, understood},
    output::{self, line, plain, sentence},
    stream::Stream,
};

/// Prints what happens to a task until it has ended. Whatever happened before the first frame is in the task itself.
pub(super) async fn run(client: &Client, id: u64, is_json: bool) -> Result<(), Failure> {
    let mut events = Stream::open(client, &[format!("tasks:{id}")]).await?;
    loop {
        let answer = client.get(&path(id)).await?;
        if is_finished(&answer) {
            return conclude(answer, is_json);
        }
        // Only an event can have changed that; each is shown, and the task is read again when it may have ended.
        loop {
            let frame = events.next().await?;
            show(&frame, is_json)?;
            if frame["type"] != "task_progress" {
                break;
            }
        }
    }
}

fn is_finished(task: &Value) -> bool {
    matches!(task["state"].as_str(), Some("completed" | "failed" | "cancelled"))
}

fn show(frame: &Value, is_json: bool) -> Result<(), Failure> {
    if is_json {
        return Ok(line(&output::json(frame))?);
    }
    let at = plain(frame["at"].as_str().unwrap_or("-"));
    let kind = plain(frame["type"].as_str().unwrap_or("-"));
    let said = [&frame["data"]["progress"]["message"], &frame["data"]["error"]];
    let said = said.into_iter().find_map(Value::as_str).unwrap_or_default();
    Ok(line(format!("{at}  {kind:<20} {}", sentence(said)).trim_end())?)
}

fn conclude(answer: Value, is_json: bool) -> Result<(), Failure> {
    let is_completed = answer["state"] == "completed";
    if is_json {
        line(&output::json(&answer))?;
    } else {
        let task: Task = understood(answer)?;
        for text in describe(&task) {
            line(&text)?;
        }
    }
    match is_completed {
        true => Ok(()),
        false => Err(Failure::Reported),
    }
}
