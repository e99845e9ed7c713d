//! Probabilities of what chance does to correct data. All of them are bounds that hold for every n, not approximations for
//! large ones: a correct file of 100 rows is accused no more often than stated.

use lookalike_core::special::{beta_i, ln_gamma, normal_cdf};

/// P(sup |Fₙ - F| ≥ d) at most, for n independent draws of *any* law: Dvoretzky, Kiefer and Wolfowitz with the constant of
/// P. Massart, "The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality", 1990. For continuous laws it is what the
/// Kolmogorov-Smirnov test gives in its tail.
pub fn dkw(d: f64, n: f64) -> f64 {
    (2.0 * libm::exp(-2.0 * n * d * d)).min(1.0)
}

/// P(sup |Fₙ - Gₘ| ≥ d) at most, for two samples of one law: the sum of the two bounds to their common law, at the best split.
pub fn dkw_two_samples(d: f64, n: f64, m: f64) -> f64 {
    let sum = n.sqrt() + m.sqrt();
    (4.0 * libm::exp(-2.0 * n * m / (sum * sum) * d * d)).min(1.0)
}

/// Two-sided P of a count as far out as `k` among n of probability p: twice the smaller exact tail.
pub fn binomial(k: u64, n: u64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    let (k, n) = (k as f64, n as f64);
    // P(X ≤ k) = I(1 - p; n - k, k + 1), P(X ≥ k) = I(p; k, n - k + 1).
    let lower = if k >= n { 1.0 } else { beta_i(n - k, k + 1.0, 1.0 - p) };
    let upper = if k <= 0.0 { 1.0 } else { beta_i(k, n - k + 1.0, p) };
    (2.0 * lower.min(upper)).min(1.0)
}

/// P of counts as unlike the shares, which add up to 1: the smaller of two bounds, doubled. One is of single values, exact
/// binomial tails times their number. The other is of all values together, for the likelihood ratio nD: e^-nD (e nD / (k-1))^(k-1),
/// by R. Agrawal, "Finite-sample concentration of the multinomial in relative entropy", 2020.
pub fn multinomial(counts: &[u64], shares: &[f64]) -> f64 {
    let n: u64 = counts.iter().sum();
    let positive = shares.iter().filter(|share| **share > 0.0).count();
    if n == 0 || positive < 2 {
        return 1.0;
    }
    if positive == 2 {
        return shares
            .iter()
            .zip(counts)
            .filter(|(share, _)| **share > 0.0)
            .map(|(share, count)| binomial(*count, n, *share))
            .fold(1.0, f64::min);
    }
    let singles = shares
        .iter()
        .zip(counts)
        .filter(|(share, _)| **share > 0.0)
        .map(|(share, count)| binomial(*count, n, *share))
        .fold(1.0, f64::min)
        * positive as f64;
    let n = n as f64;
    let divergence: f64 = shares
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(share, count)| *count as f64 * libm::log(*count as f64 / (n * share)))
        .sum();
    let degrees = positive as f64 - 1.0;
    let together = if divergence <= degrees {
        1.0
    } else {
        libm::exp(-divergence + degrees * (1.0 + libm::log(divergence / degrees)))
    };
    (2.0 * singles.min(together)).min(1.0)
}

/// Pearson's chi-squared, for the reader.
pub fn chi_squared(counts: &[u64], shares: &[f64]) -> f64 {
    let n = counts.iter().sum::<u64>() as f64;
    let term = |(count, share): (&u64, &f64)| {
        let expected = n * share;
        (*count as f64 - expected) * (*count as f64 - expected) / expected
    };
    counts.iter().zip(shares).filter(|(_, share)| **share > 0.0).map(term).sum()
}

/// Two-sided P, exact, that two samples of one truth divide `a + b` hits among n and m rows as far from evenly (R. A. Fisher):
/// twice the smaller hypergeometric tail.
pub fn two_shares(a: u64, n: u64, b: u64, m: u64) -> f64 {
    let hits = a + b;
    if hits == 0 || hits == n + m {
        return 1.0;
    }
    let choose = |n: f64, k: f64| ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let (nf, mf, hf) = (n as f64, m as f64, hits as f64);
    let log_p = |k: f64| choose(nf, k) + choose(mf, hf - k) - choose(nf + mf, hf);
    let (least, most) = (hits.saturating_sub(m) as f64, hits.min(n) as f64);
    let tail = |towards: f64| {
        let (mut k, mut sum, step) = (a as f64, 0.0, if towards > a as f64 { 1.0 } else { -1.0 });
        let first = log_p(k);
        let mut ratio = 1.0f64;
        loop {
            sum += ratio;
            let next = k + step;
            if next < least || next > most || ratio < sum * 1e-12 {
                break;
            }
            ratio *= if step > 0.0 {
                (nf - k) * (hf - k) / ((k + 1.0) * (mf - hf + k + 1.0))
            } else {
                k * (mf - hf + k) / ((nf - k + 1.0) * (hf - k + 1.0))
            };
            k = next;
        }
        libm::exp(first + libm::log(sum))
    };
    let lower = if a as f64 <= least { libm::exp(log_p(a as f64)) } else { tail(f64::NEG_INFINITY) };
    let upper = if a as f64 >= most { libm::exp(log_p(a as f64)) } else { tail(f64::INFINITY) };
    (2.0 * lower.min(upper)).min(1.0)
}

/// Two-sided P of a standard normal number as far out as `z`.
pub fn normal(z: f64) -> f64 {
    (2.0 * normal_cdf(-z.abs())).min(1.0)
}

