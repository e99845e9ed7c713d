//! Tests of goodness of fit, for this workspace's own tests.

use crate::special::gamma_q;

/// The Kolmogorov-Smirnov distance between a sample and a distribution function, which may have jumps.
pub fn ks_statistic(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let mut below = 0;
    let mut distance = 0f64;
    for run in sample.chunk_by(|a, b| a == b) {
        let upto = below + run.len();
        distance = distance
            .max((cdf(run[0].next_down()) - below as f64 / n).abs())
            .max((cdf(run[0]) - upto as f64 / n).abs());
        below = upto;
    }
    distance
}

/// The Kolmogorov-Smirnov distance between two samples.
pub fn ks_two_samples(left: Vec<f64>, mut right: Vec<f64>) -> f64 {
    right.sort_by(f64::total_cmp);
    let n = right.len() as f64;
    ks_statistic(left, |x| right.partition_point(|&value| value <= x) as f64 / n)
}

/// The probability of at least this Kolmogorov-Smirnov distance by chance, for `n` values (for two samples of n and m
/// values, pass nm / (n + m)). Asymptotic, with Stephens' correction; too large, hence safe, for laws with jumps.
pub fn ks_p_value(distance: f64, n: f64) -> f64 {
    let root = n.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    if lambda < 0.2 {
        return 1.0; // The series needs many terms here, and its sum differs from 1 by less than 1e-12.
    }
    let term = |k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * libm::exp(-2.0 * f64::from(k * k) * lambda * lambda)
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The probability of at least this chi-squared statistic by chance.
pub fn chi_squared_p_value(statistic: f64, degrees_of_freedom: f64) -> f64 {
    gamma_q(degrees_of_freedom / 2.0, statistic / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values() {
        // scipy.special.kolmogorov(1.0), scipy.stats.chi2.sf(20, 10)
        assert!((ks_p_value(1.0 / (1000.0 + 0.12 + 0.11 / 1000.0), 1e6) - 0.26999967167735456).abs() < 1e-12);
        assert!((chi_squared_p_value(20.0, 10.0) - 0.02925268807696107).abs() < 1e-14);
        assert_eq!(ks_p_value(0.0, 100.0), 1.0);
    }

    #[test]
    fn distances() {
        assert_eq!(ks_statistic(vec![0.5], |x| x), 0.5);
        assert_eq!(ks_statistic(vec![0.75, 0.25], |x| x), 0.25);
        // A law with jumps of one half at 0 and at 1, met exactly.
        assert_eq!(
            ks_statistic(vec![0.0, 1.0, 1.0, 0.0], |x| if x < 0.0 {
                0.0
            } else if x < 1.0 {
                0.5
            } else {
                1.0
            }),
            0.0
        );
        assert_eq!(ks_two_samples(vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]), 0.0);
        assert_eq!(ks_two_samples(vec![1.0, 2.0], vec![3.0, 4.0]), 1.0);
    }
}
