//! The log of a chat, read piece by piece, and what it says about the work.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Step;

/// How much of an item is told while the work goes on.
const MAX_STEP_CHARS: usize = 2000;
/// Right after a message a chat may not run yet, so one look does not count.
const MIN_IDLE_LOOKS: u32 = 3;

/// What is known of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    guid: String,
    /// How many changes of the log are known.
    version: u64,
    items: BTreeMap<i64, Item>,
    unreported: BTreeSet<i64>,
    num_idle_looks: u32,
    has_been_seen: bool,
    /// How often in a row the chat, or the message in it, was not there any more.
    num_missing_looks: u32,
}

/// How far the work is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The message is not there.
    Unseen,
    /// It goes on.
    Working,
    /// Here is the answer.
    Done(String),
    /// It failed, and this was said.
    Failed(String),
    /// It has ended and says nothing.
    Idle,
    /// The chat is not there any more.
    Gone,
}

#[derive(Debug, Deserialize)]
struct Poll {
    #[serde(default)]
    contexts: Vec<Context>,
    #[serde(default)]
    logs: Vec<Item>,
    #[serde(default)]
    log_guid: String,
    #[serde(default)]
    log_version: u64,
}

#[derive(Debug, Deserialize)]
struct Context {
    id: String,
    /// Told since 0.9.8.
    running: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Item {
    no: i64,
    #[serde(rename = "type")]
    kind: String,
    heading: Option<String>,
    content: Option<String>,
    kvps: Option<Map<String, Value>>,
    agentno: Option<i64>,
}

impl Item {
    /// Says whether it is of the agent that the message was sent to, and not of one that works for that.
    fn is_of_first_agent(&self) -> bool {
        self.agentno.unwrap_or(0) == 0
    }

    fn is_finished(&self) -> bool {
        let finished = self.kvps.as_ref().and_then(|details| details.get("finished"));
        finished.and_then(Value::as_bool).unwrap_or(false)
    }
}

impl Log {
    /// Returns what to ask for the changes that are not known yet.
    pub(super) fn question(&self, chat: Option<&str>, timezone: &str) -> Value {
        json!({"context": chat, "log_from": self.version, "notifications_from": 0, "timezone": timezone})
    }

    /// Takes the answer, and returns whether it has anything new.
    pub(super) fn update(&mut self, chat: &str, answer: Value) -> Result<bool, serde_json::Error> {
        let poll = Poll::deserialize(answer)?;
        if poll.log_guid != self.guid {
            // Another log than before: this answer left out what we seemed to know.
            let is_first = self.guid.is_empty();
            *self = Self {
                guid: poll.log_guid,
                has_been_seen: self.has_been_seen,
                num_missing_looks: self.num_missing_looks,
                ..Self::default()
            };
            if !is_first {
                return Ok(true);
            }
        }
        self.version = poll.log_version;
        let has_news = !poll.logs.is_empty();
        for item in poll.logs {
            self.unreported.insert(item.no);
            self.items.insert(item.no, item);
        }
        self.count_looks(poll.contexts.iter().find(|context| context.id == chat));
        Ok(has_news)
    }

    fn count_looks(&mut self, context: Option<&Context>) {
        let is_there = context.is_some() && self.message().is_some();
        self.has_been_seen |= is_there;
        self.num_missing_looks = match is_there {
            false if self.has_been_seen => self.num_missing_looks + 1,
            _ => 0,
        };
        self.num_idle_looks = match context.and_then(|context| context.running) {
            Some(false) => self.num_idle_looks + 1,
            Some(true) | None => 0,
        };
    }

    fn message(&self) -> Option<&Item> {
        self.items.values().rev().find(|item| item.kind == "user")
    }

    /// Decides how far the work is. The first item is a greeting, so only what follows the newest message counts.
    pub(super) fn verdict(&self) -> Verdict {
        if self.num_missing_looks >= MIN_IDLE_LOOKS {
            return Verdict::Gone;
        }
        let Some(asked) = self.message() else {
            return match self.has_been_seen {
                true => Verdict::Working,
                false => Verdict::Unseen,
            };
        };
        let after = self.items.range(asked.no + 1..).map(|(_, item)| item);
        for item in after.filter(|item| item.is_of_first_agent()) {
            let text = || item.content.clone().unwrap_or_default();
            match item.kind.as_str() {
                "response" if item.is_finished() => return Verdict::Done(text()),
                "error" => return Verdict::Failed(text()),
                _ => {}
            }
        }
        match self.num_idle_looks >= MIN_IDLE_LOOKS {
            true => self.last_words(asked.no),
            false => Verdict::Working,
        }
    }