/// Sums over pairs of numbers, for their correlation and its error.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairSums {
    /// Pairs.
    pub n: u64,
    sums: [f64; 14],
}

impl PairSums {
    /// Adds a pair.
    pub fn add(&mut self, u: f64, v: f64) {
        let (uu, vv, uv) = (u * u, v * v, u * v);
        self.n += 1;
        let terms =
            [u, v, uu, vv, uv, uu * u, vv * v, uu * v, u * vv, uu * vv, uu * uv, vv * uv, uu * uu, vv * vv];
        self.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }

    /// Adds those that another has seen.
    pub fn merge(&mut self, other: &PairSums) {
        self.n += other.n;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, term)| *sum += term);
    }

    /// Their correlation, and P of one as far from `wanted`: the normal law of Fisher's z with the error that the fourth moments
    /// give (A. van der Vaart, "Asymptotic Statistics", 1998, example 3.6), a sixth wider for small n. None where one of the
    /// two does not vary.
    pub fn correlation(&self, wanted: f64) -> Option<(f64, f64)> {
        let n = self.n as f64;
        let [u, v, uu, vv, uv, uuu, vvv, uuv, uvv, uuvv, uuuv, uvvv, uuuu, vvvv] =
            self.sums.map(|sum| sum / n);
        let (a, b, c) = (uu - u * u, vv - v * v, uv - u * v);
        if self.n < 3 || a <= 1e-12 * uu || b <= 1e-12 * vv {
            return None;
        }
        // Central moments from the raw ones.
        let m22 = uuvv - 2.0 * v * uuv - 2.0 * u * uvv + v * v * uu + u * u * vv + 4.0 * u * v * uv
            - 3.0 * u * u * v * v;
        let m31 = uuuv - v * uuu - 3.0 * u * uuv + 3.0 * u * v * uu + 3.0 * u * u * uv - 3.0 * u * u * u * v;
        let m13 = uvvv - u * vvv - 3.0 * v * uvv + 3.0 * u * v * vv + 3.0 * v * v * uv - 3.0 * v * v * v * u;
        let m40 = uuuu - 4.0 * u * uuu + 6.0 * u * u * uu - 3.0 * u * u * u * u;
        let m04 = vvvv - 4.0 * v * vvv + 6.0 * v * v * vv - 3.0 * v * v * v * v;
        let r = (c / (a * b).sqrt()).clamp(-1.0, 1.0);
        let root = (a * b).sqrt();
        let variance = m22 / (a * b) + r * r / 4.0 * (m40 / (a * a) + m04 / (b * b) + 2.0 * m22 / (a * b))
            - r * (m31 / (a * root) + m13 / (b * root));
        let fisher = |r: f64| libm::atanh(r.clamp(-0.999_999, 0.999_999));
        let spread = variance.max(1e-12).sqrt() / (1.0 - r * r).max(1e-6);
        let widened = spread * (1.0 + 8.0 / n) * 7.0 / 6.0;
        Some((r, normal((fisher(r) - fisher(wanted)) / widened * (n - 3.0).max(0.0).sqrt())))
    }
}

/// Adjusts probabilities for their number (Y. Benjamini and Y. Hochberg, 1995): those at most α belong to checks that fail. If
/// all is well, any fails with probability α at most.
pub fn adjust(p_values: &mut [f64]) {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let n = p_values.len() as f64;
    let mut least = 1.0f64;
    for (rank, at) in order.iter().enumerate().rev() {
        least = least.min(p_values[*at] * n / (rank as f64 + 1.0));
        p_values[*at] = least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_tails_are_exact() {
        // P(X ≤ 2) of 10 with 1/2 is 56/1024.
        assert!((binomial(2, 10, 0.5) - 112.0 / 1024.0).abs() < 1e-12);
        assert!((binomial(8, 10, 0.5) - 112.0 / 1024.0).abs() < 1e-12);
        assert_eq!(binomial(5, 10, 0.5), 1.0);
        assert_eq!((binomial(0, 10, 0.0), binomial(1, 10, 0.0), binomial(10, 10, 1.0)), (1.0, 0.0, 1.0));
        assert!(binomial(600_000, 1_000_000, 0.5) < 1e-300);
    }

    #[test]
    fn fishers_test_is_the_tea_tasting() {
        // 3 of 4 and 1 of 4: the tail is 17/70.
        assert!((two_shares(3, 4, 1, 4) - 34.0 / 70.0).abs() < 1e-12);
        assert!((two_shares(4, 4, 0, 4) - 2.0 / 70.0).abs() < 1e-12);
        assert_eq!(two_shares(0, 100, 0, 50), 1.0);
        assert!(two_shares(500_000, 1_000_000, 10_000, 50_000) < 1e-100);
    }

    #[test]
    fn multinomials_notice_what_is_off() {
        let shares = [0.5, 0.3, 0.2];
        assert_eq!(multinomial(&[500, 300, 200], &shares), 1.0);
        assert!(multinomial(&[600, 250, 150], &shares) < 1e-6);
        assert!(multinomial(&[0, 0, 0], &shares) == 1.0);
    }

    #[test]
    fn adjusting_keeps_the_order() {
        let mut p = [0.01, 0.5, 0.02, 0.03];
        adjust(&mut p);
        assert!((p[0] - 0.04).abs() < 1e-12 && (p[2] - 0.04).abs() < 1e-12 && (p[3] - 0.04).abs() < 1e-12);
        assert_eq!(p[1], 0.5);
    }
}
