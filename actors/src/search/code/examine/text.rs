//! The text of a file as far as it is wanted.

use std::{fs::File, ops::Range, path::Path};

use super::Failure;
use crate::search::code::{
    blocks,
    disk::{self, Found, Root},
    shard::{FileRecord, Reader},
};

/// What is looked at of a file: the wanted blocks one after the other, or all of it if it has changed.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) parts: Vec<Part>,
    /// It is as it was indexed.
    pub(super) is_current: bool,
}

/// A block in [`Text`].
#[derive(Debug)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) lines_before: u32,
}

impl Text {
    /// Reads a file in the place of the one before, whose memory is used again. Says `false` if it is gone.
    pub(super) fn load(
        &mut self,
        root: &Root,
        path: &Path,
        record: &FileRecord,
        blocks: &[u32],
        reader: &mut Reader<'_>,
    ) -> Result<bool, Failure> {
        match root.find(path, record)? {
            Found::Gone => Ok(false),
            Found::Changed(content) => Ok(self.take(content)),
            Found::Same(file) => {
                if self.read(&file, blocks, reader)? {
                    return Ok(true);
                }
                match disk::read_changed(&file)? {
                    Found::Changed(content) => Ok(self.take(content)),
                    Found::Same(_) | Found::Gone => Ok(false),
                }
            }
        }
    }

    /// Reads the blocks of a file that is as it was indexed. Says `false` if it has become shorter meanwhile.
    fn read(&mut self, file: &File, blocks: &[u32], reader: &mut Reader<'_>) -> Result<bool, Failure> {
        self.bytes.clear();
        self.parts.clear();
        self.is_current = true;
        for block in blocks {
            let block = reader.block(*block)?;
            let start = self.bytes.len();
            self.bytes.resize(start + block.bytes as usize, 0);
            let buffer = self.bytes.get_mut(start..).unwrap_or_default();
            if !disk::read_part(file, block.start, buffer)? {
                return Ok(false);
            }
            self.parts.push(Part {
                range: start..self.bytes.len(),
                lines_before: block.lines_before,
            });
        }
        Ok(true)
    }

    fn take(&mut self, content: Vec<u8>) -> bool {
        let parts = blocks::cut(&content).map(|block| Part {
            range: block.range,
            lines_before: block.lines_before,
        });
        self.parts = parts.collect();
        self.bytes = content;
        self.is_current = false;
        true
    }
}
