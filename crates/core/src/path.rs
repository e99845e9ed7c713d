//! Random walks and autoregressions whose every step can be had alone.
//!
//! Both are normal processes in which, given the value at one step, the future does not depend on the past. So a path need
//! not be walked from its beginning: it is laid down coarsely at first and then refined, as in Lévy's construction of
//! Brownian motion (P. Lévy, *Processus stochastiques et mouvement brownien*, 1948). The values at
//! the steps 0, 1, 2, 4, 8, … follow each from the one before; between two neighbours the value half-way follows from both,
//! then those at the quarters, and so on. Each is drawn from its exact law under what is known, so the path as a whole has
//! exactly the law that walking would have given it.
//!
//! # Laws (frozen)
//!
//! With N standard normal, d the distance of two neighbours a and a + d, and h = d / 2:
//!
//! | | random walk | autoregression with coefficient φ, r = φʰ |
//! |---|---|---|
//! | X₀ | 0 | N |
//! | X₂ₐ given Xₐ (d = a) | Xₐ + √d N | φᵈ Xₐ + √(1 - φ²ᵈ) N |
//! | Xₐ₊ₕ given Xₐ and Xₐ₊₂ₕ | (Xₐ + Xₐ₊₂ₕ) / 2 + √(h / 2) N | r / (1 + r²) · (Xₐ + Xₐ₊₂ₕ) + √((1 - r²) / (1 + r²)) N |
//!
//! The last line is the conditional law of a normal vector (for example K. V. Mardia, J. T. Kent and J. M. Bibby,
//! *Multivariate Analysis*, 1979, chapter 3) with the covariances min(s, t) and φ^|s - t|.
//!
//! # Addresses (frozen)
//!
//! Every step is the middle of one pair of neighbours, or 0, or a power of two: so each value needs one word, and for step k
//! it is draw 0 of row k of the path's stream.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

use crate::law::{LawError, require};
use crate::special::normal_quantile;
use crate::stream::{Stream, open01};

/// The law of a path: how a value follows from its neighbours at any distance.
#[derive(Clone, Debug)]
pub struct Path {
    /// Standard deviation at step 0.
    initial: f64,
    /// For i in 0..63, what holds at the distance 2^i.
    lags: Box<[Lag]>,
}

#[derive(Clone, Copy, Debug)]
struct Lag {
    /// A value from the one at this distance before it: its factor, and the standard deviation around that.
    forward: (f64, f64),
    /// A value from those at this distance before and behind it: the factor of their sum, and the standard deviation.
    bridge: (f64, f64),
}

/// Steps are numbered from 0 to below this.
pub const MAX_STEPS: u64 = 1 << 63;

impl Path {
    /// A random walk: 0 at step 0, with steps that are independent and standard normal.
    pub fn walk() -> Path {
        let lag = |i: i32| {
            // √(2^i): powers of two and √½ are the only factors, so that no platform rounds otherwise.
            let root = libm::ldexp(if i % 2 == 0 { 1.0 } else { 2.0 * FRAC_1_SQRT_2 }, i / 2);
            Lag { forward: (1.0, root), bridge: (0.5, root * FRAC_1_SQRT_2) }
        };
        Path { initial: 0.0, lags: (0..63).map(lag).collect() }
    }

    /// A stationary autoregression of the first order: every value is standard normal, and the correlation of two values d
    /// steps apart is `coefficient`ᵈ.
    ///
    /// # Errors
    /// Unless `coefficient` lies between -1 and 1, both excluded.
    pub fn autoregression(coefficient: f64) -> Result<Path, LawError> {
        let valid = "a number between -1 and 1";
        require(coefficient.abs() < 1.0, "coefficient", coefficient, valid)?;
        Ok(Path::stationary(coefficient, 1.0 - coefficient))
    }

    /// The autoregression that forgets half of a deviation from the mean in `half_life` steps: its coefficient is
    /// 2^(-1 / `half_life`). It is the Ornstein-Uhlenbeck process, seen at whole steps.
    ///
    /// # Errors
    /// Unless `half_life` is finite and greater than 0.
    pub fn with_half_life(half_life: f64) -> Result<Path, LawError> {
        let valid = "a finite number greater than 0";
        require(half_life > 0.0 && half_life.is_finite(), "half_life", half_life, valid)?;
        let rate = -LN_2 / half_life;
        Ok(Path::stationary(libm::exp(rate), -libm::expm1(rate)))
    }

