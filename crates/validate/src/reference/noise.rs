//! What a second sample of the same truth would reach: expectations and tail bounds of the distance between two samples.
//!
//! The samples have n and m values. A bound holds except with probability `alpha`. Wherever the law of the values
//! matters, it is estimated from both samples pooled, as for a permutation test, so that a flawed sample cannot widen
//! what it is measured by more than its share.

use lookalike_core::special::{ln_gamma, normal_quantile};

/// E and bound of a distance.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// The average distance.
    pub expected: f64,
    /// The distance that is exceeded with probability alpha at most.
    pub bound: f64,
}

/// 1/n + 1/m.
pub fn spread(n: f64, m: f64) -> f64 {
    1.0 / n + 1.0 / m
}

/// The standard normal deviate that is exceeded, in either direction, with probability `alpha`.
pub fn two_sided(alpha: f64) -> f64 {
    normal_quantile(1.0 - alpha / 2.0)
}

/// The same of Student's law with `df` degrees of freedom, by the first terms of its Cornish-Fisher expansion
/// (Abramowitz and Stegun, 26.7.5).
pub fn two_sided_t(alpha: f64, df: f64) -> f64 {
    let z = two_sided(alpha);
    let df = df.max(1.0);
    let z2 = z * z;
    z + z * (z2 + 1.0) / (4.0 * df) + z * ((5.0 * z2 + 16.0) * z2 + 3.0) / (96.0 * df * df)
}

/// The Kolmogorov-Smirnov distance of two samples. Its mean is √(π/2) ln 2 · √(1/n + 1/m) (Kolmogorov's law, exact in the
/// limit and for values without ties); the bound is Dvoretzky's, Kiefer's and Wolfowitz's with Massart's constant.
pub fn kolmogorov(n: f64, m: f64, alpha: f64) -> Noise {
    let scale = spread(n, m).sqrt();
    Noise {
        expected: (0.868_731_160_636_591_1 * scale).min(1.0),
        bound: (scale * (libm::log(2.0 / alpha) / 2.0).sqrt()).min(1.0),
    }
}

/// Total variation between the shares of categories. The mean is that over all ways to deal the pooled counts out to the two
/// samples (each category's share of n is binomial, with de Moivre's mean deviation); the bound adds McDiarmid's for a
/// function that one of the values changes by 1/n or 1/m.
pub fn total_variation(counts: impl Iterator<Item = [u64; 2]>, n: f64, m: f64, alpha: f64) -> Noise {
    let total = n + m;
    let p = n / total;
    let mut expected = 0.0;
    for [a, b] in counts {
        let c = (a + b) as f64;
        if c == 0.0 {
            continue;
        }
        let v = (c * p).floor() + 1.0;
        // 2 v C(c, v) p^v q^(c - v + 1)
        let ln = ln_gamma(c + 1.0) - ln_gamma(v) - ln_gamma(c - v + 1.0)
            + v * libm::log(p)
            + (c - v + 1.0) * libm::log(1.0 - p);
        let finite = ((total - c) / (total - 1.0).max(1.0)).max(0.0).sqrt();
        expected += libm::exp(ln) * 2.0 * finite;
    }
    let expected = (0.5 * expected * spread(n, m)).min(1.0);
    let bound = expected + (libm::log(1.0 / alpha) * spread(n, m) / 2.0).sqrt();
    Noise { expected, bound: bound.min(1.0) }
}

/// Categories that fall into one sample alone: those of which the pooled counts, dealt out, give nothing to the other. The
/// number of them, or of their values if `weighed`. With Bernstein's bound.
pub fn alone(
    counts: impl Iterator<Item = [u64; 2]> + Clone,
    size: f64,
    other: f64,
    weighed: bool,
    alpha: f64,
) -> Noise {
    let total = size + other;
    let categories = counts.clone().count().max(1) as f64;
    let (mut expected, mut variance, mut largest) = (0.0, 0.0, 0.0f64);
    for [a, b] in counts {
        let c = (a + b) as f64;
        if c == 0.0 || c > size {
            continue;
        }
        let ln = ln_gamma(size + 1.0) - ln_gamma(size - c + 1.0) - ln_gamma(total + 1.0)
            + ln_gamma(total - c + 1.0);
        let q = libm::exp(ln).min(1.0);
        let weight = if weighed { c } else { 1.0 };
        expected += weight * q;
        variance += weight * weight * q * (1.0 - q);
        // What is as rare as the false alarm itself needs no room.
        if q > alpha / categories {
            largest = largest.max(weight);
        }
    }
    let l = libm::log(1.0 / alpha);
    let linear = largest * l / 3.0;
    Noise { expected, bound: expected + linear + (linear * linear + 2.0 * variance * l).sqrt() }
}

