//! What is known of tokens and users at one moment.

use std::collections::HashMap;

use super::{Caller, Identity, jwt::Subject};
use crate::{
    Error,
    id::{TokenId, UserId},
    store::{
        Store,
        tokens::{self, Valid},
        users::{self, Login},
    },
};

/// What is known of tokens and users at one moment.
#[derive(Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Valid tokens by the hash of their secret. Whoever looks one up cannot choose the hash, so how long that takes tells
    /// nothing.
    tokens: HashMap<String, Valid>,
    hashes: HashMap<TokenId, String>,
    users: HashMap<UserId, Login>,
    ids: HashMap<String, UserId>,
    /// Whether there is a user or was ever a token.
    pub(super) has_any: bool,
}

impl Snapshot {
    /// Reads the rows.
    pub(super) async fn take(store: &Store) -> Result<Self, Error> {
        let tokens = tokens::valid(store).await?;
        let logins = users::logins(store).await?;
        let has_any = !logins.is_empty() || !tokens.is_empty() || tokens::has_any(store).await?;
        Ok(Self::new(tokens, logins, has_any))
    }

    fn new(tokens: Vec<Valid>, logins: Vec<Login>, has_any: bool) -> Self {
        Self {
            hashes: tokens.iter().map(|token| (token.id, token.hash.clone())).collect(),
            tokens: tokens.into_iter().map(|token| (token.hash.clone(), token)).collect(),
            ids: logins.iter().map(|login| (login.name.clone(), login.id)).collect(),
            users: logins.into_iter().map(|login| (login.id, login)).collect(),
            has_any,
        }
    }

    /// Finds the token whose secret has this hash.
    pub(super) fn token(&self, hash: &str) -> Option<Caller> {
        let caller = Caller::of_token(self.tokens.get(hash)?);
        (!caller.has_expired()).then_some(caller)
    }

    /// Finds the user of a name.
    pub(super) fn login(&self, name: &str) -> Option<&Login> {
        self.users.get(self.ids.get(name)?)
    }

    /// Finds who an access token was given to, if they are still the same. `bootstrap` tells one bootstrap token from
    /// another.
    pub(super) fn bearer(&self, subject: Subject<'_>, bootstrap: Option<&str>) -> Option<Caller> {
        match subject {
            Subject::Bootstrap { fingerprint } => (bootstrap? == fingerprint).then(Caller::bootstrap),
            Subject::Token(id) => self.token(self.hashes.get(&id)?),
            Subject::User { id, generation } => {
                let login = self.users.get(&id)?;
                (login.generation == generation).then(|| Caller::of_user(login))
            }
        }
    }

    /// Says whether a caller would still be recognised as the same.
    pub(super) fn still_holds(&self, caller: &Caller) -> bool {
        let is_same = match caller.identity {
            Identity::Local => !self.has_any,
            Identity::Bootstrap => true,
            Identity::Token(id) => self.hashes.contains_key(&id),
            Identity::User { id, generation } => {
                self.users.get(&id).is_some_and(|login| login.generation == generation)
            }
        };
        is_same && !caller.has_expired()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::value::Scope;

    fn token(expires_in: Option<i64>) -> Valid {
        Valid {
            id: TokenId(1),
            name: "ci".to_owned(),
            hash: "abc".to_owned(),
            scope: Scope::Read,
            rate_limit: None,
            expires_at: expires_in.map(|seconds| Utc::now() + TimeDelta::seconds(seconds)),
        }
    }

    fn ada(generation: i64) -> Login {
        Login {
            id: UserId(7),
            name: "ada".to_owned(),
            password_hash: String::new(),
            scope: Scope::Admin,
            generation,
        }
    }

    #[test]
    fn a_token_that_expires_between_two_looks_is_not_recognised() {
        let snapshot = Snapshot::new(vec![token(Some(60))], Vec::new(), true);
        let caller = snapshot.token("abc").unwrap();
        assert_eq!((&*caller.name, caller.scope), ("token:ci", Scope::Read));
        assert!(snapshot.still_holds(&caller) && snapshot.token("abcd").is_none());
        assert!(
            Snapshot::new(vec![token(Some(-1))], Vec::new(), true)
                .token("abc")
                .is_none()
        );
        assert!(!Snapshot::new(Vec::new(), Vec::new(), true).still_holds(&caller));
    }

    #[test]
    fn a_user_who_changed_is_another_caller() {
        let snapshot = Snapshot::new(Vec::new(), vec![ada(1)], true);
        let caller = Caller::of_user(snapshot.login("ada").unwrap());
        assert!(snapshot.still_holds(&caller));
        let subject = || Subject::User {
            id: UserId(7),
            generation: 1,
        };
        assert_eq!(snapshot.bearer(subject(), None), Some(caller.clone()));
        for changed in [vec![ada(2)], Vec::new()] {
            let later = Snapshot::new(Vec::new(), changed, true);
            assert!(!later.still_holds(&caller));
            assert_eq!(later.bearer(subject(), None), None);
        }
    }

    #[test]
    fn everybody_on_this_machine_is_known_only_until_there_is_a_credential() {
        assert!(Snapshot::default().still_holds(&Caller::local()));
        assert!(!Snapshot::new(Vec::new(), vec![ada(1)], true).still_holds(&Caller::local()));
    }

    #[test]
    fn another_bootstrap_token_does_not_inherit_access_tokens() {
        let subject = || Subject::Bootstrap { fingerprint: "f1" };
        assert!(Snapshot::default().bearer(subject(), Some("f1")).is_some());
        assert!(Snapshot::default().bearer(subject(), Some("f2")).is_none());
        assert!(Snapshot::default().bearer(subject(), None).is_none());
    }
}
