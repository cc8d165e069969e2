//! What is wanted, on disk: it is written before it is done, so that the next BorgOS goes on where this one was.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::{
    runtime::process::{read_json, replace_json},
    value::Port,
};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wanted", rename_all = "snake_case")]
pub(super) enum Intent {
    /// It is to run, from here.
    Running { directory: PathBuf, port: Port },
    /// It is not to run.
    Stopped,
    /// It is not to run, since it was given up.
    Failed { reason: String },
}

impl Intent {
    /// Says whether it is to run just as the settings have it.
    pub(super) fn is_running_as(&self, settings: &Settings) -> bool {
        matches!(self, Self::Running { directory, port }
            if Some(directory) == settings.directory.as_ref() && *port == settings.port)
    }
}

/// The file.
#[derive(Debug, Clone)]
pub(super) struct IntentFile {
    path: PathBuf,
}

impl IntentFile {
    /// Names the file within a directory, which need not be there yet.
    pub(super) fn within(directory: &Path) -> Self {
        Self {
            path: directory.join("intent.json"),
        }
    }

    /// Reads it. Nothing was ever wanted where there is none. Blocks.
    pub(super) fn read(&self) -> io::Result<Intent> {
        Ok(read_json(&self.path)?.unwrap_or(Intent::Stopped))
    }

    /// Replaces it. Blocks.
    pub(super) fn write(&self, intent: &Intent) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            DirBuilder::new().mode(0o700).recursive(true).create(directory)?;
        }
        replace_json(&self.path, intent)
    }
}
