//! Scanning as others ask for it: one project, all below a directory, or whatever changed.
//!
//! ```text
//! request ─▶ row ─▶ actor ─▶ job: scan::scan ─▶ code index ─▶ project's row, event ─▶ snapshot
//!                     ▲                                                                  │
//!                     └──────────── watcher: what changed since ◀── directories ─────────┘
//! ```
//!
//! A request is a row first, so that none is lost. What a scan remembers for the next one is a file below the data
//! directory, written last: whatever happens before, the next scan reads again what was not settled.

mod actor;
mod feed;
mod files;
mod job;
mod outcome;
mod sync;
mod watcher;
mod work;

use std::path::PathBuf;

use tokio::task::{JoinError, spawn_blocking};

pub use actor::{Args, Message, PATH, Scanner};
pub use files::Snapshots;
pub use sync::Synced;

use crate::{
    Error, event_bus,
    id::ProjectId,
    scan::SeenFile,
    store::{
        Store, projects,
        scans::{self, Found},
    },
    supervision::Handle,
    value::ProjectPath,
};

/// As many rows are written in one transaction; others wait for it.
const ROWS_AT_ONCE: usize = 100;

/// What people can do with scans. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scans {
    store: Store,
    snapshots: Snapshots,
    scanner: Handle<Message>,
    events: Handle<event_bus::Message>,
    zenith_dir: Option<PathBuf>,
}

impl Scans {
    /// Ties the parts together.
    pub fn new(args: &Args, scanner: Handle<Message>, zenith_dir: Option<PathBuf>) -> Self {
        Self {
            store: args.store.clone(),
            snapshots: args.snapshots.clone(),
            scanner,
            events: args.events.clone(),
            zenith_dir,
        }
    }

    /// Asks for a scan of a project; one that is under way is joined.
    ///
    /// # Errors
    /// `NOT_FOUND`, and those of the database.
    pub async fn request(&self, id: ProjectId) -> Result<(), Error> {
        self.request_all(&[id]).await
    }

    /// Finds all projects below the Zenith directory, keeps one row for each, takes those that are gone for inactive, and
    /// asks for scans of the others.
    ///
    /// # Errors
    /// `ZENITH_NOT_CONFIGURED`, `ZENITH_UNREADABLE`, and those of the database.
    pub async fn sync_zenith(&self) -> Result<Synced, Error> {
        let directory = self.zenith_dir.as_deref().ok_or_else(|| Error::Impossible {
            code: "ZENITH_NOT_CONFIGURED",
            reason: "no Zenith directory is configured; start BorgOS with `--zenith-dir DIR`".to_owned(),
        })?;
        let synced = sync::zenith(&self.store, directory).await?;
        self.request_all(&synced.projects).await?;
        Ok(synced)
    }

    /// Finds all projects below a directory, keeps one row for each and asks for their scans.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn discover(&self, directory: &ProjectPath) -> Result<Synced, Error> {
        let synced = sync::below(&self.store, directory.as_path()).await?;
        self.request_all(&synced.projects).await?;
        Ok(synced)
    }

    /// Lets go of all that is kept of a project that was deleted.
    pub fn forget(&self, project: ProjectId) {
        self.hint(Message::Forget { project });
    }

    /// Returns what the last scan of a project found.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_SCANNED`, and those of the database.
    pub async fn found(&self, id: ProjectId) -> Result<Found, Error> {
        let scan = scans::find(&self.store, id).await?;
        match scan.and_then(|scan| scan.found) {
            Some(found) => Ok(found),
            None => Err(self.not_scanned(id).await),
        }
    }

    /// Lists the files of a project, by path, as the last scan saw them.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_SCANNED`, and those of the database.
    pub async fn files(&self, id: ProjectId) -> Result<Vec<SeenFile>, Error> {
        projects::project(&self.store, id).await?;
        let snapshots = self.snapshots.clone();
        let files = spawn_blocking(move || snapshots.load(id).map(|snapshot| snapshot.files()));
        files.await.map_err(lost)?.ok_or_else(|| not_scanned(id))
    }

    /// Reads a file of a project that the last scan saw, so nothing that the project ignores.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_SCANNED`, `FILE_TOO_LARGE`, and those of the database.
    pub async fn read(&self, id: ProjectId, path: String) -> Result<Vec<u8>, Error> {
        let project = projects::project(&self.store, id).await?;
        let snapshots = self.snapshots.clone();
        let read = spawn_blocking(move || {
            let snapshot = snapshots.load(id).ok_or_else(|| not_scanned(id))?;
            match snapshot.has(&path) {
                true => files::read(&project.path, &path),
                false => Err(files::absent(&path)),
            }
        });
        read.await.map_err(lost)?
    }

    async fn not_scanned(&self, id: ProjectId) -> Error {
        match projects::project(&self.store, id).await {
            Err(error) => error,
            Ok(_) => not_scanned(id),
        }
    }

    async fn request_all(&self, ids: &[ProjectId]) -> Result<(), Error> {
        for some in ids.chunks(ROWS_AT_ONCE) {
            scans::request(&self.store, some).await?;
        }
        event_bus::nudge(&self.events);
        self.hint(Message::Scan(ids.to_vec()));
        Ok(())
    }

    /// A hint that is lost costs half a minute at most: the scanner looks at the rows by itself.
    fn hint(&self, message: Message) {
        if let Err(error) = self.scanner.cast(message) {
            tracing::debug!(%error, "the scanner took no hint");
        }
    }
}

/// Nothing is known of the project's files yet.
fn not_scanned(id: ProjectId) -> Error {
    Error::Conflict {
        code: "NOT_SCANNED",
        reason: format!("project {id} was not scanned yet; ask for it with `POST /api/v1/projects/{id}/scan`"),
    }
}

fn lost(cause: JoinError) -> Error {
    Error::Internal(format!("the files of a project were not read: {cause}"))
}
