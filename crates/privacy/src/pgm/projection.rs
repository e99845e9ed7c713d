//! How the cells of a table fall on those of a smaller one.

use super::domain::Domain;

/// The way from the cells of a set of columns to those of a subset, as runs of cells: in a run, all cells fall on one cell,
/// or each on the next.
#[derive(Clone, Debug)]
pub struct Projection {
    /// Cells in a run.
    run: usize,
    /// Whether the cells of a run fall on one after the other rather than on the same.
    along: bool,
    /// The dimensions around the runs: size, and the step in the smaller table.
    outer: Vec<(usize, usize)>,
    /// Cells of the larger and of the smaller table.
    cells: (usize, usize),
}

impl Projection {
    /// From `from` to `to`, a subset of it; both in ascending order.
    ///
    /// # Panics
    /// If `to` is not a subset.
    pub fn new(domain: &Domain, from: &[usize], to: &[usize]) -> Projection {
        assert!(to.iter().all(|column| from.contains(column)), "{to:?} is not within {from:?}");
        let mut strides = vec![0; from.len()];
        let mut stride = 1;
        for (at, column) in from.iter().enumerate().rev() {
            if to.contains(column) {
                strides[at] = stride;
                stride *= domain.sizes()[*column];
            }
        }
        // Neighbours that are both kept, or both summed over, are one dimension.
        let mut dims: Vec<(usize, usize)> = Vec::new();
        for (column, stride) in from.iter().zip(strides) {
            let size = domain.sizes()[*column];
            match dims.last_mut() {
                Some(last) if (last.1 == 0) == (stride == 0) => *last = (last.0 * size, stride),
                _ => dims.push((size, stride)),
            }
        }
        let (run, step) = dims.pop().unwrap_or((1, 0));
        Projection { run, along: step > 0, outer: dims, cells: (domain.len_of(from), domain.len_of(to)) }
    }

    /// Cells of the smaller table.
    pub fn len(&self) -> usize {
        self.cells.1
    }

    /// Whether the smaller table has no cells; it always has one.
    pub fn is_empty(&self) -> bool {
        self.cells.1 == 0
    }

    /// Calls `each` with where every run begins in the larger table, and on which cell of the smaller one.
    #[inline]
    fn runs(&self, mut each: impl FnMut(usize, usize)) {
        match self.outer.as_slice() {
            [] => each(0, 0),
            [(size, step)] => (0..*size).for_each(|at| each(at * self.run, at * step)),
            outer => {
                let mut digits = vec![0usize; outer.len()];
                let (mut start, mut at) = (0, 0);
                while start < self.cells.0 {
                    each(start, at);
                    start += self.run;
                    for (digit, (size, step)) in digits.iter_mut().zip(outer).rev() {
                        *digit += 1;
                        at += step;
                        if *digit < *size {
                            break;
                        }
                        at -= step * size;
                        *digit = 0;
                    }
                }
            }
        }
    }

    /// Adds the larger table's cells up into the smaller one, which is overwritten.
    pub fn sum(&self, large: &[f64], small: &mut [f64]) {
        small.fill(0.0);
        self.runs(|start, at| {
            let cells = &large[start..start + self.run];
            if self.along {
                small[at..at + self.run].iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell);
            } else {
                small[at] += cells.iter().sum::<f64>();
            }
        });
    }

    /// The larger table's cells added up.
    pub fn summed(&self, large: &[f64]) -> Vec<f64> {
        let mut small = vec![0.0; self.cells.1];
        self.sum(large, &mut small);
        small
    }

    /// Calls `each` with every cell of the larger table and its cell of the smaller one.
    #[inline]
    pub fn zip(&self, large: &mut [f64], small: &[f64], mut each: impl FnMut(&mut f64, f64)) {
        self.runs(|start, at| {
            let cells = &mut large[start..start + self.run];
            if self.along {
                cells.iter_mut().zip(&small[at..at + self.run]).for_each(|(cell, value)| each(cell, *value));
            } else {
                let value = small[at];
                cells.iter_mut().for_each(|cell| each(cell, value));
            }
        });
    }

    /// Calls `each` with every cell of the smaller table's accumulator and the larger table's cells that fall on it.
    #[inline]
    pub fn fold(&self, large: &[f64], small: &mut [f64], mut each: impl FnMut(&mut f64, f64)) {
        self.runs(|start, at| {
            let cells = &large[start..start + self.run];
            if self.along {
                small[at..at + self.run].iter_mut().zip(cells).for_each(|(sum, cell)| each(sum, *cell));
            } else {
                cells.iter().for_each(|cell| each(&mut small[at], *cell));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_agree_with_arithmetic_on_digits(sizes in prop::collection::vec(1usize..4, 1..5), mask in 0u32..32) {
            let domain = Domain::new(sizes.clone());
            let from: Vec<usize> = (0..sizes.len()).collect();
            let to: Vec<usize> = from.iter().copied().filter(|at| mask >> at & 1 == 1).collect();
            let large: Vec<f64> = (0..domain.len_of(&from)).map(|at| (at * at % 17) as f64).collect();
            let mut expected = vec![0.0; domain.len_of(&to)];
            let mut places = Vec::new();
            for (cell, value) in large.iter().enumerate() {
                let mut rest = cell;
                let mut digits = vec![0; sizes.len()];
                for at in from.iter().rev() {
                    digits[*at] = rest % sizes[*at];
                    rest /= sizes[*at];
                }
                let at = to.iter().fold(0, |at, column| at * sizes[*column] + digits[*column]);
                expected[at] += value;
                places.push(at as f64);
            }
            let projection = domain.projection(&from, &to);
            prop_assert_eq!(projection.summed(&large), expected);
            let small: Vec<f64> = (0..projection.len()).map(|at| at as f64).collect();
            let mut spread = vec![0.0; large.len()];
            projection.zip(&mut spread, &small, |cell, value| *cell = value);
            prop_assert_eq!(spread, places);
        }
    }
}