    /// From φ and 1 - φ, which says more where φ is near 1.
    fn stationary(coefficient: f64, complement: f64) -> Path {
        let (mut r, mut q) = (coefficient, complement);
        let lag = |_| {
            // r = φʰ, q = 1 - r and 1 - r² = q (2 - q), without cancellation.
            let rest = q * (2.0 - q);
            let lag =
                Lag { forward: (r, rest.sqrt()), bridge: (r / (2.0 - rest), (rest / (2.0 - rest)).sqrt()) };
            (r, q) = (1.0 - rest, rest);
            lag
        };
        Path { initial: 1.0, lags: (0..63).map(lag).collect() }
    }

    /// The path that belongs to a stream, to be read from its beginning.
    pub fn along(&self, stream: Stream) -> Cursor<'_> {
        Cursor { path: self, stream, left: (0, self.initial * normal(stream, 0)), right: Vec::new() }
    }
}

fn normal(stream: Stream, step: u64) -> f64 {
    normal_quantile(open01(stream.word(step, 0)))
}

/// A place on a path. It holds the neighbours that lead there, so that reading on costs little.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    path: &'a Path,
    stream: Stream,
    /// A step at or before the last one asked for, with its value.
    left: (u64, f64),
    /// The steps behind it that are known, the nearest one last: halves of halves of a stretch between powers of two.
    right: Vec<(u64, f64)>,
}

