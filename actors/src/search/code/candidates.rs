//! Which blocks of a shard may hold what is looked for.

use super::{
    query::Need,
    shard::{Damage, Reader},
    trigrams,
};

/// Looking at a block costs as much as reading so many bytes of postings.
const POSTING_BYTES_PER_BLOCK: usize = 4000;

/// Returns the blocks in rising order; `None` means all of them.
pub(super) fn find(need: &Need, reader: &mut Reader<'_>) -> Result<Option<Vec<u32>>, Damage> {
    match need {
        Need::Anything => Ok(None),
        Need::Text(text) => with_text(text, reader),
        Need::All(needs) => {
            let mut common: Option<Vec<u32>> = None;
            for need in needs {
                let Some(blocks) = find(need, reader)? else {
                    continue;
                };
                common = Some(match common {
                    Some(common) => intersection(&common, &blocks),
                    None => blocks,
                });
            }
            Ok(common)
        }
        Need::Any(needs) => {
            let mut all = Vec::new();
            for need in needs {
                match find(need, reader)? {
                    Some(blocks) => all.extend(blocks),
                    None => return Ok(None),
                }
            }
            all.sort_unstable();
            all.dedup();
            Ok(Some(all))
        }
    }
}

/// Rarest trigrams first; the others only as long as they spare more than they cost.
fn with_text(folded: &[u8], reader: &mut Reader<'_>) -> Result<Option<Vec<u32>>, Damage> {
    let mut postings = Vec::new();
    for trigram in trigrams::of_folded(folded) {
        match reader.find_posting(trigram)? {
            Some(posting) => postings.push(posting),
            None => return Ok(Some(Vec::new())),
        }
    }
    postings.sort_unstable_by_key(|posting| posting.weight());
    let mut postings = postings.iter();
    let Some(rarest) = postings.next() else {
        return Ok(None);
    };
    let mut blocks = Vec::new();
    let mut others = Vec::new();
    reader.read_posting(rarest, &mut blocks)?;
    for posting in postings {
        if blocks.len() * POSTING_BYTES_PER_BLOCK < posting.weight() as usize {
            break;
        }
        others.clear();
        reader.read_posting(posting, &mut others)?;
        blocks = intersection(&blocks, &others);
    }
    Ok(Some(blocks))
}

fn intersection(first: &[u32], second: &[u32]) -> Vec<u32> {
    let mut second = second.iter().copied().peekable();
    let mut is_in_second = |wanted: u32| {
        while second.next_if(|block| *block < wanted).is_some() {}
        second.peek() == Some(&wanted)
    };
    first.iter().copied().filter(|block| is_in_second(*block)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_both_is_in_the_intersection() {
        assert_eq!(intersection(&[1, 3, 5, 9], &[0, 3, 4, 5, 6]), [3, 5]);
        assert_eq!(intersection(&[1], &[]), Vec::<u32>::new());
    }
}
