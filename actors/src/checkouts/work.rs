//! Makes the files of a commit.
//!
//! They come out of a repository of our own, which borrows the objects of the project's or has fetched them: so no hook, no
//! filter and no other setting of the project's repository counts, and nothing there is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Protocol, remote::Remote, repository::Repository};
use crate::{
    git::{Git, Limits},
    value::GitRef,
};

/// All files of a commit together.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
const MAX_FILES: usize = 200_000;
/// So many submodules are named.
const MAX_REMARKS: usize = 10;

/// What was made.
pub(super) struct Made {
    pub(super) commit: String,
    pub(super) remarks: Vec<String>,
}

/// A work directory that is being made.
pub(super) struct Work<'a> {
    files: PathBuf,
    repository: PathBuf,
    limits: Limits<'a>,
}

/// Returns where a work directory has the files.
pub(super) fn files(directory: &Path) -> PathBuf {
    directory.join("files")
}

impl<'a> Work<'a> {
    pub(super) fn begin(directory: &Path, limits: Limits<'a>) -> io::Result<Self> {
        let work = Self {
            files: files(directory),
            repository: directory.join("repository"),
            limits,
        };
        fs::create_dir_all(&work.files)?;
        fs::create_dir(&work.repository)?;
        Ok(work)
    }

    /// Finds the commit, or fetches it, and writes its files.
    ///
    /// # Errors
    /// Says what stood in the way.
    pub(super) fn make(&self, project: &Path, name: &GitRef, allowed: &[Protocol]) -> Result<Made, String> {
        let repository = Repository::find(project, self.limits).ok_or("the project is in no git repository")?;
        self.git()
            .run(&["init", "--quiet", "--bare", "--template="])
            .map_err(|cause| cause.to_string())?;
        let commit = match repository.commit(name) {
            Some(commit) => {
                self.borrow(&repository.objects).map_err(|cause| cause.to_string())?;
                commit
            }
            None => self.fetch(&repository.remote(allowed)?, name)?,
        };
        let tree = format!("{commit}:{}", repository.prefix);
        let remarks = self.check_size(&tree)?;
        self.write(&tree).map_err(|cause| cause.to_string())?;
        Ok(Made { commit, remarks })
    }

    fn git(&self) -> Git<'_> {
        Git {
            environment: vec![("GIT_DIR", self.repository.clone().into())],
            max_file_bytes: Some(MAX_BYTES),
            ..Git::new(&self.files, self.limits)
        }
    }

    fn borrow(&self, objects: &Path) -> io::Result<()> {
        let info = self.repository.join("objects/info");
        fs::create_dir_all(&info)?;
        let mut line = objects.as_os_str().as_encoded_bytes().to_vec();
        line.push(b'\n');
        fs::write(info.join("alternates"), line)
    }

    /// Fetches one commit without its history.
    fn fetch(&self, remote: &Remote, name: &GitRef) -> Result<String, String> {
        let mut git = self.git();
        git.settings = remote.settings();
        // Many small files would not be limited by the size of each.
        git.settings.push(("fetch.unpackLimit".to_owned(), "1".to_owned()));
        git.environment
            .extend(std::env::var_os("HOME").map(|home| ("HOME", home)));
        let options = [
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
        ];
        let fetched = git.run(&[&options[..], &[remote.address(), name.as_str()]].concat());
        fetched.map_err(|cause| format!("it is not known here, and {}", remote.masked(&cause.to_string())))?;
        let told = self
            .git()
            .run(&["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"]);
        let told = told.map_err(|_| "what the remote has by that name is no commit".to_owned())?;
        Ok(String::from_utf8_lossy(&told).trim().to_owned())
    }

    /// Refuses what is too large before it is written, and says what is left out.
    fn check_size(&self, tree: &str) -> Result<Vec<String>, String> {
        let listed = self.git().run(&["ls-tree", "-r", "-l", "-z", tree]);
        let listed = listed.map_err(|_| "the commit does not have the project's directory".to_owned())?;
        let (mut num_bytes, mut num_files, mut remarks) = (0_u64, 0_usize, Vec::new());
        for entry in listed.split(|&byte| byte == 0).filter(|entry| !entry.is_empty()) {
            num_files += 1;
            let entry = String::from_utf8_lossy(entry);
            let (facts, path) = entry.split_once('\t').unwrap_or((&entry, ""));
            let mut facts = facts.split_whitespace();
            if facts.nth(1) == Some("commit") && remarks.len() < MAX_REMARKS {
                remarks.push(format!("the submodule `{path}` is left out"));
            }
            let size: Option<u64> = facts.last().and_then(|size| size.parse().ok());
            num_bytes = num_bytes.saturating_add(size.unwrap_or(0));
        }
        if num_bytes > MAX_BYTES || num_files > MAX_FILES {
            return Err(format!(
                "the commit has more than {MAX_FILES} files or {} MiB",
                MAX_BYTES >> 20
            ));
        }
        Ok(remarks)
    }

    fn write(&self, tree: &str) -> io::Result<()> {
        let mut git = self.git();
        git.environment.push(("GIT_WORK_TREE", self.files.clone().into()));
        git.run(&["read-tree", tree])?;
        git.run(&["checkout-index", "--all", "--force", "--quiet"])?;
        Ok(())
    }
}