impl Cursor<'_> {
    /// The value at a step. Step k costs at most 2 log₂ k draws, and about one if it follows the last step asked for; going
    /// back costs as much as beginning anew.
    ///
    /// # Panics
    /// When `step` is not below [`MAX_STEPS`].
    pub fn value(&mut self, step: u64) -> f64 {
        assert!(step < MAX_STEPS, "step {step} is beyond the end of every path");
        if step < self.left.0 {
            *self = self.path.along(self.stream);
        }
        while self.left.0 < step {
            let (a, at_a) = self.left;
            match self.right.last().copied() {
                Some(right) if right.0 <= step => {
                    self.left = right;
                    self.right.pop();
                }
                Some((b, at_b)) => {
                    let half = (b - a) / 2;
                    let (factor, spread) = self.path.lags[half.ilog2() as usize].bridge;
                    let middle = a + half;
                    self.right.push((middle, factor * (at_a + at_b) + spread * normal(self.stream, middle)));
                }
                None => {
                    let lag = a.max(1);
                    let (factor, spread) = self.path.lags[lag.ilog2() as usize].forward;
                    let next = a + lag;
                    self.right.push((next, factor * at_a + spread * normal(self.stream, next)));
                }
            }
        }
        self.left.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::special::normal_cdf;
    use crate::testing::{ks_p_value, ks_statistic};

    fn stream(index: u64) -> Stream {
        Seed::new(2024).derive_index(index).stream()
    }

    fn values(path: &Path, index: u64, n: u64) -> Vec<f64> {
        let mut cursor = path.along(stream(index));
        (0..n).map(|step| cursor.value(step)).collect()
    }

    type Covariance = fn(u64, u64) -> f64;

    fn paths() -> [(Path, Covariance); 4] {
        [
            (Path::walk(), |s, t| s.min(t) as f64),
            (Path::autoregression(0.8).unwrap(), |s, t| 0.8f64.powi(s.abs_diff(t) as i32)),
            (Path::autoregression(-0.9).unwrap(), |s, t| (-0.9f64).powi(s.abs_diff(t) as i32)),
            (Path::with_half_life(3.0).unwrap(), |s, t| 0.5f64.powf(s.abs_diff(t) as f64 / 3.0)),
        ]
    }

    /// The covariances of pairs of steps, over 20,000 paths, within 5 standard errors: a false alarm in 1.7 million for
    /// each of 4 × 28 pairs. Var(XY) = Var X Var Y + Cov² for normal X and Y of mean 0.
    #[test]
    fn the_law_is_that_of_a_path_that_was_walked() {
        const STEPS: [u64; 7] = [1, 2, 3, 5, 6, 7, 19];
        let n = 20_000;
        for (number, (path, covariance)) in paths().into_iter().enumerate() {
            let mut sums = [[0.0; 7]; 7];
            for index in 0..n {
                let mut cursor = path.along(stream(index));
                let at = STEPS.map(|step| cursor.value(step));
                for (i, j) in (0..7).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                    sums[i][j] += at[i] * at[j];
                }
            }
            for (i, j) in (0..7).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                let (s, t) = (STEPS[i], STEPS[j]);
                let expected = covariance(s, t);
                let error = ((covariance(s, s) * covariance(t, t) + expected * expected) / n as f64).sqrt();
                let found = sums[i][j] / n as f64;
                assert!((found - expected).abs() < 5.0 * error, "path {number}, steps {s} and {t}: {found}");
            }
        }
    }

    /// Steps of one long walk are standard normal (Kolmogorov-Smirnov) and uncorrelated; 1e-6 and 6e-7 a lag.
    #[test]
    fn a_walk_has_independent_normal_steps() {
        let n = 100_000;
        let walk = values(&Path::walk(), 1, n + 1);
        let steps: Vec<f64> = walk.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for lag in [1, 2, 3, 4, 64] {
            let sum: f64 = steps.iter().zip(&steps[lag..]).map(|(a, b)| a * b).sum();
            assert!((sum / n as f64).abs() < 5.0 / (n as f64).sqrt(), "lag {lag}: {}", sum / n as f64);
        }
        assert!(ks_p_value(ks_statistic(steps, normal_cdf), n as f64) > 1e-6);
    }

    /// The coefficient by least squares and the variance of what remains, within 5 standard errors (6e-7 each); and what
    /// remains is normal (1e-6).
    #[test]
    fn an_autoregression_has_its_coefficient_and_innovations() {
        let n = 100_000;
        for coefficient in [0.8, -0.5, 0.0] {
            let series = values(&Path::autoregression(coefficient).unwrap(), 2, n + 1);
            let products: f64 = series.windows(2).map(|pair| pair[0] * pair[1]).sum();
            let squares: f64 = series[..n as usize].iter().map(|x| x * x).sum();
            let found = products / squares;
            let rest = 1.0 - coefficient * coefficient;
            assert!((found - coefficient).abs() < 5.0 * (rest / n as f64).sqrt(), "{coefficient}: {found}");
            let scale = rest.sqrt();
            let innovations: Vec<f64> =
                series.windows(2).map(|pair| (pair[1] - coefficient * pair[0]) / scale).collect();
            let variance = innovations.iter().map(|x| x * x).sum::<f64>() / n as f64;
            assert!((variance - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(), "{coefficient}: {variance}");
            assert!(ks_p_value(ks_statistic(innovations, normal_cdf), n as f64) > 1e-6, "{coefficient}");
        }
    }

    #[test]
    fn a_step_is_the_same_however_it_is_reached() {
        for (path, _) in paths() {
            let whole = values(&path, 3, 3000);
            let mut cursor = path.along(stream(3));
            for step in (0..500).map(|i| i * 7919 % 3000) {
                assert_eq!(cursor.value(step), whole[step as usize]);
                assert_eq!(path.along(stream(3)).value(step), whole[step as usize]);
            }
            for step in (0..100).rev() {
                assert_eq!(cursor.value(step), whole[step as usize]);
            }
        }
    }

    #[test]
    fn far_steps_are_within_reach() {
        for (path, _) in paths() {
            let mut cursor = path.along(stream(4));
            for step in [MAX_STEPS - 1, 1 << 62, (1 << 40) + 12345, 0] {
                assert!(cursor.value(step).is_finite());
            }
        }
    }

    #[test]
    fn coefficients_near_one_keep_their_precision() {
        // 1 - φ² for a half-life of 10¹² steps is 2 ln 2 · 10⁻¹², of which 1 - φ·φ in doubles would keep four digits.
        let path = Path::with_half_life(1e12).unwrap();
        let variance = path.lags[0].forward.1 * path.lags[0].forward.1;
        assert!((variance / (2e-12 * LN_2) - 1.0).abs() < 1e-11, "{variance}");
        for bad in [1.0, -1.0, 1.5, f64::NAN] {
            assert!(Path::autoregression(bad).is_err(), "{bad}");
        }
        for bad in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert!(Path::with_half_life(bad).is_err(), "{bad}");
        }
    }

    /// Frozen output: a change here changes the data of every user. Expected values from a second implementation, in
    /// Python, written from the table above.
    #[test]
    fn known_answers() {
        let known = [
            (
                Path::walk(),
                [0.0, 0.5077692852198274, 0.18803303602559363, -12.281454209465933, -281.2653868705278],
            ),
            (
                Path::autoregression(0.5).unwrap(),
                [
                    1.224778969391525,
                    1.0521305849575993,
                    0.2491655781658414,
                    1.0985439354265867,
                    0.10495221825711021,
                ],
            ),
            (
                Path::autoregression(-0.5).unwrap(),
                [
                    1.224778969391525,
                    -0.17264838443392566,
                    -0.1905755220959954,
                    1.0985439354265867,
                    -1.0775719932392587,
                ],
            ),
        ];
        for (path, expected) in known {
            for (step, expected) in [0, 1, 2, 100, 1_000_003].into_iter().zip(expected) {
                let value = path.along(stream(5)).value(step);
                assert!((value - expected).abs() <= 1e-12 * expected.abs(), "step {step}: {value}");
            }
        }
    }
}
