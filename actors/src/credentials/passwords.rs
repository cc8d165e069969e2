//! Passwords: hashed with Argon2id, which takes tens of milliseconds and 19 MiB each time, and so is bounded.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::{sync::Semaphore, task::spawn_blocking, time::Instant};

use super::{Unknown, secret::random_bytes};
use crate::{Error, store::users::Login, supervision::lock, value::Password};

/// As many are hashed at once.
const MAX_RUNNING: usize = 2;
/// As many more may wait for that.
const MAX_WAITING: usize = 32;
/// A password that was found right is not hashed again for this long; programs send it with every request.
const PROVEN_FOR: Duration = Duration::from_secs(300);
/// As many are remembered.
const MAX_PROVEN: usize = 1024;
/// The hash of a password that nobody has: who does not exist is not told from who does by the time.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbCE$L1rXkuHcQxH2pZQ0x9mW2k4mZc0O9sJ0mPpJm1q3x5k";

type Tag = [u8; 32];

/// Checks passwords.
pub(super) struct Passwords {
    places: Semaphore,
    running: Arc<Semaphore>,
    /// Passwords that were found right, under a key that is made anew with each start, and until when.
    proven: Mutex<HashMap<Tag, Instant>>,
    key: Option<[u8; 32]>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let key = random_bytes();
        if let Err(error) = &key {
            tracing::warn!(%error, "passwords are not remembered, so every request with one is slow");
        }
        Self {
            places: Semaphore::new(MAX_RUNNING + MAX_WAITING),
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            proven: Mutex::default(),
            key: key.ok(),
        }
    }

    /// Says whether this password was found right a short while ago. Of before a change it says nothing.
    pub(super) fn is_proven(&self, login: &Login, password: &str) -> bool {
        let now = Instant::now();
        self.tag(login, password)
            .is_some_and(|tag| lock(&self.proven).get(&tag).is_some_and(|until| *until > now))
    }

    /// Checks a password against that of a user, or against nobody's.
    ///
    /// # Errors
    /// Says that too many are waiting.
    pub(super) async fn check(&self, login: Option<&Login>, password: &str) -> Result<bool, Unknown> {
        let _place = self.places.try_acquire().map_err(|_| Unknown::Busy)?;
        let turn = self.running.clone().acquire_owned().await.map_err(|_| Unknown::Busy)?;
        let hash = login.map_or_else(|| NOBODY.to_owned(), |login| login.password_hash.clone());
        let given = password.to_owned();
        // The turn goes along: a caller who stops waiting does not stop the hashing.
        let checked = spawn_blocking(move || {
            let _turn = turn;
            matches(&hash, &given)
        });
        let is_right = checked.await.unwrap_or(false);
        if let Some(login) = login
            && is_right
        {
            self.remember(login, password);
        }
        Ok(is_right)
    }

    /// Hashes a password that is to be kept.
    ///
    /// # Errors
    /// Fails as busy when too many are waiting.
    pub(super) async fn hash(&self, password: Password) -> Result<String, Error> {
        let busy = |_| Error::Busy {
            actor: super::PATH.to_owned(),
        };
        let _place = self.places.try_acquire().map_err(busy)?;
        let _turn = self.running.acquire().await.map_err(|_| Error::Restarting {
            actor: super::PATH.to_owned(),
        })?;
        hash(password).await
    }

    fn remember(&self, login: &Login, password: &str) {
        let Some(tag) = self.tag(login, password) else {
            return;
        };
        let now = Instant::now();
        let mut proven = lock(&self.proven);
        if proven.len() >= MAX_PROVEN {
            proven.retain(|_, until| *until > now);
        }
        if proven.len() < MAX_PROVEN {
            proven.insert(tag, now + PROVEN_FOR);
        }
    }

    fn tag(&self, login: &Login, password: &str) -> Option<Tag> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_ref()?).ok()?;
        mac.update(&login.id.0.to_be_bytes());
        mac.update(&login.generation.to_be_bytes());
        // Nobody else's password, not even one who has an id of an earlier database.
        mac.update(&(login.password_hash.len() as u64).to_be_bytes());
        mac.update(login.password_hash.as_bytes());
        mac.update(password.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

/// Hashes a password that is to be kept.
///
/// # Errors
/// Fails when the system has no random numbers.
pub async fn hash(password: Password) -> Result<String, Error> {
    let hashed = spawn_blocking(move || {
        let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.expose().as_bytes());
        hash.map(|hash| hash.to_string())
    });
    let failed = |cause: &dyn std::fmt::Display| Error::Internal(format!("a password cannot be hashed: {cause}"));
    hashed
        .await
        .map_err(|cause| failed(&cause))?
        .map_err(|cause| failed(&cause))
}

fn matches(hash: &str, password: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::UserId, value::Scope};

    async fn ada(password: &str) -> Login {
        Login {
            id: UserId(1),
            name: "ada".to_owned(),
            password_hash: hash(password.to_owned().try_into().unwrap()).await.unwrap(),
            scope: Scope::Read,
            generation: 1,
        }
    }

    #[tokio::test]
    async fn the_right_password_is_remembered_until_it_changes() {
        let passwords = Passwords::new();
        let ada = ada("correct horse").await;
        assert!(ada.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!passwords.is_proven(&ada, "correct horse"));
        assert_eq!(passwords.check(Some(&ada), "correct horsf").await, Ok(false));
        assert_eq!(passwords.check(Some(&ada), "correct horse").await, Ok(true));
        assert!(passwords.is_proven(&ada, "correct horse") && !passwords.is_proven(&ada, "correct horsf"));
        let changed = Login {
            generation: 2,
            ..ada.clone()
        };
        assert!(!passwords.is_proven(&changed, "correct horse"));
    }

    #[tokio::test]
    async fn nobody_is_checked_as_slowly_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = ada("correct horse").await.password_hash;
        assert_eq!(nobody.params, PasswordHash::new(&somebody).unwrap().params);
        assert_eq!(Passwords::new().check(None, "correct horse").await, Ok(false));
    }

    #[tokio::test]
    async fn a_flood_is_refused_rather_than_queued() {
        let passwords = Passwords::new();
        let _all = passwords.places.acquire_many(34).await.unwrap();
        assert_eq!(passwords.check(None, "x").await, Err(Unknown::Busy));
    }
}
