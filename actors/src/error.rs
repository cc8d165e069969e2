//! What can go wrong between a request and its answer. The front end maps [`Error::code`] to a status, nothing else.

use std::time::Duration;

use crate::value::Port;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the request has a value that is not accepted.
    #[error("`{field}` {reason}")]
    InvalidField {
        /// The field's name in the request.
        field: String,
        /// What is allowed.
        reason: String,
    },
    /// Nothing has that id.
    #[error("{kind} with id {id} not found")]
    NotFound {
        /// What was looked for, with a capital: `Project`, `Deployment`, `Actor`.
        kind: &'static str,
        /// The id as the client gave it.
        id: String,
    },
    /// The port belongs to another deployment or is held by another program.
    #[error("Port {port} is already in use{}", holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    PortInUse {
        /// The port that was asked for.
        port: Port,
        /// Who has it, where that can be known.
        holder: Option<String>,
    },
    /// A deployment that is not deleted has that name.
    #[error("the name `{name}` is already in use")]
    NameInUse {
        /// The name that was asked for.
        name: String,
    },
    /// A project has that path.
    #[error("the path `{path}` already belongs to a project")]
    PathInUse {
        /// The resolved path.
        path: String,
    },
    /// The request cannot be carried out in the state that things are in.
    #[error("{reason}")]
    Conflict {
        /// A stable code in capitals, such as `PROJECT_HAS_DEPLOYMENTS`.
        code: &'static str,
        /// What stands in the way.
        reason: String,
    },
    /// The request is well formed, yet nothing could ever come of it.
    #[error("{reason}")]
    Impossible {
        /// A stable code in capitals, such as `NOTHING_TO_DEPLOY`.
        code: &'static str,
        /// Why, and what would help.
        reason: String,
    },
    /// As many tasks of that agent wait as may.
    #[error("`{agent_type}` has {max_waiting} tasks waiting, try again later")]
    TooManyTasks {
        /// The agent.
        agent_type: String,
        /// How many may wait.
        max_waiting: u64,
    },
    /// The actor has as many messages waiting as it may.
    #[error("`{actor}` is busy, try again")]
    Busy {
        /// The actor's path.
        actor: String,
    },
    /// The actor is being started again after a failure.
    #[error("`{actor}` is restarting, try again")]
    Restarting {
        /// The actor's path.
        actor: String,
    },
    /// The actor did not answer in time. What was asked may still happen.
    #[error("`{actor}` did not answer within {after:?}")]
    Timeout {
        /// The actor's path.
        actor: String,
        /// How long was waited.
        after: Duration,
    },
    /// The container engine cannot be reached.
    #[error("the container engine does not answer")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused or could not be reached.
    #[error("the database does not answer")]
    Database(#[from] sea_orm::DbErr),
    /// Something that should be impossible: a defect in BorgOS.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Returns the stable code that programs can act on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidField { .. } => "INVALID_FIELD",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::PortInUse { .. } => "PORT_IN_USE",
            Self::NameInUse { .. } => "NAME_IN_USE",
            Self::PathInUse { .. } => "PATH_IN_USE",
            Self::Conflict { code, .. } | Self::Impossible { code, .. } => code,
            Self::TooManyTasks { .. } => "TOO_MANY_TASKS",
            Self::Busy { .. } => "BUSY",
            Self::Restarting { .. } => "RESTARTING",
            Self::Timeout { .. } => "TIMEOUT",
            Self::Engine(_) => "ENGINE_UNAVAILABLE",
            Self::Database(_) => "DATABASE_UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

/// Joins an error and everything that caused it into one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_cause() {
        let error = Error::Engine(Box::new(std::io::Error::other("refused")));
        assert_eq!(chain(&error), "the container engine does not answer: refused");
    }
}
