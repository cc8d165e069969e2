//! Which blocks hold a trigram: the differences of their numbers, after a table of the trigrams in groups, of which
//! only the beginnings are held in memory.

use super::{Damage, varint};
use crate::search::code::trigrams::Trigram;

/// More in a group save memory and cost time at each look-up.
const TRIGRAMS_PER_GROUP: usize = 64;

/// Where a group of trigrams begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) first: Trigram,
    /// In the table of trigrams.
    pub(super) group_start: u32,
    /// In the postings.
    pub(super) postings_start: u32,
}

impl Step {
    pub(super) const BYTES: usize = 12;

    pub(super) fn parse(bytes: &[u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self {
            first: u32::from_le_bytes([a, b, c, d]),
            group_start: u32::from_le_bytes([e, f, g, h]),
            postings_start: u32::from_le_bytes([i, j, k, l]),
        }
    }
}

/// Writes the three sections.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) groups: Vec<u8>,
    pub(super) steps: Vec<u8>,
    pub(super) postings: Vec<u8>,
    in_group: usize,
    previous: Trigram,
}

impl Writer {
    /// Adds the next trigram and its blocks, both in rising order.
    pub(super) fn add(&mut self, trigram: Trigram, blocks: impl Iterator<Item = u32>) {
        let start = self.postings.len();
        if self.in_group == 0 {
            for number in [trigram, self.groups.len() as u32, start as u32] {
                self.steps.extend(number.to_le_bytes());
            }
            self.previous = trigram;
        }
        let mut previous = 0;
        for block in blocks {
            varint::put(block - previous, &mut self.postings);
            previous = block;
        }
        varint::put(trigram - self.previous, &mut self.groups);
        varint::put((self.postings.len() - start) as u32, &mut self.groups);
        self.previous = trigram;
        self.in_group = (self.in_group + 1) % TRIGRAMS_PER_GROUP;
    }
}

/// Yields the trigrams of a group with the range of their postings.
pub(super) fn group(
    step: Step,
    mut bytes: &[u8],
) -> impl Iterator<Item = Result<(Trigram, std::ops::Range<u64>), Damage>> {
    let mut trigram = step.first;
    let mut start = u64::from(step.postings_start);
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (Some(difference), Some(length)) = (varint::take(&mut bytes), varint::take(&mut bytes)) else {
            bytes = &[];
            return Some(Err(Damage::Malformed("table of trigrams")));
        };
        trigram = trigram.saturating_add(difference);
        let range = start..start + u64::from(length);
        start = range.end;
        Some(Ok((trigram, range)))
    })
}

/// Appends the blocks of a posting to `into`.
pub(super) fn decode(mut bytes: &[u8], num_blocks: u32, into: &mut Vec<u32>) -> Result<(), Damage> {
    let mut block = 0_u32;
    while !bytes.is_empty() {
        let difference = varint::take(&mut bytes).ok_or(Damage::Malformed("posting"))?;
        block = block.saturating_add(difference);
        if block >= num_blocks {
            return Err(Damage::Malformed("posting"));
        }
        into.push(block);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trigrams_come_back_with_their_blocks() {
        let mut writer = Writer::default();
        let blocks = |trigram: Trigram| (0..50).filter(move |block| trigram.is_multiple_of(block + 1));
        for trigram in 1..=200 {
            writer.add(trigram * 3, blocks(trigram));
        }
        let steps: Vec<Step> = writer.steps.as_chunks().0.iter().map(Step::parse).collect();
        assert_eq!(steps.len(), 4);
        let (_, last) = writer.groups.split_at(steps[3].group_start as usize);
        let entries: Vec<_> = group(steps[3], last).collect::<Result<_, _>>().unwrap();
        assert_eq!(entries.len(), 200 - 3 * TRIGRAMS_PER_GROUP);
        for (trigram, range) in entries {
            let mut found = Vec::new();
            decode(
                &writer.postings[range.start as usize..range.end as usize],
                50,
                &mut found,
            )
            .unwrap();
            assert_eq!(found, blocks(trigram / 3).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let step = Step { first: u32::MAX, group_start: 0, postings_start: u32::MAX };
            prop_assert!(group(step, &bytes).count() <= bytes.len() + 1);
            let mut blocks = Vec::new();
            if decode(&bytes, 1000, &mut blocks).is_ok() {
                prop_assert!(blocks.iter().all(|block| *block < 1000));
            }
        }
    }
}
