//! Projects in a temporary folder, and an index of them.

use std::{
    fs,
    num::NonZeroUsize,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use crate::{
    id::ProjectId,
    search::code::{
        Answer, Budget, Built, Case, Class, CodeIndex, Hit, Mode, Query, Removed, Roots, SourceFile, Update,
    },
};

pub(super) const PROJECT: ProjectId = ProjectId(1);

static NEVER: AtomicBool = AtomicBool::new(false);

/// Projects and an index; both go with it.
pub(super) struct World {
    pub(super) directory: tempfile::TempDir,
    pub(super) index: CodeIndex,
    pub(super) roots: Roots,
}

impl World {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (index, damaged) = CodeIndex::open(&directory.path().join("index")).unwrap();
        assert!(damaged.is_empty());
        let mut world = Self {
            directory,
            index,
            roots: Roots::new(),
        };
        world.add_project(PROJECT);
        world
    }

    /// Has those files in its project, indexed.
    pub(super) fn with_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let world = Self::new();
        for (path, content) in files {
            world.write(path, content);
        }
        world.index_all(PROJECT);
        world
    }

    pub(super) fn add_project(&mut self, project: ProjectId) {
        let root = self.directory.path().join(format!("project{project}"));
        fs::create_dir(&root).unwrap();
        self.roots.insert(project, root);
    }

    pub(super) fn index_folder(&self) -> PathBuf {
        self.directory.path().join("index")
    }

    /// Opens the index anew, as after a restart.
    pub(super) fn reopen(&mut self) -> Vec<crate::search::code::Damaged> {
        let (index, damaged) = CodeIndex::open(&self.index_folder()).unwrap();
        self.index = index;
        damaged
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.roots[&PROJECT].join(path)
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.path(path), content.as_ref());
    }

    /// Builds the project's index from its folder.
    pub(super) fn index_all(&self, project: ProjectId) -> Built {
        let root = &self.roots[&project];
        let paths = files_below(root);
        self.index_paths(project, root, &paths, Removed::Everything)
    }

    /// Takes up what has changed.
    pub(super) fn update(&self, changed: &[&str], removed: &[&str]) {
        let changed: Vec<PathBuf> = changed.iter().map(PathBuf::from).collect();
        let removed = Removed::Paths(removed.iter().map(PathBuf::from).collect());
        self.index_paths(PROJECT, &self.roots[&PROJECT], &changed, removed);
    }

    pub(super) fn index_paths(&self, project: ProjectId, root: &Path, paths: &[PathBuf], removed: Removed) -> Built {
        let builder = self.index.builder(project).unwrap();
        for path in paths {
            let facts = fs::metadata(root.join(path)).unwrap();
            builder
                .add(&SourceFile {
                    path,
                    size: facts.size(),
                    mtime_ns: facts.mtime() * 1_000_000_000 + facts.mtime_nsec(),
                    language: if path.extension().is_some_and(|extension| extension == "rs") {
                        "Rust"
                    } else {
                        ""
                    },
                    class: Class::of_path(path),
                    content: &fs::read(root.join(path)).unwrap(),
                })
                .unwrap();
        }
        let mut built = builder.finish().unwrap();
        let shards = std::mem::take(&mut built.shards);
        self.index.replace(project, Update { shards, removed }).unwrap();
        built
    }

    pub(super) fn search(&self, query: &Query) -> Answer {
        self.index.search(query, &self.roots, &budget()).unwrap()
    }

    /// Returns file and line of each hit, best first.
    pub(super) fn find(&self, text: &str) -> Vec<(String, u32)> {
        places(&self.search(&words(text)))
    }
}

pub(super) fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(super) fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path.strip_prefix(root).unwrap().to_owned()),
            }
        }
    }
    files.sort();
    files
}

/// Words without case and without limit.
pub(super) fn words(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        mode: Mode::Words,
        case: Case::Insensitive,
        projects: None,
        language: None,
        path: None,
        symbol: None,
        limit: usize::MAX,
    }
}

/// One phrase, whatever is in it.
pub(super) fn phrase(text: &str, case: Case) -> Query {
    Query {
        case,
        ..words(&format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")))
    }
}

pub(super) fn regex(text: &str) -> Query {
    Query {
        mode: Mode::Regex,
        case: Case::Sensitive,
        ..words(text)
    }
}

pub(super) fn budget() -> Budget<'static> {
    Budget {
        max_lines: usize::MAX,
        deadline: None,
        cancelled: &NEVER,
        threads: NonZeroUsize::new(2).unwrap(),
    }
}

pub(super) fn places(answer: &Answer) -> Vec<(String, u32)> {
    answer.hits.iter().map(place).collect()
}

pub(super) fn place(hit: &Hit) -> (String, u32) {
    (hit.file.to_string_lossy().into_owned(), hit.line)
}

/// Returns file and line of all hits and their copies, sorted.
pub(super) fn all_places(answer: &Answer) -> Vec<(PathBuf, u32)> {
    let mut places: Vec<(PathBuf, u32)> = answer
        .hits
        .iter()
        .flat_map(|hit| {
            let copies = hit.copies.iter().map(|copy| &copy.file);
            copies.chain([&hit.file]).map(|file| (file.to_path_buf(), hit.line))
        })
        .collect();
    places.sort();
    places
}

/// Checks that a search finds these lines and no others.
#[track_caller]
pub(super) fn assert_same(world: &World, query: &Query, expected: &[(PathBuf, u32)]) {
    let answer = world.search(query);
    assert!(answer.damaged.is_empty() && answer.truncated.is_none());
    assert_eq!(all_places(&answer), expected, "{query:?}");
    assert_eq!(answer.total_matches, expected.len());
}
