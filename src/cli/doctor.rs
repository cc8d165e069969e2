//! `borgos doctor`: what is wrong with this machine's setup, and how to mend it.

mod check;

use borgos_actors::error::chain;

use super::{
    Failure,
    output::{Color, colored, line},
};
use crate::config::{Config, Flags};

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    /// What was looked at and seen.
    text: String,
    /// How to mend it.
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    fn ok(text: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            text: text.into(),
            remedy: None,
        }
    }

    fn warn(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            text: text.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn fail(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Fail,
            text: text.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Prints one line for each check, and fails if any of them did. Nothing is changed.
pub(super) async fn run(flags: Flags) -> Result<(), Failure> {
    let config = match Config::load(flags) {
        Ok(config) => config,
        Err(error) => {
            print(&Finding::fail(
                format!("configuration: {}", chain(&error)),
                "see `borgos serve --help`",
            ))?;
            return Err(Failure::Reported);
        }
    };
    let findings = examine(&config).await;
    for finding in &findings {
        print(finding)?;
    }
    match findings.iter().any(|finding| finding.level == Level::Fail) {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}

/// The list of checks.
async fn examine(config: &Config) -> Vec<Finding> {
    vec![
        Finding::ok("configuration is valid"),
        check::data_dir(config),
        check::free_space(config),
        check::listener(config).await,
        check::credential(config).await,
        check::database(config).await,
        check::engine(config).await,
    ]
}

fn print(finding: &Finding) -> Result<(), Failure> {
    let label = match finding.level {
        Level::Ok => colored("ok  ", Color::Green),
        Level::Warn => colored("warn", Color::Yellow),
        Level::Fail => colored("FAIL", Color::Red),
    };
    line(&format!("{label}  {}", finding.text))?;
    if let Some(remedy) = &finding.remedy {
        line(&format!("      -> {remedy}"))?;
    }
    Ok(())
}
