//! The directory that Agent Zero was installed in: its own settings, and the key that it accepts.
//!
//! Of all its files one is ever written, `usr/.env`, and that only by adding what is not there. `.env` beside it is never
//! touched: from 0.9.8 on Agent Zero moves it over `usr/.env` at its next start, and what was in there is lost.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::env_file;
use crate::value::Secrets;

const RUNTIME_ID: &str = "A0_PERSISTENT_RUNTIME_ID";
const TIMEZONE: &str = "DEFAULT_USER_TIMEZONE";
const TOKEN_CHARS: usize = 16;
const LOGIN: &str = "AUTH_LOGIN";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    /// Returns the text itself, for the request that sends it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What lets us in.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The key of the API for programs, unless nothing says what it is.
    pub(super) token: Option<Token>,
    /// Name and password of the page, if it wants them.
    pub(super) login: Option<(String, Token)>,
    /// What its page last said where its user is. Whoever looks at a chat sets it anew, so we say the same.
    pub(super) timezone: String,
}

/// The directory. All of its functions block.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    directory: PathBuf,
}

impl Installation {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Adds what makes Agent Zero fit for being run by BorgOS, where nobody has said otherwise: a key that stays the same
    /// over restarts, a place to work in outside of the installation, and no updates by itself.
    pub(super) fn prepare(&self, workdir: &Path) -> io::Result<()> {
        if !self.has_usr() || self.directory.join(".env").exists() {
            tracing::info!("the settings of this Agent Zero are left as they are");
            return Ok(());
        }
        let known = read(&self.usr_file())?;
        let wanted = [
            (RUNTIME_ID, Uuid::new_v4().simple().to_string()),
            ("A0_SET_workdir_path", format!("'{}'", workdir.display())),
            ("A0_SET_update_check_enabled", "false".to_owned()),
        ];
        let lines = wanted.iter().filter(|(name, _)| !known.contains_key(*name));
        let lines: String = lines.map(|(name, value)| format!("{name}={value}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(self.directory.join("usr"))?;
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(self.usr_file())?;
        // One that somebody wrote by hand may end within a line.
        file.write_all(format!("\n{lines}").as_bytes())?;
        file.sync_all()
    }

    /// Returns what lets us in, as Agent Zero itself has read it at its start.
    pub(super) fn credentials(&self) -> io::Result<Credentials> {
        let settings = self.settings()?;
        let text = |name: &str| settings.get(name).map_or("", String::as_str);
        let (login, password) = (text(LOGIN), text("AUTH_PASSWORD"));
        let token = settings.get(RUNTIME_ID).map(|id| token(id, login, password));
        Ok(Credentials {
            token,
            login: (!login.is_empty()).then(|| (login.to_owned(), Token(password.to_owned()))),
            timezone: settings.get(TIMEZONE).map_or("UTC", String::as_str).to_owned(),
        })
    }

    /// Returns what must not be shown of what it says.
    pub(super) fn secrets(&self) -> io::Result<Secrets> {
        let settings = self.settings()?;
        let token = self.credentials()?.token;
        let id = settings.get(RUNTIME_ID).map(|id| ("KEY", id.as_str()));
        let token = token.as_ref().map(|token| ("TOKEN", token.expose()));
        // The name of a login is a word like any other.
        let named = settings.iter().filter(|(name, _)| *name != LOGIN);
        let named = named.map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Secrets::among(named.chain(id).chain(token)))
    }

    fn settings(&self) -> io::Result<BTreeMap<String, String>> {
        match self.has_usr() {
            true => read(&self.usr_file()),
            false => read(&self.directory.join(".env")),
        }
    }

    /// Says whether this version keeps what is its user's in a directory of its own.
    fn has_usr(&self) -> bool {
        self.directory.join("usr").is_dir() || !self.directory.join("python").is_dir()
    }

    fn usr_file(&self) -> PathBuf {
        self.directory.join("usr/.env")
    }
}

/// Computes the key as Agent Zero does.
fn token(runtime_id: &str, login: &str, password: &str) -> Token {
    let digest = Sha256::digest(format!("{runtime_id}:{login}:{password}"));
    let mut text = URL_SAFE_NO_PAD.encode(digest);
    text.truncate(TOKEN_CHARS);
    Token(text)
}

fn read(path: &Path) -> io::Result<BTreeMap<String, String>> {
    match fs::read(path) {
        Ok(content) => Ok(env_file::parse(&String::from_utf8_lossy(&content))),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_computed_as_agent_zero_does() {
        // python3 -c 'import hashlib,base64; print(base64.urlsafe_b64encode(hashlib.sha256(b"0123:me:pw").digest())[:16])'
        assert_eq!(token("0123", "me", "pw").expose(), EXPECTED_WITH_LOGIN);
        assert_eq!(token("0123", "", "").expose(), EXPECTED);
    }

    const EXPECTED_WITH_LOGIN: &str = "BvVKI40wPN1FxQKE";
    const EXPECTED: &str = "MQS7uVfaNGeib1IQ";

    #[test]
    fn only_what_is_missing_is_added_and_the_other_file_is_never_touched() {
        let directory = tempfile::tempdir().unwrap();
        let installation = Installation::new(directory.path().to_owned());
        let file = directory.path().join("usr/.env");
        fs::create_dir(directory.path().join("usr")).unwrap();
        fs::write(
            &file,
            "API_KEY_OPENAI='canary-key'\nnot a line\nA0_SET_workdir_path=/mine",
        )
        .unwrap();
        installation.prepare(Path::new("/work dir")).unwrap();
        let first = fs::read_to_string(&file).unwrap();
        assert!(
            first.starts_with("API_KEY_OPENAI") && !first.contains("/work dir"),
            "{first}"
        );
        assert!(installation.credentials().unwrap().token.is_some());
        assert_eq!(installation.secrets().unwrap().mask("a canary-key"), "a ***");
        installation.prepare(Path::new("/work dir")).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), first);

        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join(".env"), "A=b\n").unwrap();
        Installation::new(other.path().to_owned())
            .prepare(Path::new("/w"))
            .unwrap();
        assert_eq!(fs::read_to_string(other.path().join(".env")).unwrap(), "A=b\n");
        assert!(!other.path().join("usr").exists());
    }

    #[test]
    fn old_versions_have_their_settings_at_the_top() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("python")).unwrap();
        fs::write(directory.path().join(".env"), "AUTH_LOGIN=me\nAUTH_PASSWORD=pw\n").unwrap();
        let credentials = Installation::new(directory.path().to_owned()).credentials().unwrap();
        assert_eq!(credentials.token, None);
        assert_eq!(credentials.login.unwrap().0, "me");
    }
}
