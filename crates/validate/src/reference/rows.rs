//! Samples of rows.

use lookalike_core::Seed;
use lookalike_core::permutation::Permutation;

/// At most `most` of `n` rows, in order, every set of them equally likely.
pub(crate) fn sample(n: usize, most: usize, seed: Seed) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let permutation = Permutation::new(n as u64, seed);
    let mut rows: Vec<usize> = (0..most as u64).map(|i| permutation.apply(i) as usize).collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_each_row_at_most_once() {
        let rows = sample(1_000, 100, Seed::new(1));
        assert_eq!(rows.len(), 100);
        assert!(rows.is_sorted_by(|a, b| a < b) && rows[99] < 1_000);
        assert_eq!(sample(3, 100, Seed::new(1)), [0, 1, 2]);
        assert!(sample(0, 100, Seed::new(1)).is_empty());
    }
}
