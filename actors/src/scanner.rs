//! Scanning as others ask for it: one project, all below a directory, or whatever changed.
//!
//! ```text
//! request ─▶ row ─▶ actor ─▶ job: scan::scan ─▶ code index ─▶ snapshot ─▶ project's row, event
//!                     ▲                                                                  │
//!                     └──────────── watcher: what changed since ◀── directories ─────────┘
//! ```
//!
//! A request is a row first, so that none is lost. What a scan remembers for the next one is a file below the data
//! directory, which counts only if the row names it: whatever happens before, the next scan reads again.

mod actor;
mod feed;
mod files;
mod job;
mod outcome;
mod sync;
mod watcher;
mod work;

use std::{path::PathBuf, sync::Arc};

use tokio::{sync::Semaphore, task::spawn_blocking};

pub use actor::{Args, Message, PATH, Scanner};
pub use files::Snapshots;
pub use job::Ended;

use crate::{
    Error, event_bus,
    id::ProjectId,
    scan::{SeenFile, Snapshot},
    store::{
        Store, projects,
        scans::{self, Found, Scan},
    },
    supervision::Handle,
    value::ProjectPath,
};

/// As many questions about files are answered at once.
const MAX_READERS: usize = 8;

/// What people can do with scans. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scans {
    store: Store,
    snapshots: Snapshots,
    data_dir: PathBuf,
    /// Snapshots can be large, and disks slow.
    readers: Arc<Semaphore>,
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
            data_dir: args.data_dir.clone(),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
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
        scans::request(&self.store, id).await?;
        self.hint(Message::Scan(vec![id]));
        Ok(())
    }

    /// Takes up the watch over a project that is active again.
    pub fn reactivate(&self, project: ProjectId) {
        self.hint(Message::Rescan { project });
    }

    /// Finds all projects below the Zenith directory, keeps one row for each, takes those that are gone for inactive, and
    /// asks for scans of the others, which it returns by path.
    ///
    /// # Errors
    /// `ZENITH_NOT_CONFIGURED`, `ZENITH_UNREADABLE`, and those of the database.
    pub async fn sync_zenith(&self) -> Result<Vec<ProjectId>, Error> {
        let directory = self.zenith_dir.as_deref().ok_or_else(|| Error::Impossible {
            code: "ZENITH_NOT_CONFIGURED",
            reason: "no Zenith directory is configured; start BorgOS with `--zenith-dir DIR`".to_owned(),
        })?;
        let synced = sync::zenith(&self.store, directory, &self.data_dir).await?;
        Ok(self.tell(synced))
    }

    /// Finds all projects below a directory, keeps one row for each, asks for their scans, and returns them by path.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn discover(&self, directory: &ProjectPath) -> Result<Vec<ProjectId>, Error> {
        let synced = sync::below(&self.store, directory.as_path(), &self.data_dir).await?;
        Ok(self.tell(synced))
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

    /// Lists the wanted files of a project, by path, as the last scan saw them.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_SCANNED`, `BUSY`, and those of the database.
    pub async fn files(
        &self,
        id: ProjectId,
        is_wanted: impl Fn(&SeenFile) -> bool + Send + 'static,
    ) -> Result<Vec<SeenFile>, Error> {
        projects::project(&self.store, id).await?;
        let list = move |snapshot: &Snapshot| snapshot.files(is_wanted);
        match self.ask_snapshot(id, list).await? {
            Some(files) => Ok(files),
            None => Err(self.not_scanned(id).await),
        }
    }

    /// Reads a file of a project that the last scan saw, so nothing that the project ignores.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_SCANNED`, `FILE_TOO_LARGE`, `BUSY`, and those of the database.
    pub async fn read(&self, id: ProjectId, path: String) -> Result<Vec<u8>, Error> {
        let project = projects::project(&self.store, id).await?;
        let read = move |snapshot: &Snapshot| match snapshot.has(&path) {
            true => files::read(&project.path, &path),
            false => Err(files::absent(&path)),
        };
        match self.ask_snapshot(id, read).await? {
            Some(content) => content,
            None => Err(self.not_scanned(id).await),
        }
    }

    /// Asks what the last scan of a project left, if there is anything.
    async fn ask_snapshot<T: Send + 'static>(
        &self,
        id: ProjectId,
        ask: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let busy = |_| Error::Busy { actor: PATH.to_owned() };
        let permit = self.readers.clone().try_acquire_owned().map_err(busy)?;
        let snapshots = self.snapshots.clone();
        let asked = spawn_blocking(move || {
            let answer = snapshots.load(id).as_ref().map(ask);
            drop(permit);
            answer
        });
        asked
            .await
            .map_err(|cause| Error::Internal(format!("the files of a project were not read: {cause}")))
    }

    /// Says why nothing is known of a project's files.
    async fn not_scanned(&self, id: ProjectId) -> Error {
        let failure = match projects::project(&self.store, id).await {
            Ok(_) => scans::find(&self.store, id).await,
            Err(error) => Err(error),
        };
        let reason = match failure {
            Err(error) => return error,
            Ok(Some(Scan { failure: Some(why), .. })) => format!("project {id} could not be scanned: {why}"),
            Ok(_) => format!("project {id} was not scanned yet; ask for it with `POST /api/v1/projects/{id}/scan`"),
        };
        Error::Conflict {
            code: "NOT_SCANNED",
            reason,
        }
    }

    fn tell(&self, synced: Vec<ProjectId>) -> Vec<ProjectId> {
        event_bus::nudge(&self.events);
        self.hint(Message::Scan(synced.clone()));
        synced
    }

    /// A request whose hint is lost waits for half a minute at most: the scanner looks at the rows by itself. What else is
    /// lost waits for its next start.
    fn hint(&self, message: Message) {
        if let Err(error) = self.scanner.cast(message) {
            tracing::debug!(%error, "the scanner took no hint");
        }
    }
}
