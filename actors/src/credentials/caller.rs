//! Who calls.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    id::{TokenId, UserId},
    store::{tokens::Valid, users::Login},
    value::{Rate, Scope},
};

/// Who calls, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// How they showed it.
    pub method: Method,
    /// What they may do.
    pub scope: Scope,
    /// Their name for logs and the audit, such as `token:ci`.
    pub name: Arc<str>,
    /// Until when the credential is valid.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many requests they may send, if not as many as everybody.
    pub rate_limit: Option<Rate>,
}

/// Who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Anyone on this machine: no credential is configured and only this machine reaches the listener.
    Local,
    /// The owner of `BORGOS_TOKEN`.
    Bootstrap,
    /// A program with this token.
    Token(TokenId),
    /// A user, as of this generation.
    User {
        /// Who.
        id: UserId,
        /// Counts the changes of password and scope.
        generation: i64,
    },
}

/// How a caller showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LoginMethod")]
pub enum Method {
    /// Not at all, as nobody has to.
    None,
    /// By a token.
    Token,
    /// By name and password.
    Basic,
    /// By a short-lived access token.
    AccessToken,
    /// By a ticket for one connection.
    Ticket,
}

impl Caller {
    /// Anyone on this machine.
    pub fn local() -> Self {
        Self::lasting(Identity::Local, Method::None, "local")
    }

    /// The owner of `BORGOS_TOKEN`.
    pub fn bootstrap() -> Self {
        Self::lasting(Identity::Bootstrap, Method::Token, "bootstrap-token")
    }

    pub(super) fn of_token(token: &Valid) -> Self {
        Self {
            identity: Identity::Token(token.id),
            method: Method::Token,
            scope: token.scope,
            name: format!("token:{}", token.name).into(),
            expires_at: token.expires_at,
            rate_limit: token.rate_limit,
        }
    }

    pub(super) fn of_user(login: &Login) -> Self {
        Self {
            scope: login.scope,
            ..Self::lasting(
                Identity::User {
                    id: login.id,
                    generation: login.generation,
                },
                Method::Basic,
                &format!("user:{}", login.name),
            )
        }
    }

    fn lasting(identity: Identity, method: Method, name: &str) -> Self {
        Self {
            identity,
            method,
            scope: Scope::Admin,
            name: name.into(),
            expires_at: None,
            rate_limit: None,
        }
    }

    /// Says whether the credential has expired.
    pub fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= Utc::now())
    }
}
