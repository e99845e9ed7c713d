//! Random words by address.
//!
//! # The address rule (frozen)
//!
//! > **Draw `j` of row `i` under attempt `a` is lane `i mod 2` of the block
//! > `philox2x64(counter = [i div 2, j | a << 32], key)`.**
//!
//! So a range of rows costs one block for two rows, any row costs one block, and nothing depends on what was drawn
//! before. A stream serves one purpose of one column; its key comes from [`Seed::stream`](crate::Seed::stream). The
//! attempt is 0 unless a row is drawn again because it broke a rule.

use std::convert::Infallible;

use rand::rand_core::{TryRng, utils};

use crate::philox::philox2x64;
use crate::rows::Rows;

/// A source of random 64-bit words addressed by row and draw; see the [module](self) for the address rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: u64,
    /// The attempt, in the upper half of the counter's second word.
    attempt: u64,
}

impl Stream {
    /// The stream with a key, at attempt 0. Ordinary streams come from [`Seed::stream`](crate::Seed::stream).
    pub const fn from_key(key: u64) -> Stream {
        Stream { key, attempt: 0 }
    }

    /// The same stream at another attempt: unrelated words at the same rows and draws.
    #[must_use]
    pub const fn with_attempt(self, attempt: u32) -> Stream {
        Stream { key: self.key, attempt: (attempt as u64) << 32 }
    }

    /// Draw `draw` of row `row`.
    #[inline]
    pub fn word(&self, row: u64, draw: u32) -> u64 {
        self.block(row / 2, draw)[(row % 2) as usize]
    }

    #[inline]
    fn block(&self, pair: u64, draw: u32) -> [u64; 2] {
        philox2x64([pair, u64::from(draw) | self.attempt], self.key)
    }

    /// Calls `each` with draw `draw` of every row, in the order of the rows.
    #[inline]
    pub fn for_each_word(&self, rows: &Rows, draw: u32, mut each: impl FnMut(u64)) {
        match rows {
            Rows::Range(range) if range.is_empty() => {}
            Rows::Range(range) => {
                // Whole pairs of rows lie in the middle; a row without its partner may be at either end.
                if range.start % 2 == 1 {
                    each(self.word(range.start, draw));
                }
                for pair in range.start.div_ceil(2)..range.end / 2 {
                    let [even, odd] = self.block(pair, draw);
                    each(even);
                    each(odd);
                }
                if range.end % 2 == 1 {
                    each(self.word(range.end - 1, draw));
                }
            }
            Rows::List(list) => list.iter().for_each(|&row| each(self.word(row, draw))),
        }
    }

    /// Replaces the contents of `out` by draw `draw` of every row.
    pub fn fill_words(&self, rows: &Rows, draw: u32, out: &mut Vec<u64>) {
        out.clear();
        out.reserve(rows.len());
        self.for_each_word(rows, draw, |word| out.push(word));
    }

    /// A generator over the draws 0, 1, 2, … of one row, on which any distribution of `rand_distr` runs.
    pub const fn rng(&self, row: u64) -> RowRng {
        RowRng { stream: *self, row, draw: 0 }
    }
}

/// A number in the open interval (0, 1), from the upper 52 bits of a word: `(⌊word / 2¹²⌋ + ½) · 2⁻⁵²`.
///
/// Exact, never 0 and never 1, so every quantile function is finite on it; and symmetric: `open01(!word)` is exactly
/// `1 - open01(word)`. One bit more would not do: the largest values could not be held by a double and would become 1.
#[inline]
pub fn open01(word: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1u64 << 52) as f64;
    ((word >> 12) as f64 + 0.5) * UNIT
}

/// A number in `0..n`, as the upper half of the product `word · n`; 0 if `n` is 0.
///
/// Each number's probability differs from 1/n by less than 2⁻⁶⁴, that is by a share of less than n / 2⁶⁴ (one in 18
/// million at n = 10¹²): a price worth paying for exactly one word each.
#[inline]
pub fn below(word: u64, n: u64) -> u64 {
    ((u128::from(word) * u128::from(n)) >> 64) as u64
}

/// The draws of one row as a generator for `rand` and `rand_distr`: call k takes draw k.
///
/// A 32-bit number takes a whole draw and keeps its upper half. After 2³² draws it would start again.
#[derive(Clone, Debug)]
pub struct RowRng {
    stream: Stream,
    row: u64,
    draw: u32,
}

