//! Who calls: by the token of a program, the password of a user, or a short-lived access token.
//!
//! The rows of tokens and users are the facts. What requests are judged by is a snapshot of them in memory, so that none
//! waits for the database: the [`actor`](Keeper) takes it anew every two seconds, and at once after a change that was made
//! here. Other programs on the same database are therefore obeyed within seconds. While the database does not answer, what
//! was last known counts for [`MAX_AGE`], then tokens and users are refused rather than trusted.

mod actor;
mod caller;
mod jwt;
mod passwords;
mod secret;
mod snapshot;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

pub use self::{
    actor::{Args, Keeper, Message, PATH},
    caller::{Caller, Identity, Method},
    jwt::{AccessToken, LIFETIME},
    passwords::hash,
    secret::{Secret, digest},
    snapshot::Snapshot,
};
use self::{jwt::Signer, passwords::Passwords, secret::Bootstrap};
use crate::{
    Error,
    error::chain,
    id::TokenId,
    store::{Store, users::Login},
    supervision::{Handle, lock},
    value::Password,
};

/// As old may a snapshot be that tokens and users are still recognised by.
pub const MAX_AGE: Duration = Duration::from_secs(30);
/// How long a change waits until it is seen here; later it is seen by the next look.
const SYNC_PATIENCE: Duration = Duration::from_secs(5);
/// A use is written down at most this often.
const RECORD_USE_EVERY: Duration = Duration::from_secs(60);

/// Recognises callers. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    handle: Handle<Message>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    checked_at: watch::Receiver<Instant>,
    passwords: Arc<Passwords>,
    signer: Arc<Signer>,
    bootstrap: Option<Bootstrap>,
    /// When the use of a token was last written down. Not larger than the number of tokens that may be valid.
    recorded: Arc<Mutex<HashMap<TokenId, Instant>>>,
}

/// Why somebody was not recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The credential is none, is wrong, or is not valid any more.
    Wrong,
    /// Nobody knows: what is known is too old.
    Stale,
    /// As many passwords are being checked as can be.
    Busy,
}

/// What is known of a password before it is checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// It was found right a short while ago.
    Proven(Caller),
    /// It must be checked, against that of nobody if there is no such user.
    Unproven(Option<Login>),
}

impl Credentials {
    /// Takes the first snapshot, and reads the key of access tokens or makes it. What keeps the snapshot fresh is told by
    /// the returned arguments.
    ///
    /// # Errors
    /// Fails when the database does, or when the key's file cannot be used.
    pub async fn prepare(store: &Store, data_dir: &Path, handle: Handle<Message>) -> Result<(Self, Args), Error> {
        let signer = Signer::load(data_dir, store.instance()).map_err(|error| Error::Internal(chain(&error)))?;
        let snapshot = Snapshot::take(store).await?;
        let (snapshot_sender, snapshots) = watch::channel(Arc::new(snapshot));
        let (checked_sender, checked_at) = watch::channel(Instant::now());
        let args = Args {
            store: store.clone(),
            snapshots: snapshot_sender,
            checked_at: checked_sender,
        };
        let credentials = Self {
            handle,
            snapshots,
            checked_at,
            passwords: Arc::new(Passwords::new()),
            signer: Arc::new(signer),
            bootstrap: None,
            recorded: Arc::default(),
        };
        Ok((credentials, args))
    }

    /// Also recognises the owner of this token, which is in no row.
    pub fn with_bootstrap(self, secret: Option<&str>) -> Self {
        Self {
            bootstrap: secret.map(Bootstrap::new),
            ..self
        }
    }

    /// Says whether a credential is configured: a bootstrap token, a user, or a token, even one that is not valid any more.
    pub fn is_configured(&self) -> bool {
        self.bootstrap.is_some() || self.snapshots.borrow().has_any
    }