    /// It has ended: an answer that was not marked as finished is one all the same.
    fn last_words(&self, asked: i64) -> Verdict {
        let mut answers = self.items.range(asked + 1..).map(|(_, item)| item).rev();
        let answer = answers.find(|item| item.kind == "response" && item.is_of_first_agent());
        match answer.and_then(|item| item.content.clone()) {
            Some(text) if !text.is_empty() => Verdict::Done(text),
            _ => Verdict::Idle,
        }
    }

    /// Counts the items, of which there is always a greeting.
    pub(super) fn num_items(&self) -> usize {
        self.items.len()
    }

    /// Returns what is new or has changed since this was last asked.
    pub(super) fn take_unreported(&mut self) -> Vec<Step> {
        let numbers = std::mem::take(&mut self.unreported);
        let items = numbers.iter().filter_map(|number| self.items.get(number));
        items.map(step).collect()
    }
}

fn step(item: &Item) -> Step {
    let cut =
        |text: &Option<String>| -> String { text.iter().flat_map(|text| text.chars()).take(MAX_STEP_CHARS).collect() };
    Step {
        number: item.no,
        kind: item.kind.clone(),
        heading: cut(&item.heading),
        content: cut(&item.content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(items: Value, is_running: Option<bool>) -> Log {
        let mut log = Log::default();
        let answer = json!({
            "contexts": [{"id": "borg-1", "running": is_running}], "logs": items, "log_guid": "g", "log_version": 9
        });
        log.update("borg-1", answer).unwrap();
        log
    }

    fn item(no: i64, kind: &str, content: &str) -> Value {
        json!({"no": no, "type": kind, "heading": "", "content": content, "kvps": null, "agentno": 0})
    }

    fn finished(no: i64, content: &str, agent: i64) -> Value {
        json!({"no": no, "type": "response", "content": content, "kvps": {"finished": true}, "agentno": agent})
    }

    #[test]
    fn only_a_finished_answer_of_the_first_agent_after_the_message_counts() {
        let greeting = finished(0, "Hello!", 0);
        for (items, verdict) in [
            (json!([greeting]), Verdict::Unseen),
            (json!([greeting, item(1, "user", "do")]), Verdict::Working),
            (
                json!([greeting, item(1, "user", "do"), finished(2, "of a subordinate", 1)]),
                Verdict::Working,
            ),
            (
                json!([greeting, item(1, "user", "do"), item(2, "response", "half")]),
                Verdict::Working,
            ),
            (
                json!([
                    greeting,
                    item(1, "user", "do"),
                    item(2, "warning", "retrying"),
                    item(3, "error", "no")
                ]),
                Verdict::Failed("no".to_owned()),
            ),
            (
                json!([greeting, item(1, "user", "do"), finished(2, "done", 0)]),
                Verdict::Done("done".to_owned()),
            ),
        ] {
            assert_eq!(log_of(items.clone(), Some(true)).verdict(), verdict, "{items}");
        }
    }

    #[test]
    fn a_chat_that_has_stopped_is_idle_after_a_few_looks_and_one_that_is_absent_is_gone() {
        let mut log = log_of(json!([item(1, "user", "do")]), Some(false));
        assert_eq!(log.verdict(), Verdict::Working);
        let still = |id: &str| json!({"contexts": [{"id": id, "running": false}], "log_guid": "g", "log_version": 9});
        for _ in 1..MIN_IDLE_LOOKS {
            assert!(!log.update("borg-1", still("borg-1")).unwrap());
        }
        assert_eq!(log.verdict(), Verdict::Idle);
        for _ in 0..MIN_IDLE_LOOKS {
            log.update("borg-1", still("another")).unwrap();
        }
        assert_eq!(log.verdict(), Verdict::Gone);
    }

    #[test]
    fn another_log_is_read_from_its_beginning() {
        let mut log = log_of(json!([item(1, "user", "do")]), None);
        assert_eq!(log.question(Some("borg-1"), "UTC")["log_from"], 9);
        let emptied = json!({"contexts": [{"id": "borg-1"}], "log_guid": "h", "log_version": 3});
        log.update("borg-1", emptied.clone()).unwrap();
        assert_eq!(log.question(Some("borg-1"), "UTC")["log_from"], 0);
        assert_eq!(log.verdict(), Verdict::Working);
        for _ in 0..MIN_IDLE_LOOKS {
            log.update("borg-1", emptied.clone()).unwrap();
        }
        assert_eq!(log.verdict(), Verdict::Gone);
    }

    #[test]
    fn each_change_is_reported_once() {
        let mut log = log_of(json!([item(1, "user", "do")]), Some(true));
        assert_eq!(log.take_unreported().len(), 1);
        assert!(log.take_unreported().is_empty());
        let answer = json!({"log_guid": "g", "log_version": 10, "logs": [item(1, "user", &"x".repeat(9000))]});
        assert!(log.update("borg-1", answer).unwrap());
        assert_eq!(log.take_unreported()[0].content.len(), MAX_STEP_CHARS);
    }
}
