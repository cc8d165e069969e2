//! Names of channels: eight known ones, and one of its own for each project, deployment and task.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::value::Scope;

/// A stream of events with offsets of its own, such as `deployments` or `deployments:7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel {
    name: &'static str,
    subject: Option<i64>,
}

/// The name is of no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such channel; known are {}", Channel::known())]
pub struct UnknownChannel;

impl Channel {
    /// Every channel that is not of a single subject.
    pub const NAMES: [&'static str; 8] = [
        "projects",
        "deployments",
        "errors",
        "tasks",
        "agent-zero",
        "actors",
        "system",
        "access",
    ];

    /// The channels that also have one channel for each subject.
    pub const WITH_SUBJECTS: [&'static str; 3] = ["projects", "deployments", "tasks"];

    /// Returns the channel's name without the subject.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Returns the subject's id if this is the channel of a single subject.
    pub fn subject(self) -> Option<i64> {
        self.subject
    }

    /// Returns the channel of one subject, where this channel has such.
    pub fn of_subject(self, subject: i64) -> Option<Self> {
        let has_subjects = self.subject.is_none() && Self::WITH_SUBJECTS.contains(&self.name);
        (has_subjects && subject > 0).then_some(Self {
            name: self.name,
            subject: Some(subject),
        })
    }

    /// Returns what who reads it must be allowed to: a channel that nobody has thought about is for admins.
    pub fn scope(self) -> Scope {
        match self.name {
            "projects" | "deployments" | "errors" | "tasks" | "agent-zero" | "actors" | "system" => Scope::Read,
            _ => Scope::Admin,
        }
    }

    /// Lists the known names as a person reads them.
    pub fn known() -> String {
        let subjects = Self::WITH_SUBJECTS.map(|name| format!("{name}:ID"));
        format!("{}, {}", Self::NAMES.join(", "), subjects.join(", "))
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, subject) = match text.split_once(':') {
            Some((name, subject)) => (name, Some(subject)),
            None => (text, None),
        };
        let name = Self::NAMES
            .into_iter()
            .find(|known| *known == name)
            .ok_or(UnknownChannel)?;
        let channel = Self { name, subject: None };
        match subject {
            None => Ok(channel),
            Some(subject) => channel.of_subject(parse_id(subject)?).ok_or(UnknownChannel),
        }
    }
}

/// Reads an id that is written as we write it: two spellings of one channel would be two channels.
fn parse_id(text: &str) -> Result<i64, UnknownChannel> {
    let id: i64 = text.parse().map_err(|_| UnknownChannel)?;
    if id.to_string() == text {
        Ok(id)
    } else {
        Err(UnknownChannel)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.subject {
            Some(subject) => write!(f, ":{subject}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for text in [
            "projects",
            "agent-zero",
            "system",
            "deployments:7",
            "tasks:9223372036854775807",
        ] {
            assert_eq!(text.parse::<Channel>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn changes_of_credentials_are_for_admins() {
        let scope = |text: &str| text.parse::<Channel>().unwrap().scope();
        assert_eq!(scope("access"), Scope::Admin);
        assert_eq!((scope("errors"), scope("tasks:1")), (Scope::Read, Scope::Read));
    }

    #[test]
    fn other_spellings_and_subjects_of_channels_without_such_are_unknown() {
        let unknown = [
            "",
            "Projects",
            "projects ",
            "projects:",
            "projects:0",
            "projects:-1",
            "projects:+1",
            "projects:01",
            "projects:1:2",
            "errors:1",
            "system:1",
            "projects:9223372036854775808",
            "projects:\u{661}",
        ];
        for text in unknown {
            assert_eq!(text.parse::<Channel>(), Err(UnknownChannel), "{text:?}");
        }
        assert!(UnknownChannel.to_string().contains("agent-zero"));
    }
}
