//! The index of all projects: a folder each, opened, changed and searched.

mod open;

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicU64},
};

use super::{
    Answer, Budget, Damage, Damaged, Error, NewShard, Query, ShardBuilder,
    builder::Staging,
    compact,
    manifest::Entry,
    project::{LiveShard, Project},
    query::Compiled,
    run,
    shard::Reader,
};
use crate::id::ProjectId;

/// All projects as they stand. A search keeps the one it began with.
pub(super) type Projects = BTreeMap<ProjectId, Arc<Project>>;

/// Where the projects are on the disk.
pub type Roots = BTreeMap<ProjectId, PathBuf>;

/// The index of all projects. Searches go on while a project is replaced; they see it as it was when they began.
#[derive(Debug)]
pub struct CodeIndex {
    folder: PathBuf,
    /// Locked for the time of a clone or of a swap.
    projects: RwLock<Arc<Projects>>,
    /// Held by whoever changes the index.
    writer: Mutex<()>,
    next_staged: Arc<AtomicU64>,
}

/// A change of a project's index.
#[derive(Debug)]
pub struct Update {
    /// The files that are new or have changed.
    pub shards: Vec<NewShard>,
    /// The files that are gone.
    pub removed: Removed,
}

/// Which files of a project are no longer as they are in the index. Those of the new shards never are.
#[derive(Debug)]
pub enum Removed {
    /// All: the new shards are the whole index.
    Everything,
    /// Those paths inside the project.
    Paths(Vec<PathBuf>),
}

/// What came of [`CodeIndex::compact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compacted {
    /// There was nothing worth it.
    Unneeded,
    /// Shards were written again.
    Done,
    /// The project was changed meanwhile, so the work was thrown away.
    Superseded,
}

/// What the index holds, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Projects that have an index.
    pub projects: usize,
    /// Shards of all of them; each holds a file open.
    pub shards: usize,
    /// Files that can be found.
    pub files: u64,
    /// Files that are gone but still take up room.
    pub dead_files: u64,
    /// Names that are defined somewhere.
    pub definitions: u64,
    /// Bytes of the indexed files, those included that are gone.
    pub content_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
}

