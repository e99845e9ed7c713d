//! Picking one of several things by weight, with one random word.

use lookalike_core::Rows;
use lookalike_core::stream::Stream;

/// The number of words out of 2^64 that stand for a share of `share`.
pub fn threshold(share: f64) -> u128 {
    // 2^64 × share is exact for shares with up to 53 significant bits.
    (share * 18_446_744_073_709_551_616.0) as u128
}

/// Weights made ready: a word picks entry `i` with probability `weight[i] / sum`, up to 2^-64. The entries keep their
/// order, so a larger word never picks an earlier entry.
#[derive(Clone, Debug)]
pub struct Pick {
    /// One past the last word of each entry but the last. An entry without weight ends where it begins.
    ends: Vec<u64>,
    /// For the upper bits of a word, the first entry that can be meant. Empty for short lists, which are scanned.
    guide: Vec<u32>,
    /// How far a word is shifted right to find its place in the guide.
    shift: u32,
}

/// Lists of up to this many entries are scanned: a handful of comparisons without a branch.
const SCAN: usize = 4;

impl Pick {
    /// Makes weights ready. They must be finite, not negative, and not all 0; there must be at least one.
    pub fn new(weights: &[f64]) -> Pick {
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let mut ends = Vec::with_capacity(weights.len());
        let last = weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        // The last entry with a weight takes all words that are left; those after it take none.
        for weight in &weights[..last] {
            sum += weight;
            ends.push(u64::try_from(threshold(sum / total)).unwrap_or(u64::MAX));
        }
        // Four places for each entry, so that the search from there is over at once.
        let bits = (4 * ends.len()).next_power_of_two().ilog2().clamp(6, 16);
        let guide = if ends.len() <= SCAN {
            Vec::new()
        } else {
            let mut at = 0;
            (0..1u64 << bits)
                .map(|slot| {
                    let first = slot << (64 - bits);
                    while at < ends.len() && first >= ends[at] {
                        at += 1;
                    }
                    at as u32
                })
                .collect()
        };
        Pick { ends, guide, shift: 64 - bits }
    }

    /// The entry that a word picks.
    pub fn pick(&self, word: u64) -> u32 {
        if self.guide.is_empty() {
            return self.ends.iter().map(|end| u32::from(word >= *end)).sum();
        }
        let mut at = self.guide[(word >> self.shift) as usize] as usize;
        while at < self.ends.len() && word >= self.ends[at] {
            at += 1;
        }
        at as u32
    }

    /// The entries picked for rows, from draw 0 of the stream.
    pub fn picks(&self, rows: &Rows, stream: Stream) -> Vec<u32> {
        let mut picks = Vec::with_capacity(rows.len());
        stream.for_each_word(rows, 0, |word| picks.push(self.pick(word)));
        picks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_where_the_weights_say() {
        let pick = Pick::new(&[1.0, 0.0, 3.0]);
        assert_eq!(pick.pick(0), 0);
        assert_eq!(pick.pick((1 << 62) - 1), 0);
        assert_eq!(pick.pick(1 << 62), 2);
        assert_eq!(pick.pick(u64::MAX), 2);
    }

    #[test]
    fn trailing_entries_without_weight_are_never_picked() {
        let pick = Pick::new(&[1.0, 1.0, 0.0, 0.0]);
        assert_eq!(pick.pick(u64::MAX), 1);
        assert_eq!(Pick::new(&[5.0]).pick(u64::MAX), 0);
    }

    #[test]
    fn guide_and_scan_agree() {
        let weights: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
        let guided = Pick::new(&weights);
        assert!(!guided.guide.is_empty());
        let scanned = Pick { ends: guided.ends.clone(), guide: Vec::new(), shift: 0 };
        for i in 0..100_000u64 {
            let word = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert_eq!(guided.pick(word), scanned.pick(word));
        }
    }
}
