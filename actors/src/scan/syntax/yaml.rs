//! YAML, by `saphyr-parser`: its events are drawn one by one, so nothing is built and nothing recurses.

use std::sync::atomic::Ordering;

use saphyr_parser::{Event, Parser};

use super::{Problem, Text, Verdict};

pub(super) fn check(text: &Text<'_>) -> Verdict {
    let mut parser = Parser::new_from_str(text.content);
    while let Some(next) = parser.next_event() {
        if text.cancel.load(Ordering::Relaxed) {
            return Verdict::Unchecked;
        }
        match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok(_) => {}
            Err(error) => {
                return Verdict::Checked(vec![Problem {
                    line: u32::try_from(error.marker().line().max(1)).unwrap_or(u32::MAX),
                    message: error.info().to_owned(),
                }]);
            }
        }
    }
    Verdict::Checked(Vec::new())
}
