//! Says how Agent Zero ended, and whether another start could help.

use super::check::PROGRAM;
use crate::{runtime::Exit, value::Port};

/// What uvicorn exits with when it cannot listen.
const CANNOT_LISTEN: i64 = 3;
/// Above it the number of a signal.
const SIGNALLED: i64 = 128;

/// How a process ended that nobody told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// In a few words.
    pub(super) reason: String,
    /// Whether it would end the same way again.
    pub(super) is_final: bool,
}

impl Ended {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_final: false,
        }
    }

    fn lasting(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_final: true,
        }
    }
}

/// Whether it was ready before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It never was.
    Starting,
    /// It was.
    Ready,
}

/// Says how it ended, from its exit and its last lines.
pub(super) fn explain(exit: &Exit, stage: Stage, last_lines: &[String], port: Port) -> Ended {
    let says = |word: &str| last_lines.iter().any(|line| line.contains(word));
    if stage == Stage::Starting {
        match exit.code {
            CANNOT_LISTEN => return Ended::lasting(format!("it could not listen on port {port}")),
            1 if says("JSONDecodeError") => {
                return Ended::lasting("one of its settings files is no valid JSON; see its logs");
            }
            1 if says("SyntaxError") => {
                return Ended::lasting(format!("its Python is too old for this `{PROGRAM}`; see its logs"));
            }
            _ => {}
        }
    }
    Ended::passing(match exit.code {
        Exit::UNSEEN => "it ended, and nobody saw how".to_owned(),
        0 => "it ended by itself".to_owned(),
        code if code > SIGNALLED => format!("it was killed by signal {}", code - SIGNALLED),
        code => format!("it exited with code {code}"),
    })
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn ended(code: i64, stage: Stage, line: &str) -> Ended {
        let exit = Exit {
            code,
            is_oom: false,
            at: Utc::now(),
        };
        explain(&exit, stage, &[line.to_owned()], Port::try_from(8085).unwrap())
    }

    #[test]
    fn only_what_would_happen_again_is_final() {
        for (code, stage, line, is_final) in [
            (3, Stage::Starting, "", true),
            (1, Stage::Starting, "json.decoder.JSONDecodeError: x", true),
            (1, Stage::Starting, "SyntaxError: invalid syntax", true),
            (1, Stage::Starting, "ValueError: x", false),
            (1, Stage::Ready, "json.decoder.JSONDecodeError: x", false),
            (0, Stage::Ready, "", false),
            (137, Stage::Ready, "", false),
            (Exit::UNSEEN, Stage::Ready, "", false),
        ] {
            let ended = ended(code, stage, line);
            assert_eq!(ended.is_final, is_final, "{ended:?}");
        }
        assert_eq!(ended(143, Stage::Ready, "").reason, "it was killed by signal 15");
    }
}
