//! How rows are dealt: how often each of an input is taken, and which row of the result comes from which input.

use std::ops::Range;

use lookalike_core::law::Law;
use lookalike_core::laws::Binomial;
use lookalike_core::stream::{below, open01};
use lookalike_core::{Permutation, Rows, Seed, Stream};

/// Rows between two sums, and rows whose draws are made together. Output depends on it.
const BLOCK: u64 = 4096;

/// How often each of some rows is taken, one row after the other; the sum is exact.
pub(crate) enum Copies {
    /// Each as often as the others, and some, chosen by permutation, once more: so no row comes again before all others came.
    Even { permutation: Permutation, base: u64, rest: u64, at: u64 },
    /// By draws that know nothing of each other: with replacement.
    Draws { stream: Stream, rows: u64, draws: u64, at: u64, block: Vec<u32> },
}

impl Copies {
    /// Takes `wanted` of `rows` rows, which are not 0 unless nothing is wanted.
    pub fn new(rows: u64, wanted: u64, replace: bool, seed: Seed) -> Copies {
        if replace {
            let stream = seed.derive("draws").stream();
            return Copies::Draws { stream, rows, draws: wanted, at: 0, block: Vec::new() };
        }
        let permutation = Permutation::new(rows.max(1), seed.derive("rows"));
        Copies::Even { permutation, base: wanted / rows.max(1), rest: wanted % rows.max(1), at: 0 }
    }

    /// How often the next row is taken.
    pub fn next(&mut self) -> u64 {
        match self {
            Copies::Even { permutation, base, rest, at } => {
                let more = *rest > 0 && permutation.apply(*at) < *rest;
                *at += 1;
                *base + u64::from(more)
            }
            Copies::Draws { stream, rows, draws, at, block } => {
                let place = (*at % BLOCK) as usize;
                if place == 0 {
                    // Of the draws that are left, each falls into this block as the rows that are left say.
                    let left = *rows - *at;
                    let size = left.min(BLOCK);
                    let number = *at / BLOCK;
                    let mine = if size == left {
                        *draws
                    } else {
                        let law = Binomial::new(*draws, size as f64 / left as f64);
                        let u = open01(stream.word(number, 0));
                        law.map_or(0, |law| (law.quantile(u).max(0.0) as u64).min(*draws))
                    };
                    *draws -= mine;
                    block.clear();
                    block.resize(size as usize, 0);
                    // The block's number and the draw's are one address: rows are fewer than 2^52.
                    let own = stream_of(*stream, number);
                    for draw in 0..mine {
                        block[below(own.word(draw, 1), size) as usize] += 1;
                    }
                }
                *at += 1;
                u64::from(block[place])
            }
        }
    }
}

/// A stream for one block: its words begin where no other block's do.
fn stream_of(stream: Stream, block: u64) -> Stream {
    Seed::new(stream.word(block, 2)).stream()
}

/// Which row of a table is of which part, and which of the part's rows it is: those stay in order.
pub(crate) struct Interleave {
    permutation: Option<Permutation>,
    /// For each part, the rank behind its last.
    ends: Vec<u64>,
    /// At the beginning of each block, how many rows of each part come before it; empty where nobody needs to know.
    sums: Vec<u64>,
}

impl Interleave {
    /// Mixes parts of these sizes or, without a seed, puts one after the other. Rows know their parts; which of the part's
    /// rows they are can be asked once they are [`counted`](Self::counted).
    pub fn new(sizes: &[u64], seed: Option<Seed>) -> Interleave {
        let mut ends = Vec::with_capacity(sizes.len());
        let mut rows = 0;
        for size in sizes {
            rows += size;
            ends.push(rows);
        }
        let permutation = seed.map(|seed| Permutation::new(rows.max(1), seed));
        Interleave { permutation, ends, sums: Vec::new() }
    }

    /// Counts the rows of each part up to each block: a pass over all rows, where they lie mixed.
    #[must_use]
    pub fn counted(mut self) -> Interleave {
        if self.mixed() && self.sums.is_empty() {
            let rows = self.rows();
            let mut counts = vec![0u64; self.ends.len()];
            for start in (0..rows).step_by(BLOCK as usize) {
                self.sums.extend(&counts);
                for part in self.parts(&Rows::Range(start..rows.min(start + BLOCK))) {
                    counts[part as usize] += 1;
                }
            }
        }
        self
    }

