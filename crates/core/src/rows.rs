//! Which rows to make.

use std::ops::Range;
use std::sync::Arc;

/// The row numbers that a generator is asked for, in the order in which it is asked for them.
///
/// A table is made range by range; a child table asks its parent for scattered rows. Hot loops match on the variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Consecutive row numbers; empty if the end is not above the start.
    Range(Range<u64>),
    /// Any row numbers, in any order, repeats allowed.
    List(Arc<[u64]>),
}

impl Rows {
    /// How many rows, counting repeats.
    ///
    /// # Panics
    ///
    /// If a range holds more rows than a `usize` can count (possible on 32-bit machines only).
    pub fn len(&self) -> usize {
        match self {
            Rows::Range(range) => usize::try_from(range.end.saturating_sub(range.start))
                .expect("a block of rows fits in memory"),
            Rows::List(list) => list.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        match self {
            Rows::Range(range) => range.is_empty(),
            Rows::List(list) => list.is_empty(),
        }
    }

    /// The row number at a position.
    ///
    /// # Panics
    ///
    /// If `position` is not below [`Rows::len`].
    pub fn get(&self, position: usize) -> u64 {
        match self {
            Rows::Range(range) => {
                assert!(position < self.len(), "position {position} of {} rows", self.len());
                range.start + position as u64
            }
            Rows::List(list) => list[position],
        }
    }

    /// All row numbers in order.
    pub fn iter(&self) -> RowsIter<'_> {
        match self {
            Rows::Range(range) => RowsIter::Range(range.clone()),
            Rows::List(list) => RowsIter::List(list.iter()),
        }
    }

    /// The rows at a range of positions. Costs nothing for a range, a copy for a list.
    ///
    /// # Panics
    ///
    /// If the positions are not all below [`Rows::len`], or end before they start.
    pub fn slice(&self, positions: Range<usize>) -> Rows {
        match self {
            Rows::Range(range) => {
                assert!(
                    positions.start <= positions.end && positions.end <= self.len(),
                    "{positions:?} of {self:?}"
                );
                Rows::Range(range.start + positions.start as u64..range.start + positions.end as u64)
            }
            Rows::List(list) => Rows::List(list[positions].into()),
        }
    }

    /// The rows at the given positions, in the order of the positions.
    ///
    /// # Panics
    ///
    /// If a position is not below [`Rows::len`].
    pub fn select(&self, positions: &[u32]) -> Rows {
        Rows::List(positions.iter().map(|&position| self.get(position as usize)).collect())
    }
}

impl From<Range<u64>> for Rows {
    fn from(range: Range<u64>) -> Rows {
        Rows::Range(range)
    }
}

impl From<Vec<u64>> for Rows {
    fn from(list: Vec<u64>) -> Rows {
        Rows::List(list.into())
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = u64;
    type IntoIter = RowsIter<'a>;

    fn into_iter(self) -> RowsIter<'a> {
        self.iter()
    }
}

/// The iterator of [`Rows::iter`].
#[derive(Clone, Debug)]
pub enum RowsIter<'a> {
    /// Over consecutive row numbers.
    Range(Range<u64>),
    /// Over listed row numbers.
    List(std::slice::Iter<'a, u64>),
}

impl Iterator for RowsIter<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        match self {
            RowsIter::Range(range) => range.next(),
            RowsIter::List(list) => list.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            RowsIter::Range(range) => range.size_hint(),
            RowsIter::List(list) => list.size_hint(),
        }
    }

    // `for_each`, `sum`, `collect` and `extend` go through `fold`: one match for all rows.
    fn fold<B, F: FnMut(B, u64) -> B>(self, init: B, f: F) -> B {
        match self {
            RowsIter::Range(range) => range.fold(init, f),
            RowsIter::List(list) => list.copied().fold(init, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_and_its_list_answer_alike() {
        let range = Rows::from(7..12);
        let list = Rows::from(vec![7, 8, 9, 10, 11]);
        for rows in [&range, &list] {
            assert_eq!(rows.len(), 5);
            assert!(!rows.is_empty());
            assert_eq!((0..5).map(|i| rows.get(i)).collect::<Vec<_>>(), [7, 8, 9, 10, 11]);
            assert_eq!(rows.iter().collect::<Vec<_>>(), [7, 8, 9, 10, 11]);
            assert_eq!(rows.iter().size_hint(), (5, Some(5)));
            assert_eq!(rows.slice(1..3).iter().collect::<Vec<_>>(), [8, 9]);
            assert!(rows.slice(5..5).is_empty());
            assert_eq!(rows.select(&[4, 0, 0]), Rows::from(vec![11, 7, 7]));
        }
        assert_eq!(range.slice(1..3), Rows::from(8..10));
    }

    #[test]
    fn an_inverted_range_is_empty() {
        #[expect(clippy::reversed_empty_ranges)]
        let rows = Rows::from(9..4);
        assert!(rows.is_empty());
        assert_eq!((rows.len(), rows.iter().count()), (0, 0));
    }

    #[test]
    #[should_panic(expected = "position 2 of 2 rows")]
    fn a_position_outside_a_range_is_refused() {
        Rows::from(0..2).get(2);
    }

    #[test]
    fn the_last_row_number_is_reachable() {
        assert_eq!(Rows::from(u64::MAX - 2..u64::MAX).get(1), u64::MAX - 1);
    }
}
