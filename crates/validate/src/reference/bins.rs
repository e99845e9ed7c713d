//! Values of two columns as counts of bins.

use super::columns::Sides;

/// Bins that numbers and times are cut into, at most.
const MOST: usize = 10;

/// Counts of each category, or of each bin of numbers: between quantiles of the *reference*, the outer bins open, with about
/// 20 values of the reference at least.
pub(crate) fn counts(sides: &Sides) -> Vec<[u64; 2]> {
    let [real, synthetic] = &sides.sorted;
    if real.is_empty() {
        return sides.counts.clone();
    }
    let bins = (real.len() / 20).clamp(2, MOST);
    let mut edges: Vec<f64> = (1..bins).map(|i| real[i * real.len() / bins]).collect();
    edges.dedup();
    let count = |values: &[f64]| {
        let mut below: Vec<u64> =
            edges.iter().map(|&edge| values.partition_point(|&x| x < edge) as u64).collect();
        below.push(values.len() as u64);
        below
    };
    let (a, b) = (count(real), count(synthetic));
    let mut last = [0, 0];
    a.into_iter()
        .zip(b)
        .map(|(a, b)| {
            let own = [a - last[0], b - last[1]];
            last = [a, b];
            own
        })
        .collect()
}

/// The same, with what is rarer than `least` on both sides together put into one.
pub(crate) fn merged(counts: Vec<[u64; 2]>, least: u64) -> Vec<[u64; 2]> {
    let (mut kept, rare): (Vec<[u64; 2]>, Vec<[u64; 2]>) =
        counts.into_iter().partition(|count| count[0] + count[1] >= least);
    if !rare.is_empty() {
        kept.push(rare.iter().fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]));
    }
    kept
}
