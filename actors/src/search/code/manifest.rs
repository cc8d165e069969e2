//! Says which shards make up a project's index and which files in them are gone. Replacing it is what makes a change.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::{Damage, builder::Staging};

/// The name of the file in a project's folder.
const FILE_NAME: &str = "manifest";

/// A million files that are gone make a tenth of that.
const MAX_BYTES: u64 = 256 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The number of the next shard. Numbers are never used again, so that an old file is never taken for a new one.
    pub(super) next: u64,
    pub(super) shards: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    /// Files of the shard that are gone.
    pub(super) dead: Vec<u32>,
}

impl Entry {
    pub(super) fn file_name(&self) -> String {
        format!("{}.shard", self.number)
    }
}

impl Manifest {
    /// Reads the manifest of a project's folder; `None` if there is none.
    pub(super) fn find(folder: &Path) -> Result<Option<Self>, Damage> {
        let path = folder.join(FILE_NAME);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(facts) if facts.len() > MAX_BYTES => return Err(Damage::Malformed("length")),
            outcome => outcome?,
        };
        let bytes = fs::read(path)?;
        let (checksum, body) = bytes.split_first_chunk().ok_or(Damage::Malformed("length"))?;
        if u64::from_le_bytes(*checksum) != XxHash3_64::oneshot(body) {
            return Err(Damage::Checksum("manifest"));
        }
        serde_json::from_slice(body).map(Some).map_err(|_| Damage::OtherVersion)
    }

    /// Puts this manifest in the place of the one before; after a crash there is the one or the other.
    pub(super) fn write(&self, staging: &Staging) -> io::Result<()> {
        let body = serde_json::to_vec(self)?;
        let temporary = staging.new_path();
        let mut file = File::create_new(&temporary)?;
        file.write_all(&XxHash3_64::oneshot(&body).to_le_bytes())?;
        file.write_all(&body)?;
        file.sync_all()?;
        fs::rename(&temporary, staging.folder.join(FILE_NAME))?;
        File::open(&staging.folder)?.sync_all()
    }

    /// Deletes what a crash has left in a project's folder: everything that this manifest does not name.
    pub(super) fn delete_others(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = name == FILE_NAME || self.shards.iter().any(|shard| name == *shard.file_name());
            if !is_ours {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
