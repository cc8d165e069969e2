//! Which blocks define which names: names in folded spelling and rising order, each without what it shares with the one
//! before it.

use super::{Damage, varint};

/// More between two steps save space and cost time at each look-up.
const NAMES_PER_STEP: usize = 32;

/// Writes the two sections. `names` are pairs of name and block, sorted.
pub(super) fn encode<'a>(names: impl Iterator<Item = (&'a [u8], u32)>) -> (Vec<u8>, Vec<u8>) {
    let (mut bytes, mut steps) = (Vec::new(), Vec::new());
    let mut names = names.peekable();
    let mut previous: &[u8] = &[];
    let mut since_step = 0;
    while let Some((name, first_block)) = names.next() {
        let mut blocks = vec![first_block];
        while let Some((_, block)) = names.next_if(|(next, _)| *next == name) {
            blocks.push(block);
        }
        blocks.dedup();
        if since_step == 0 {
            steps.extend((bytes.len() as u32).to_le_bytes());
            previous = &[];
        }
        put_name(previous, name, &mut bytes);
        put_blocks(&blocks, &mut bytes);
        previous = name;
        since_step = (since_step + 1) % NAMES_PER_STEP;
    }
    (bytes, steps)
}

fn put_name(previous: &[u8], name: &[u8], into: &mut Vec<u8>) {
    let shared = previous.iter().zip(name).take_while(|(a, b)| a == b).count();
    let rest = name.get(shared..).unwrap_or_default();
    varint::put(shared as u32, into);
    varint::put(rest.len() as u32, into);
    into.extend_from_slice(rest);
}

fn put_blocks(blocks: &[u32], into: &mut Vec<u8>) {
    varint::put(blocks.len() as u32, into);
    let mut previous = 0;
    for block in blocks {
        varint::put(block - previous, into);
        previous = *block;
    }
}

/// A name and the blocks that define it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Defined<'a> {
    pub(super) name: &'a [u8],
    pub(super) blocks: Vec<u32>,
}

/// Reads names one after the other.
#[derive(Debug)]
pub(super) struct Names<'a> {
    bytes: &'a [u8],
    name: Vec<u8>,
}

impl<'a> Names<'a> {
    /// Starts at a step.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            name: Vec::new(),
        }
    }

    /// Returns the next name and its blocks.
    pub(super) fn next(&mut self) -> Result<Option<Defined<'_>>, Damage> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let blocks = self.parse().ok_or(Damage::Malformed("table of names"))?;
        Ok(Some(Defined {
            name: &self.name,
            blocks,
        }))
    }

    fn parse(&mut self) -> Option<Vec<u32>> {
        let shared = varint::take(&mut self.bytes)? as usize;
        let rest = varint::take(&mut self.bytes)? as usize;
        let (letters, after) = self.bytes.split_at_checked(rest)?;
        self.bytes = after;
        self.name.truncate(shared);
        self.name.extend_from_slice(letters);
        let length = varint::take(&mut self.bytes)? as usize;
        let mut blocks = Vec::with_capacity(length.min(self.bytes.len()));
        let mut block = 0_u32;
        for _ in 0..length {
            block = block.checked_add(varint::take(&mut self.bytes)?)?;
            blocks.push(block);
        }
        Some(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_with_their_blocks() {
        let names: Vec<(Vec<u8>, u32)> = (0..100)
            .flat_map(|number| {
                [
                    (format!("name{number:03}").into_bytes(), number),
                    (format!("name{number:03}").into_bytes(), number + 7),
                ]
            })
            .collect();
        let (bytes, steps) = encode(names.iter().map(|(name, block)| (name.as_slice(), *block)));
        assert_eq!(steps.len(), 4 * 4);
        let mut read = Names::new(&bytes);
        for number in 0..100 {
            let Defined { name, blocks } = read.next().unwrap().unwrap();
            assert_eq!(name, format!("name{number:03}").as_bytes());
            assert_eq!(blocks, [number, number + 7]);
        }
        assert!(read.next().unwrap().is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut names = Names::new(&bytes);
            while let Ok(Some(defined)) = names.next() {
                proptest::prop_assert!(defined.name.len() <= bytes.len());
            }
        }
    }
}
