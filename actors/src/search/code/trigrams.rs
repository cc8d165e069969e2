//! Which runs of three bytes a text holds. A run never crosses the end of a line, since no match does.

use super::fold;

/// Three bytes of folded text as one number.
pub(super) type Trigram = u32;

/// So many trigrams there are.
const DISTINCT: usize = 1 << 24;

/// Collects the trigrams of one text after the other, each once. Holds 2 MiB, to be used again.
#[derive(Debug)]
pub(super) struct Collector {
    seen: Box<[u64]>,
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            seen: vec![0; DISTINCT / 64].into_boxed_slice(),
        }
    }

    /// Appends the trigrams of `text` to `into`, each once, in the order in which they first occur.
    pub(super) fn collect(&mut self, text: &[u8], into: &mut Vec<Trigram>) {
        let start = into.len();
        each_trigram(text, |trigram| {
            if let Some(word) = self.seen.get_mut(trigram as usize / 64) {
                let bit = 1 << (trigram % 64);
                if *word & bit == 0 {
                    *word |= bit;
                    into.push(trigram);
                }
            }
        });
        for trigram in into.iter().skip(start) {
            if let Some(word) = self.seen.get_mut(*trigram as usize / 64) {
                *word = 0;
            }
        }
    }
}

/// Returns the trigrams that any text with `folded` in it must hold, each once and sorted.
pub(super) fn of_folded(folded: &[u8]) -> Vec<Trigram> {
    let mut trigrams: Vec<Trigram> = folded
        .windows(3)
        .map(|window| {
            window
                .iter()
                .fold(0, |trigram, byte| trigram << 8 | Trigram::from(*byte))
        })
        .collect();
    trigrams.sort_unstable();
    trigrams.dedup();
    trigrams
}

#[inline]
fn each_trigram(text: &[u8], mut push: impl FnMut(Trigram)) {
    let mut window: Trigram = 0;
    let mut bytes_of_line = 0_u32;
    fold::each_byte(text, |byte| {
        if byte == b'\n' {
            bytes_of_line = 0;
            return;
        }
        window = (window << 8 | Trigram::from(byte)) & 0x00ff_ffff;
        bytes_of_line += 1;
        if bytes_of_line >= 3 {
            push(window);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(collector: &mut Collector, text: &[u8]) -> Vec<Trigram> {
        let mut trigrams = Vec::new();
        collector.collect(text, &mut trigrams);
        trigrams.sort_unstable();
        trigrams
    }

    #[test]
    fn each_is_collected_once_per_text_in_small_letters_and_not_over_the_end_of_a_line() {
        let mut collector = Collector::new();
        assert_eq!(collected(&mut collector, b"ABCabc\nab\ncd"), of_folded(b"abcabc"));
        assert_eq!(collected(&mut collector, b"abc"), of_folded(b"abc"));
        assert_eq!(collected(&mut collector, b"ab\nc"), Vec::<Trigram>::new());
    }
}
