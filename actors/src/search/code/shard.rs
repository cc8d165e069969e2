//! A shard: the index of at most 64 MB of files, written once and never changed.

mod damage;
mod layout;
mod names;
mod pages;
mod pending;
mod postings;
mod reader;
mod records;
mod varint;
mod write;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use damage::Damage;
pub(super) use pending::{Facts, Pending, Prepared, PreparedBlock};
pub(super) use reader::Reader;
pub(super) use records::{BlockRecord, DefinitionRecord, FileRecord};
pub(super) use write::write;

use layout::{Layout, Section};
use pages::{Cursor, Pages};
use postings::Step;

/// An open shard. Holds its file open, so that it can be read until the last search lets go of it, even when it has been
/// deleted since.
#[derive(Debug)]
pub(super) struct Shard {
    path: PathBuf,
    layout: Layout,
    pages: Pages,
    languages: Vec<Arc<str>>,
    steps: Vec<Step>,
}

impl Shard {
    /// Opens a shard and checks its head. What lies deeper is checked when it is read.
    pub(super) fn open(path: &Path) -> Result<Self, Damage> {
        let (layout, pages) = Layout::read(File::open(path)?)?;
        let steps = Self::parse_steps(&layout, &pages)?;
        let languages = Self::parse_languages(&layout, &pages)?;
        Ok(Self {
            path: path.to_owned(),
            layout,
            pages,
            languages,
            steps,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn num_files(&self) -> u32 {
        self.layout.counts.files
    }

    pub(super) fn num_blocks(&self) -> u32 {
        self.layout.counts.blocks
    }

    pub(super) fn num_definitions(&self) -> u32 {
        self.layout.counts.definitions
    }

    /// Bytes of all the files in it, those included that are gone.
    pub(super) fn content_bytes(&self) -> u64 {
        self.layout.counts.content_bytes
    }

    /// Bytes of the shard itself.
    pub(super) fn file_bytes(&self) -> u64 {
        self.layout.file_bytes
    }

    /// Returns the name of a file's language; empty if none is known.
    pub(super) fn language(&self, file: &FileRecord) -> Arc<str> {
        let known = self.languages.get(usize::from(file.language));
        known.cloned().unwrap_or_default()
    }

    fn parse_steps(layout: &Layout, pages: &Pages) -> Result<Vec<Step>, Damage> {
        let mut cursor = Cursor::new(pages);
        let bytes = cursor.bytes(layout.section(Section::TrigramSteps))?;
        let (steps, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(Damage::Malformed("table of trigrams"));
        }
        Ok(steps.iter().map(Step::parse).collect())
    }

    fn parse_languages(layout: &Layout, pages: &Pages) -> Result<Vec<Arc<str>>, Damage> {
        let mut cursor = Cursor::new(pages);
        let bytes = cursor.bytes(layout.section(Section::Languages))?;
        let names = bytes.split_inclusive(|byte| *byte == 0);
        let parse = |name: &[u8]| std::str::from_utf8(name.strip_suffix(&[0]).unwrap_or(name)).map(Arc::from);
        names
            .map(|name| parse(name).map_err(|_| Damage::Malformed("language")))
            .collect()
    }
}