impl TryRng for RowRng {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let word = self.stream.word(self.row, self.draw);
        self.draw = self.draw.wrapping_add(1);
        Ok(word)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Distribution, Gamma, StandardNormal};

    use super::*;
    use crate::special::{gamma_p, normal_cdf};
    use crate::testing::{chi_squared_p_value, ks_p_value, ks_statistic};

    const STREAM: Stream = Stream::from_key(0x1234_5678_9abc_def0);

    #[test]
    fn the_address_rule_holds() {
        for (row, draw, attempt) in
            [(0, 0, 0), (1, 0, 0), (6, 3, 0), (7, 3, 9), (u64::MAX, u32::MAX, u32::MAX)]
        {
            let counter = [row / 2, u64::from(draw) | u64::from(attempt) << 32];
            let expected = philox2x64(counter, STREAM.key)[(row % 2) as usize];
            assert_eq!(STREAM.with_attempt(attempt).word(row, draw), expected);
        }
        assert_eq!(STREAM.with_attempt(5).with_attempt(0), STREAM);
    }

    proptest! {
        #[test]
        fn many_words_are_the_words_one_by_one(start in 0..50u64, len in 0..50u64, draw: u32, attempt: u32) {
            let stream = STREAM.with_attempt(attempt);
            let range = Rows::from(start..start + len);
            let list = Rows::from((start..start + len).rev().collect::<Vec<_>>());
            let mut words = vec![99; 3];
            for rows in [range, list] {
                stream.fill_words(&rows, draw, &mut words);
                prop_assert_eq!(&words, &rows.iter().map(|row| stream.word(row, draw)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_unit_interval_is_open_and_symmetric() {
        assert_eq!(open01(0), 2f64.powi(-53));
        assert_eq!(open01(u64::MAX), 1.0 - 2f64.powi(-53));
        STREAM.for_each_word(&Rows::from(0..1000), 0, |word| assert_eq!(open01(!word), 1.0 - open01(word)));
    }

    #[test]
    fn below_covers_its_range() {
        assert_eq!((below(u64::MAX, 10), below(0, 10), below(7, 0), below(u64::MAX, 1)), (9, 0, 0, 0));
        assert_eq!(below(u64::MAX, u64::MAX), u64::MAX - 1);
    }

    /// Chi-squared over 256 values of each of the eight bytes, along rows and along draws; false alarm 1e-6 each.
    #[test]
    fn bytes_are_uniform_along_rows_and_draws() {
        let mut draws = STREAM.rng(3);
        let mut by_draw = Vec::new();
        by_draw.extend((0..100_000).map(|_| draws.try_next_u64().unwrap()));
        let mut by_row = Vec::new();
        STREAM.fill_words(&Rows::from(0..100_000), 0, &mut by_row);
        for words in [by_row, by_draw] {
            for byte in 0..8 {
                let mut counts = [0f64; 256];
                words.iter().for_each(|word| counts[usize::from(word.to_le_bytes()[byte])] += 1.0);
                let expected = words.len() as f64 / 256.0;
                let statistic = counts.iter().map(|n| (n - expected) * (n - expected) / expected).sum();
                assert!(chi_squared_p_value(statistic, 255.0) > 1e-6, "byte {byte}");
            }
        }
    }

    /// Neighbouring rows, draws and attempts: the correlation of 100,000 pairs is within 5 / √n of 0, a false alarm
    /// in 1.7 million each.
    #[test]
    fn neighbouring_addresses_are_uncorrelated() {
        let n = 100_000;
        let unit = |row, draw, attempt| open01(STREAM.with_attempt(attempt).word(row, draw)) - 0.5;
        for (rows, draw, attempt) in [(1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 1)] {
            let sum: f64 = (0..n).map(|row| unit(row, 0, 0) * unit(row + rows, draw, attempt)).sum();
            assert!(
                (sum * 12.0 / n as f64).abs() < 5.0 / (n as f64).sqrt(),
                "+{rows} row, draw {draw}, {attempt}"
            );
        }
    }

    #[test]
    fn a_row_rng_takes_the_draws_in_order() {
        let mut rng = STREAM.rng(11);
        assert_eq!(rng.try_next_u64().unwrap(), STREAM.word(11, 0));
        assert_eq!(rng.try_next_u32().unwrap(), (STREAM.word(11, 1) >> 32) as u32);
        let mut bytes = [0; 12];
        rng.try_fill_bytes(&mut bytes).unwrap();
        assert_eq!(bytes[..8], STREAM.word(11, 2).to_le_bytes());
        assert_eq!(bytes[8..], STREAM.word(11, 3).to_le_bytes()[..4]);
    }

    /// `rand_distr` on one generator per row; Kolmogorov-Smirnov with a false alarm in a million each.
    #[test]
    fn rand_distr_runs_on_rows() {
        let n = 20_000;
        let normal: Vec<f64> = (0..n).map(|row| StandardNormal.sample(&mut STREAM.rng(row))).collect();
        assert!(ks_p_value(ks_statistic(normal, normal_cdf), n as f64) > 1e-6);
        let gamma = Gamma::new(2.5, 1.0).unwrap();
        let gamma: Vec<f64> = (0..n).map(|row| gamma.sample(&mut STREAM.rng(row))).collect();
        assert!(ks_p_value(ks_statistic(gamma, |x| gamma_p(2.5, x)), n as f64) > 1e-6);
    }
}