    /// Recognises who bears a token or an access token. Whoever the latter was given to must still be who they were.
    ///
    /// # Errors
    /// Says why they are not recognised.
    pub fn bearer(&self, text: &str) -> Result<Caller, Unknown> {
        if self.bootstrap.as_ref().is_some_and(|known| known.is(text)) {
            return Ok(Caller::bootstrap());
        }
        let caller = match Secret::is_token(text) {
            true => self.snapshot()?.token(&digest(text)),
            false => self.access_token(text)?,
        };
        let caller = caller.ok_or(Unknown::Wrong)?;
        if let Identity::Token(id) = caller.identity {
            self.note_use(id);
        }
        Ok(caller)
    }

    fn access_token(&self, text: &str) -> Result<Option<Caller>, Unknown> {
        let Some(claims) = self.signer.read(text) else {
            return Ok(None);
        };
        let fingerprint = self.bootstrap.as_ref().map(|known| known.fingerprint.as_str());
        let snapshot = self.snapshot()?;
        let owner = claims
            .subject()
            .and_then(|subject| snapshot.bearer(subject, fingerprint));
        Ok(owner.and_then(|owner| claims.limit(owner)))
    }

    /// Makes an access token for who has shown a lasting credential.
    ///
    /// # Errors
    /// Fails with `NO_CREDENTIAL` for who has none.
    pub fn issue(&self, caller: &Caller) -> Result<AccessToken, Error> {
        let fingerprint = self.bootstrap.as_ref().map(|known| known.fingerprint.as_str());
        self.signer.issue(caller, fingerprint.unwrap_or_default())
    }

    /// Finds the user of a name, and says whether this password was found right a short while ago.
    ///
    /// # Errors
    /// Says that nobody knows.
    pub fn user(&self, name: &str, password: &str) -> Result<Proof, Unknown> {
        Ok(match self.snapshot()?.login(name) {
            Some(login) if self.passwords.is_proven(login, password) => Proof::Proven(Caller::of_user(login)),
            login => Proof::Unproven(login.cloned()),
        })
    }

    /// Checks a password, which takes a while, as long for users that there are not.
    ///
    /// # Errors
    /// Says why it is not the user's.
    pub async fn check(&self, login: Option<&Login>, password: &str) -> Result<Caller, Unknown> {
        let is_right = self.passwords.check(login, password).await?;
        match login {
            Some(login) if is_right => Ok(Caller::of_user(login)),
            Some(_) | None => Err(Unknown::Wrong),
        }
    }

    /// Hashes a password that is to be kept, in its turn.
    ///
    /// # Errors
    /// Fails as busy when too many are waiting.
    pub async fn hash(&self, password: Password) -> Result<String, Error> {
        self.passwords.hash(password).await
    }

    /// Says whether a caller would still be recognised as the same.
    pub fn still_holds(&self, caller: &Caller) -> bool {
        self.snapshots.borrow().still_holds(caller)
    }

    /// Returns what is told of every change of tokens and users.
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Waits until a change that was made is seen. When that takes too long, it is seen by the next look.
    pub async fn sync(&self) {
        let synced = self.handle.call(SYNC_PATIENCE, |reply| Message::Sync { reply }).await;
        if let Err(error) = synced {
            tracing::warn!(%error, "a change of credentials is not in force at once, only within seconds");
        }
    }

    /// Returns what is known, unless it is too old.
    fn snapshot(&self) -> Result<Arc<Snapshot>, Unknown> {
        match self.checked_at.borrow().elapsed() {
            age if age <= MAX_AGE => Ok(self.snapshots.borrow().clone()),
            _ => Err(Unknown::Stale),
        }
    }

    /// Has a use written down, unless one was within the last minute.
    fn note_use(&self, id: TokenId) {
        let now = Instant::now();
        let mut recorded = lock(&self.recorded);
        let is_due = recorded
            .get(&id)
            .is_none_or(|at| now.duration_since(*at) >= RECORD_USE_EVERY);
        if is_due {
            recorded.retain(|_, at| now.duration_since(*at) < RECORD_USE_EVERY);
            recorded.insert(id, now);
            drop(recorded);
            if let Err(error) = self.handle.cast(Message::RecordUse { token: id }) {
                tracing::debug!(%error, "the use of a token was not written down");
            }
        }
    }
}
