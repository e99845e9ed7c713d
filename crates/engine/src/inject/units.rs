//! What an anomaly takes at a time, and the order in which it is dealt.

use lookalike_core::stream::below;
use lookalike_core::{Permutation, Seed, Stream};
use lookalike_ruleset::anomaly::Burst;

use super::{Together, Wanted};
use crate::entity::Place;

/// What an anomaly takes at a time, in the order in which it is dealt.
pub(crate) struct Units {
    pub(super) shape: Shape,
    pub(super) permutation: Permutation,
    /// Chance.
    pub(super) seed: Seed,
    /// How many there are.
    pub count: u64,
}

pub(super) enum Shape {
    /// A row.
    Row,
    /// Consecutive rows: how many, where the first of all begins, and chance.
    Burst(Burst, u64, Stream),
    /// The children of a parent in this link.
    Children(usize),
    /// The rows that belong together by their values.
    Together(Together),
}

impl Units {
    /// The units of a table with so many rows.
    pub fn new(rows: u64, burst: Option<Burst>, seed: Seed) -> Units {
        let (shape, count) = match burst {
            None => (Shape::Row, rows),
            Some(burst) => {
                let stream = seed.derive("burst").stream();
                // Where the first begins is random too, so that they do not stand at round numbers.
                let offset = below(stream.word(0, 2), burst.high.min(rows + 1));
                let count = (rows - offset.min(rows)) / burst.high;
                (Shape::Burst(burst, offset, stream), count)
            }
        };
        Units { shape, permutation: Permutation::new(count.max(1), seed.derive("units")), seed, count }
    }

    /// The children of each of so many parents, through a link by its number.
    pub fn children(parents: u64, link: usize, seed: Seed) -> Units {
        let permutation = Permutation::new(parents.max(1), seed.derive("units"));
        Units { shape: Shape::Children(link), permutation, seed, count: parents }
    }

    /// The rows that belong together; which there are comes out when they are dealt.
    pub fn together(together: Together, seed: Seed) -> Units {
        let permutation = Permutation::new(1, seed.derive("units"));
        Units { shape: Shape::Together(together), permutation, seed, count: 0 }
    }

    /// Who chooses first: those that take many rows at a time.
    pub fn turn(&self) -> u8 {
        match self.shape {
            Shape::Together(_) => 0,
            Shape::Burst(..) | Shape::Children(_) => 1,
            Shape::Row => 2,
        }
    }

    /// Whether what is wanted are rows, whatever number of units they are in.
    pub fn by_rows(&self) -> bool {
        matches!(&self.shape, Shape::Together(Together { wanted: Wanted::Rows, .. }))
    }

    pub(super) fn is_run(&self) -> bool {
        self.turn() < 2
    }

    /// First row and number of rows of a unit of consecutive rows.
    pub(super) fn extent(&self, unit: u64) -> (u64, u64) {
        match &self.shape {
            Shape::Burst(burst, offset, stream) => {
                let rows = burst.low + below(stream.word(unit, 0), burst.high - burst.low + 1);
                let shift = below(stream.word(unit, 1), burst.high - rows + 1);
                (offset + unit * burst.high + shift, rows)
            }
            _ => (unit, 1),
        }
    }

    /// The unit of consecutive rows that a row is in, and its place there.
    pub(super) fn of(&self, row: u64) -> Option<(u64, Place)> {
        let Shape::Burst(burst, offset, _) = &self.shape else {
            return Some((row, alone(row)));
        };
        let unit = row.checked_sub(*offset)? / burst.high;
        if unit >= self.count {
            return None;
        }
        let (first, rows) = self.extent(unit);
        let ordinal = row.checked_sub(first).filter(|ordinal| *ordinal < rows)?;
        Some((unit, Place { entity: first, ordinal, count: rows }))
    }
}

/// The place of a row that is an instance of its own.
pub(super) fn alone(row: u64) -> Place {
    Place { entity: row, ordinal: 0, count: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_apart_and_within_the_table() {
        for rows in [0, 1, 9, 10, 100, 1000] {
            let units = Units::new(rows, Some(Burst { low: 3, high: 10 }), Seed::new(rows));
            let mut end = 0;
            for unit in 0..units.count {
                let (first, length) = units.extent(unit);
                assert!(first >= end && (3..=10).contains(&length));
                end = first + length;
                for row in first..end {
                    let place = Place { entity: first, ordinal: row - first, count: length };
                    assert_eq!(units.of(row), Some((unit, place)));
                }
            }
            assert!(end <= rows);
            let inside = (0..rows).filter(|row| units.of(*row).is_some()).count() as u64;
            assert_eq!(inside, (0..units.count).map(|unit| units.extent(unit).1).sum::<u64>());
        }
    }
}