/// The distance of two shares whose pooled value is `p`; Bernstein's bound.
pub fn shares(p: f64, n: f64, m: f64, alpha: f64) -> Noise {
    let variance = p * (1.0 - p) * spread(n, m);
    let l = libm::log(2.0 / alpha);
    let linear = l * (1.0 / n).max(1.0 / m) / 3.0;
    let bound = if variance == 0.0 { 0.0 } else { linear + (linear * linear + 2.0 * variance * l).sqrt() };
    Noise { expected: (2.0 / std::f64::consts::PI * variance).sqrt(), bound: bound.min(1.0) }
}

/// How many of the greatest pooled values can all belong to one sample, which has the share `share` of the values: the least
/// k with shareᵏ ≤ alpha.
pub fn run(share: f64, alpha: f64) -> f64 {
    (libm::log(alpha) / libm::log(share)).ceil().max(1.0)
}

/// Mean, central second and fourth moments of ascending values.
pub fn moments(values: &[f64]) -> (f64, f64, f64) {
    if values.is_empty() {
        return (f64::NAN, f64::NAN, f64::NAN);
    }
    let n = values.len() as f64;
    // Times are large numbers that differ little: from the first value on, nothing cancels.
    let origin = values[0];
    let mean = values.iter().map(|x| x - origin).sum::<f64>() / n;
    let (mut second, mut fourth) = (0.0, 0.0);
    for x in values {
        let d = x - origin - mean;
        let d2 = d * d;
        second += d2;
        fourth += d2 * d2;
    }
    (origin + mean, second / n, fourth / n)
}

/// The distance of two means, by Student's law.
pub fn means(real: &[f64], synthetic: &[f64], alpha: f64) -> Noise {
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (_, v, _) = pooled(real, synthetic);
    let df = (n + m - 2.0).max(1.0);
    let error = (v * (n + m) / df * spread(n, m)).sqrt();
    Noise { expected: FOLD * error, bound: two_sided_t(alpha, df) * error }
}

/// The distance of two standard deviations, by their asymptotic law: variance (μ₄ - σ⁴) / (4 σ² n).
pub fn deviations(real: &[f64], synthetic: &[f64], alpha: f64) -> Noise {
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (_, v, fourth) = pooled(real, synthetic);
    let df = (n + m - 2.0).max(1.0);
    let error =
        ((fourth - v * v).max(0.0) / (4.0 * v.max(f64::MIN_POSITIVE)) * spread(n, m) * (n + m) / df).sqrt();
    Noise { expected: FOLD * error, bound: two_sided_t(alpha, df) * error }
}

/// The distance of two medians: how far the pooled quantiles reach around the middle, whatever the law.
pub fn medians(real: &[f64], synthetic: &[f64], alpha: f64) -> Noise {
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let mut all: Vec<f64> = real.iter().chain(synthetic).copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    let reach = |z: f64| {
        let d = 0.5 * z * spread(n, m).sqrt();
        let at = |q: f64| all[((all.len() - 1) as f64 * q.clamp(0.0, 1.0)).round() as usize];
        (at(0.5 + d) - at(0.5)).max(at(0.5) - at(0.5 - d))
    };
    Noise { expected: reach(FOLD), bound: reach(two_sided_t(alpha, n + m - 2.0)) }
}

/// The mean distance from the middle of a normal law with variance 1.
const FOLD: f64 = 0.797_884_560_802_865_4;

/// Moments of both samples, each around its own mean, weighed by their sizes.
fn pooled(real: &[f64], synthetic: &[f64]) -> (f64, f64, f64) {
    let (n, m) = (real.len() as f64, synthetic.len() as f64);
    let (a, b) = (moments(real), moments(synthetic));
    let mix = |x: f64, y: f64| (n * x + m * y) / (n + m);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// How far a second sample's correlation may lie from `r`, on the side towards `other`: both are compared by Fisher's
/// transform, whose error is the larger of the textbook's (1/√(n - 3)) and the one that the values themselves show.
pub fn correlations(real: (f64, f64, f64), synthetic: (f64, f64, f64), alpha: f64) -> Noise {
    let clamp = |r: f64| r.clamp(-1.0 + 1e-12, 1.0 - 1e-12);
    let error2 = |(r, influence, n): (f64, f64, f64)| {
        let slope = 1.0 - clamp(r) * clamp(r);
        let textbook = 1.0 / (n - 3.0).max(1.0);
        textbook.max(influence / (slope * slope) / n)
    };
    let error = (error2(real) + error2(synthetic)).sqrt();
    let z = libm::atanh(clamp(real.0));
    let side = if synthetic.0 >= real.0 { 1.0 } else { -1.0 };
    let reach = |k: f64| (libm::tanh(z + side * k * error) - clamp(real.0)).abs();
    Noise { expected: reach(FOLD), bound: reach(two_sided_t(alpha, real.2.min(synthetic.2) - 2.0)) }
}
