//! Keeps one row for each project that is found below a directory.

use std::{collections::HashMap, path::Path, time::Duration};

use sha2::{Digest, Sha256};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    Error,
    cancel::CancelOnDrop,
    id::ProjectId,
    scan::{self, ProjectRoot},
    store::{
        Store,
        projects::{self, NewProject},
    },
    value::{ProjectName, ProjectPath, TechStack},
};

/// As many projects are found below one directory.
const MAX_PROJECTS: usize = 10_000;
/// A directory that takes longer to look through is on a disk that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// As many rows are written in one transaction; others wait for it.
const ROWS_AT_ONCE: usize = 100;
/// As much of a name's hash tells projects apart.
const ID_CHARS: usize = 12;

/// Syncs the projects below any directory.
pub(super) async fn below(store: &Store, directory: &Path, data_dir: &Path) -> Result<Vec<ProjectId>, Error> {
    let found = find(directory, data_dir, |_| None).await?;
    keep(store, &found).await
}

/// Syncs the projects below the Zenith directory; those of it that are gone are not active any more.
pub(super) async fn zenith(store: &Store, directory: &Path, data_dir: &Path) -> Result<Vec<ProjectId>, Error> {
    let unreadable = |cause: std::io::Error| Error::Impossible {
        code: "ZENITH_UNREADABLE",
        reason: format!("the Zenith directory `{}` cannot be read: {cause}", directory.display()),
    };
    let directory = tokio::fs::canonicalize(directory).await.map_err(unreadable)?;
    drop(tokio::fs::read_dir(&directory).await.map_err(unreadable)?);
    let top = directory.clone();
    let found = find(&directory, data_dir, move |path| Some(zenith_id(&top, path))).await?;
    follow(store, &found).await?;
    let synced = keep(store, &found).await?;
    retire(store, &directory).await?;
    Ok(synced)
}

/// Looks through a directory.
async fn find(
    directory: &Path,
    data_dir: &Path,
    zenith_id: impl Fn(&Path) -> Option<String> + Send + 'static,
) -> Result<Vec<NewProject>, Error> {
    let (directory, data_dir) = (directory.to_owned(), data_dir.to_owned());
    let guard = CancelOnDrop::default();
    let cancel = guard.flag();
    let found = spawn_blocking(move || {
        let roots = scan::discover(&directory, MAX_PROJECTS, Some(&data_dir), &cancel).into_iter();
        roots
            .filter_map(|root| new_project(&root, zenith_id(&root.path)))
            .collect()
    });
    match timeout(PATIENCE, found).await {
        Ok(found) => found.map_err(|cause| Error::Internal(format!("the projects were not looked for: {cause}"))),
        Err(_) => Err(Error::Timeout {
            actor: super::PATH.to_owned(),
            after: PATIENCE,
        }),
    }
}

/// Describes a project that was found. One whose path is no UTF-8, or that has just vanished, cannot be kept.
fn new_project(root: &ProjectRoot, zenith_id: Option<String>) -> Option<NewProject> {
    let path = ProjectPath::resolve(root.path.to_str()?).ok()?;
    Some(NewProject {
        name: name(&root.name)?,
        path,
        zenith_id,
        project_type: None,
        tech_stack: TechStack::default(),
    })
}

/// Makes a name of a directory's.
fn name(directory: &str) -> Option<ProjectName> {
    let printable: String = directory
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect();
    ProjectName::try_from(printable.trim().to_owned()).ok()
}

/// Names a project by its place below the Zenith directory, which is the same wherever that is mounted.
fn zenith_id(directory: &Path, path: &Path) -> String {
    let place = path.strip_prefix(directory).unwrap_or(path);
    let hash = crate::hex::hex(&Sha256::digest(place.as_os_str().as_encoded_bytes()));
    format!("zen-{}", &hash[..ID_CHARS])
}

async fn keep(store: &Store, found: &[NewProject]) -> Result<Vec<ProjectId>, Error> {
    let mut projects = Vec::with_capacity(found.len());
    for some in found.chunks(ROWS_AT_ONCE) {
        projects.extend(projects::sync(store, some).await?);
    }
    Ok(projects)
}

/// Leads projects to where they are now when the Zenith directory was moved, so that they keep their rows.
async fn follow(store: &Store, found: &[NewProject]) -> Result<(), Error> {
    let places: HashMap<_, _> = found.iter().map(|new| (new.zenith_id.as_deref(), &new.path)).collect();
    for known in projects::active_zenith(store).await? {
        let Some(place) = places.get(&Some(known.zenith_id.as_str())) else {
            continue;
        };
        if place.as_path() == known.path || !is_gone(&known.path).await {
            continue;
        }
        match projects::relocate(store, known.id, place).await {
            // Somebody added it by hand already: then that row is the project's.
            Ok(()) | Err(Error::PathInUse { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes the projects for inactive that came from below the directory and whose own directory is gone.
async fn retire(store: &Store, directory: &Path) -> Result<(), Error> {
    for known in projects::active_zenith(store).await? {
        if known.path.starts_with(directory) && is_gone(&known.path).await {
            projects::retire(store, known.id).await?;
        }
    }
    Ok(())
}

/// What cannot be told may still be there.
async fn is_gone(path: &Path) -> bool {
    !tokio::fs::try_exists(path).await.unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zenith_id_depends_on_the_place_alone() {
        let id = zenith_id(Path::new("/a"), Path::new("/a/x/y"));
        assert_eq!(id, zenith_id(Path::new("/b"), Path::new("/b/x/y")));
        assert_ne!(id, zenith_id(Path::new("/a"), Path::new("/a/x")));
        assert!(id.len() == 16 && id.starts_with("zen-"), "{id}");
    }

    #[test]
    fn a_directory_gives_its_name_as_far_as_people_can_read_it() {
        assert_eq!(String::from(name("a\u{7}b ").unwrap()), "ab");
        assert_eq!(name("\u{1}"), None);
        assert!(name(&"x".repeat(250)).is_some());
    }
}
