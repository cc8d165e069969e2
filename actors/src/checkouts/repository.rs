//! The repository that a project is in. It is only read, and none of its settings counts but the address of its remote.

use std::path::{Path, PathBuf};

use super::{Protocol, remote::Remote};
use crate::{
    Error,
    git::{Git, Limits},
    value::GitRef,
};

/// The remote that is asked unless there is only another one.
const USUAL_REMOTE: &str = "origin";

/// A project's repository.
pub(super) struct Repository<'a> {
    git: Git<'a>,
    /// Where its objects are.
    pub(super) objects: PathBuf,
    /// The project's place in it: empty, or a path without a slash at its end.
    pub(super) prefix: String,
}

impl<'a> Repository<'a> {
    /// Finds the repository; none if the project is in none.
    pub(super) fn find(project: &'a Path, limits: Limits<'a>) -> Option<Self> {
        let git = Git::new(project, limits);
        let asked = git.run(&[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "objects",
            "--show-prefix",
        ]);
        let told = String::from_utf8(asked.ok()?).ok()?;
        let mut lines = told.lines();
        let objects = PathBuf::from(lines.next()?);
        let prefix = lines.next().unwrap_or_default().trim_end_matches('/').to_owned();
        // A path with a line feed in it is not understood here.
        (objects.is_absolute() && lines.next().is_none()).then_some(Self { git, objects, prefix })
    }

    /// Finds the commit of that name.
    pub(super) fn commit(&self, name: &GitRef) -> Option<String> {
        let expression = format!("{name}^{{commit}}");
        let told = self
            .git
            .run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &expression])
            .ok()?;
        Some(String::from_utf8(told).ok()?.trim().to_owned())
    }

    /// Returns the remote that further commits are fetched from.
    ///
    /// # Errors
    /// Says why there is none.
    pub(super) fn remote(&self, allowed: &[Protocol]) -> Result<Remote, String> {
        let listed = self.git.run(&["remote"]).map_err(|cause| cause.to_string())?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let names: Vec<&str> = listed.lines().collect();
        let name = match names.as_slice() {
            [only] => *only,
            several if several.contains(&USUAL_REMOTE) => USUAL_REMOTE,
            [] => return Err("the repository has no remote to ask".to_owned()),
            _ => return Err(format!("none of the repository's remotes is `{USUAL_REMOTE}`")),
        };
        let key = format!("remote.{name}.url");
        let address = self.git.run(&["config", "--get", &key]);
        let address = address.map_err(|_| "its remote has no address".to_owned())?;
        Remote::parse(String::from_utf8_lossy(&address).trim(), allowed)
    }
}

/// Checks that there is a repository, and that a name is known or can be asked for.
pub(super) fn check(project: &Path, name: &GitRef, allowed: &[Protocol], limits: Limits<'_>) -> Result<(), Error> {
    let Some(repository) = Repository::find(project, limits) else {
        return Err(Error::Impossible {
            code: "NOT_A_REPOSITORY",
            reason: "a `source_ref` names a commit, and the project is in no git repository".to_owned(),
        });
    };
    if repository.commit(name).is_some() {
        return Ok(());
    }
    let remote = repository.remote(allowed).map(drop);
    remote.map_err(|reason| Error::Impossible {
        code: "SOURCE_REF_NOT_FOUND",
        reason: format!("`{name}` is not known here, and cannot be asked for: {reason}"),
    })
}