impl CodeIndex {
    /// Opens the index in that folder and deletes what a crash has left there. Damaged projects are reported; they answer
    /// with what is left of them, and take nothing but [`Removed::Everything`].
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or read.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Damaged>)> {
        fs::create_dir_all(folder)?;
        let mut projects = Projects::new();
        let mut damaged = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let id = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
                .map(ProjectId);
            if let Some(id) = id.filter(|_| entry.path().is_dir())
                && let Some(project) = open::project(id, &entry.path(), &mut damaged)?
            {
                projects.insert(id, Arc::new(project));
            }
        }
        let index = Self {
            folder: folder.to_owned(),
            projects: RwLock::new(Arc::new(projects)),
            writer: Mutex::default(),
            next_staged: Arc::default(),
        };
        Ok((index, damaged))
    }

    /// Returns the projects that have an index.
    pub fn projects(&self) -> Vec<ProjectId> {
        self.snapshot().keys().copied().collect()
    }

    /// Tells whether a project has an index that is whole, as far as is known.
    pub fn is_whole(&self, project: ProjectId) -> bool {
        self.snapshot().get(&project).is_some_and(|project| !project.is_damaged)
    }

    /// Returns a builder for shards of the project.
    ///
    /// # Errors
    ///
    /// When the project's folder cannot be made.
    pub fn builder(&self, project: ProjectId) -> Result<ShardBuilder, Error> {
        let staging = self.staging(project);
        fs::create_dir_all(&staging.folder).map_err(Error::write(&staging.folder))?;
        Ok(ShardBuilder::new(staging))
    }

    /// Changes a project's index. Searches that begin afterwards see the change, all of it; a crash leaves all or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsRebuild`] when only some files were to be replaced in a damaged index, and whatever the disk says. The
    /// index is as it was then.
    pub fn replace(&self, project: ProjectId, update: Update) -> Result<(), Error> {
        let _writer = self.lock_writer();
        let before = self.snapshot().get(&project).cloned().unwrap_or_default();
        let mut kept = match update.removed {
            Removed::Everything => Vec::new(),
            Removed::Paths(_) if before.is_damaged => return Err(Error::NeedsRebuild { project }),
            Removed::Paths(paths) => {
                let mut gone: HashSet<Vec<u8>> =
                    paths.into_iter().map(|path| path.into_os_string().into_vec()).collect();
                collect_paths(&update.shards, &mut gone).map_err(damaged(project))?;
                let without = |shard: &LiveShard| shard.without(&gone);
                before
                    .shards
                    .iter()
                    .map(without)
                    .collect::<Result<_, _>>()
                    .map_err(damaged(project))?
            }
        };
        kept.retain(|shard| !shard.is_empty());
        self.publish(project, &before, kept, update.shards)
    }

    /// Forgets a project.
    ///
    /// # Errors
    ///
    /// When its folder cannot be deleted. It is not searched any more even then, until the index is opened again.
    pub fn remove(&self, project: ProjectId) -> Result<(), Error> {
        let _writer = self.lock_writer();
        self.swap(|projects| {
            projects.remove(&project);
        });
        let folder = self.staging(project).folder;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome.map_err(Error::write(folder)),
        }
    }

    /// Writes those shards of a project again of which more than a quarter is gone, and puts small ones together. Worth
    /// calling after each [`replace`](Self::replace); takes seconds when there is something to do, and holds up nobody.
    ///
    /// # Errors
    ///
    /// When the index is damaged or the disk refuses. The index is as it was then.
    pub fn compact(&self, project: ProjectId) -> Result<Compacted, Error> {
        let before = self.snapshot().get(&project).cloned().unwrap_or_default();
        let chosen = before.worth_compacting();
        if chosen.is_empty() {
            return Ok(Compacted::Unneeded);
        }
        let builder = self.builder(project)?;
        for shard in &chosen {
            compact::copy(shard, &builder).map_err(|failure| match failure {
                compact::Failure::Damage(source) => Error::Damaged { project, source },
                compact::Failure::Write(error) => Error::write(self.staging(project).folder)(error),
            })?;
        }
        let built = builder.finish().map_err(Error::write(self.staging(project).folder))?;
        let _writer = self.lock_writer();
        let now = self.snapshot().get(&project).cloned().unwrap_or_default();
        let is_in = |shard: &LiveShard, shards: &[LiveShard]| shards.iter().any(|other| other.is_same(shard));
        if !chosen.iter().all(|shard| is_in(shard, &now.shards)) {
            return Ok(Compacted::Superseded);
        }
        let kept = now
            .shards
            .iter()
            .filter(|shard| !is_in(shard, &chosen))
            .cloned()
            .collect();
        self.publish(project, &now, kept, built.shards)?;
        Ok(Compacted::Done)
    }

    /// Finds lines. `roots` says where the projects are; those that are not in it are not searched.
    ///
    /// # Errors
    ///
    /// When the query makes no sense. Damage and unreadable files are part of the answer.
    pub fn search(&self, query: &Query, roots: &Roots, budget: &Budget) -> Result<Answer, Error> {
        let compiled = Compiled::new(query)?;
        let projects = self.snapshot();
        Ok(run::run(&compiled, &projects, roots, budget))
    }

    /// Counts what the index holds.
    pub fn stats(&self) -> Stats {
        let projects = self.snapshot();
        let mut stats = Stats {
            projects: projects.len(),
            ..Stats::default()
        };
        for live in projects.values().flat_map(|project| &project.shards) {
            stats.shards += 1;
            stats.files += u64::from(live.shard.num_files() - live.dead.num_files());
            stats.dead_files += u64::from(live.dead.num_files());
            stats.definitions += u64::from(live.shard.num_definitions());
            stats.content_bytes += live.shard.content_bytes();
            stats.index_bytes += live.shard.file_bytes();
        }
        stats
    }

    /// Moves the new shards to their place, says so in the manifest, lets searches see them and deletes what is unused.
    fn publish(
        &self,
        project: ProjectId,
        before: &Project,
        kept: Vec<LiveShard>,
        new: Vec<NewShard>,
    ) -> Result<(), Error> {
        let staging = self.staging(project);
        let mut after = Project {
            shards: kept,
            next: before.next,
            is_damaged: false,
        };
        fs::create_dir_all(&staging.folder).map_err(Error::write(&staging.folder))?;
        for shard in new {
            let entry = Entry {
                number: after.next,
                dead: Vec::new(),
            };
            let path = staging.folder.join(entry.file_name());
            shard.keep(&path).map_err(Error::write(path))?;
            after.next += 1;
            after
                .shards
                .push(LiveShard::open(&staging.folder, &entry).map_err(damaged(project))?);
        }
        let manifest = after.manifest();
        manifest.write(&staging).map_err(Error::write(&staging.folder))?;
        let is_kept = |shard: &LiveShard| after.shards.iter().any(|kept| kept.number == shard.number);
        let unused: Vec<PathBuf> = before
            .shards
            .iter()
            .filter(|shard| !is_kept(shard))
            .map(|shard| shard.shard.path().to_owned())
            .collect();
        self.swap(|projects| {
            projects.insert(project, Arc::new(after));
        });
        delete_unused(&unused);
        Ok(())
    }

    fn staging(&self, project: ProjectId) -> Staging {
        Staging {
            folder: self.folder.join(project.to_string()),
            next: self.next_staged.clone(),
        }
    }

    fn snapshot(&self) -> Arc<Projects> {
        self.projects.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, change: impl FnOnce(&mut Projects)) {
        let mut projects = Projects::clone(&self.snapshot());
        change(&mut projects);
        *self.projects.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(projects);
    }

    fn lock_writer(&self) -> std::sync::MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn collect_paths(shards: &[NewShard], into: &mut HashSet<Vec<u8>>) -> Result<(), Damage> {
    for shard in shards {
        let shard = super::shard::Shard::open(shard.path())?;
        let mut reader = Reader::new(&shard);
        for file in 0..shard.num_files() {
            let record = reader.file(file)?;
            into.insert(reader.path_bytes(&record)?.to_vec());
        }
    }
    Ok(())
}

fn damaged(project: ProjectId) -> impl Fn(Damage) -> Error {
    move |source| Error::Damaged { project, source }
}

/// What cannot be deleted now is deleted when the index is opened next.
fn delete_unused(paths: &[PathBuf]) {
    for path in paths {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "a shard that nobody uses cannot be deleted");
        }
    }
}