    fn mixed(&self) -> bool {
        self.permutation.is_some() && self.ends.len() > 1
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many rows each part has.
    pub fn sizes(&self) -> Vec<u64> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(end, start)| end - start).collect()
    }

    /// The part of each row.
    pub fn parts(&self, rows: &Rows) -> Vec<u32> {
        let mut parts = Vec::with_capacity(rows.len());
        let part = |rank: u64| self.ends.partition_point(|end| *end <= rank) as u32;
        match &self.permutation {
            Some(permutation) => permutation.for_each(rows, |rank| parts.push(part(rank))),
            None => parts.extend(rows.iter().map(part)),
        }
        parts
    }

    /// The part of each row, and of each part how many of its rows come before.
    pub fn look(&self, rows: Range<u64>) -> (Vec<u32>, Vec<u64>) {
        let count = self.ends.len();
        if !self.mixed() {
            let before = (0..count).map(|part| {
                let start = if part == 0 { 0 } else { self.ends[part - 1] };
                rows.start.clamp(start, self.ends[part]) - start
            });
            return (self.parts(&Rows::Range(rows.clone())), before.collect());
        }
        let block = rows.start / BLOCK;
        let mut before = match self.sums.get(block as usize * count..(block as usize + 1) * count) {
            Some(sums) => sums.to_vec(),
            // Behind the last row.
            None => return (Vec::new(), vec![0; count]),
        };
        for part in self.parts(&Rows::Range(block * BLOCK..rows.start)) {
            before[part as usize] += 1;
        }
        (self.parts(&Rows::Range(rows)), before)
    }

    /// The part of each of any rows, and which of the part's rows it is. Rows that lie far apart cost a block each.
    pub fn ordinals(&self, rows: &Rows) -> (Vec<u32>, Vec<u64>) {
        let list = match rows {
            Rows::Range(range) => {
                let (parts, mut before) = self.look(range.clone());
                let next = |part: &u32| {
                    before[*part as usize] += 1;
                    before[*part as usize] - 1
                };
                let ordinals = parts.iter().map(next).collect();
                return (parts, ordinals);
            }
            Rows::List(list) => list,
        };
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_unstable_by_key(|at| list[*at]);
        let (mut parts, mut ordinals) = (vec![0; list.len()], vec![0; list.len()]);
        for run in order.chunk_by(|a, b| list[*a] / BLOCK == list[*b] / BLOCK) {
            let (first, last) = (list[run[0]], list[run[run.len() - 1]]);
            let (of, before) = self.ordinals(&Rows::Range(first..last + 1));
            for at in run {
                let place = (list[*at] - first) as usize;
                (parts[*at], ordinals[*at]) = (of[place], before[place]);
            }
        }
        (parts, ordinals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(rows: u64, wanted: u64, replace: bool) -> Vec<u64> {
        let mut copies = Copies::new(rows, wanted, replace, Seed::new(7));
        (0..rows).map(|_| copies.next()).collect()
    }

    #[test]
    fn sums_are_exact() {
        for rows in [1, 2, 100, 4096, 4097, 10_000] {
            for wanted in [0, 1, 50, rows / 2, rows, rows * 3 + 1] {
                for replace in [false, true] {
                    assert_eq!(
                        copies(rows, wanted, replace).iter().sum::<u64>(),
                        wanted,
                        "{rows} {wanted} {replace}"
                    );
                }
            }
        }
        assert_eq!(copies(100, 100, false), [1; 100]);
        let more = copies(1000, 2500, false);
        assert!(more.iter().all(|copies| (2..=3).contains(copies)));
    }

    #[test]
    fn draws_with_replacement_are_independent() {
        // Of 20,000 draws from 20,000 rows, each row's number is nearly Poisson's with mean 1: none with probability 0.3679, so
        // 7,358 rows with a standard deviation of 44 (of the multinomial); five of these are a false alarm of 6e-7.
        let found = copies(20_000, 20_000, true);
        let none = found.iter().filter(|copies| **copies == 0).count();
        assert!((7138..7578).contains(&none), "{none}");
        // The first half gets half: a standard deviation of 71.
        let first: u64 = found[..10_000].iter().sum();
        assert!((9645..10355).contains(&first), "{first}");
    }

    #[test]
    fn each_row_knows_its_part() {
        for seed in [None, Some(Seed::new(3))] {
            let interleave = Interleave::new(&[6010, 0, 3000, 1000], seed).counted();
            assert_eq!(interleave.sizes(), [6010, 0, 3000, 1000]);
            let rows = interleave.rows();
            assert_eq!(rows, 10_010);
            let (all, before) = interleave.look(0..rows);
            assert_eq!(before, [0; 4]);
            let mut counts = vec![0; 4];
            for (row, part) in all.iter().enumerate() {
                if row % 501 == 0 || row == 4096 {
                    let (parts, before) = interleave.look(row as u64..rows.min(row as u64 + 5000));
                    assert_eq!(before, counts, "row {row}");
                    assert_eq!(parts, all[row..(row + 5000).min(10_010)]);
                }
                counts[*part as usize] += 1;
            }
            assert_eq!(counts, [6010, 0, 3000, 1000]);
            assert_eq!(all.is_sorted(), seed.is_none());
            let (parts, ordinals) = interleave.ordinals(&Rows::Range(0..rows));
            assert_eq!(parts, all);
            let scattered: Vec<u64> = (0..rows).rev().filter(|row| row % 13 == 5).chain([7, 7]).collect();
            let of = |values: &[u64]| scattered.iter().map(|row| values[*row as usize]).collect::<Vec<_>>();
            let (some, places) = interleave.ordinals(&scattered.clone().into());
            assert_eq!(places, of(&ordinals));
            assert_eq!(
                some.iter().map(|part| u64::from(*part)).collect::<Vec<_>>(),
                of(&parts.iter().map(|part| u64::from(*part)).collect::<Vec<_>>())
            );
            for part in 0..4 {
                let own =
                    ordinals.iter().zip(&parts).filter(|(_, of)| **of == part).map(|(ordinal, _)| *ordinal);
                assert!(own.eq(0..counts[part as usize]), "a part's rows are in order");
            }
        }
    }
}
