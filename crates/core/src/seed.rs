//! Seeds and their named derivation.

use crate::philox::philox2x64;
use crate::stream::Stream;

/// A 64-bit secret from which other seeds and streams are derived by name.
///
/// A derived seed depends on the seed and on the *path* of names that led to it, and on nothing else: not on which
/// other names exist, nor on the order in which they are asked for.
///
/// # Derivation (frozen)
///
/// Let `B(word, tag)` be the first word of the Philox 2x64-10 block with counter `[word, tag]` under the seed as key.
/// One step replaces the seed by `B(word, tag)`.
///
/// | operation | steps |
/// |---|---|
/// | [`derive`](Seed::derive) | `(length of the name in bytes, 1)`, then `(w, 2)` for each eight bytes `w` of the UTF-8 name, little-endian, the last padded with zero bytes |
/// | [`derive_index`](Seed::derive_index) | `(index, 3)` |
/// | [`stream`](Seed::stream) | `(0, 4)`; the result is the stream's key |
///
/// The length comes first and tags differ, so no two paths have the same steps: `derive("a").derive("b")`,
/// `derive("ab")` and `derive_index(0)` are unrelated. Different paths agree only by chance, 2⁻⁶⁴ for each pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(u64);

const TAG_LENGTH: u64 = 1;
const TAG_WORD: u64 = 2;
const TAG_INDEX: u64 = 3;
const TAG_STREAM: u64 = 4;

impl Seed {
    /// The seed of a run, as the user gave it.
    pub const fn new(seed: u64) -> Seed {
        Seed(seed)
    }

    /// The seed for a name under this one; any text, also empty.
    #[must_use]
    pub fn derive(self, name: &str) -> Seed {
        let bytes = name.as_bytes();
        bytes.chunks(8).fold(self.step(bytes.len() as u64, TAG_LENGTH), |seed, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            seed.step(u64::from_le_bytes(word), TAG_WORD)
        })
    }

    /// The seed for a number under this one.
    #[must_use]
    pub fn derive_index(self, index: u64) -> Seed {
        self.step(index, TAG_INDEX)
    }

    /// The stream of random words that belongs to this seed.
    pub fn stream(self) -> Stream {
        Stream::from_key(self.step(0, TAG_STREAM).0)
    }

    fn step(self, word: u64, tag: u64) -> Seed {
        Seed(philox2x64([word, tag], self.0)[0])
    }

    /// Endless key material, for a permutation's rounds: draw 0 of rows 0, 1, 2, … of the stream.
    pub(crate) fn words(self) -> impl Iterator<Item = u64> {
        let stream = self.stream();
        (0..).map(move |row| stream.word(row, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Frozen output: a change here changes the data of every user. Expected values from a second implementation, in
    /// Python, written from the table above.
    #[test]
    fn known_answers() {
        let seed = Seed::new(42);
        assert_eq!(seed.derive(""), Seed(0xcb8a_a4d7_e46e_6f84));
        assert_eq!(seed.derive("findings"), Seed(0x6e27_6922_dea4_814f));
        assert_eq!(seed.derive("findings").derive("Volume Size"), Seed(0x2b0b_ef3c_4f6b_57a0));
        assert_eq!(seed.derive_index(7), Seed(0xbe14_893c_cb0e_43d6));
        assert_eq!(seed.stream().word(0, 0), 0x1858_3b12_ec31_0d9e);
    }

    #[test]
    fn paths_do_not_collide() {
        let root = Seed::new(1);
        let mut seen = BTreeSet::from([root.0]);
        let names = ["", "a", "b", "ab", "a\0", "\0", "12345678", "123456789", "1234567", "é", "e\u{301}"];
        for name in names {
            assert!(seen.insert(root.derive(name).0), "{name:?}");
            for other in names {
                assert!(seen.insert(root.derive(name).derive(other).0), "{name:?} {other:?}");
            }
        }
        for index in 0..10_000 {
            assert!(seen.insert(root.derive_index(index).0), "{index}");
        }
    }

    /// Each of 64 seed bits and 64 index bits flips half of the derived bits: over 1000 cases each, the mean of
    /// flipped bits is within 5 standard deviations (4 / √1000) of 32, a false alarm in 1.7 million per bit.
    #[test]
    fn every_bit_matters() {
        for bit in 0..64 {
            let mask = 1u64 << bit;
            let (mut by_seed, mut by_index) = (0, 0);
            for i in 0..1000 {
                let here = Seed::new(i).derive_index(i);
                by_seed += (here.0 ^ Seed::new(i ^ mask).derive_index(i).0).count_ones();
                by_index += (here.0 ^ Seed::new(i).derive_index(i ^ mask).0).count_ones();
            }
            for flipped in [by_seed, by_index] {
                let mean = f64::from(flipped) / 1000.0;
                assert!((mean - 32.0).abs() < 5.0 * 4.0 / 1000f64.sqrt(), "bit {bit}: {mean}");
            }
        }
    }
}
