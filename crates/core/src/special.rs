//! Special functions, over `libm` alone so that they are the same on every platform.
//!
//! The incomplete gamma and beta functions use, in the usual way, a series or a continued fraction (W. J. Lentz's method
//! in the form of I. J. Thompson and A. R. Barnett, 1986) for small and medium parameters. For large parameters, where
//! those would take a number of terms that grows like their square root, the density is integrated numerically from the
//! point outwards to the nearer tail, by one Gauss-Legendre rule whose length follows from the density's own decay. The
//! factor in front is computed in the form of C. Loader ("Fast and accurate computation of binomial probabilities",
//! 2000), which cancels nothing. Together: errors of about 1e-12 or better, relative to whichever of the two tails is the
//! smaller, for parameters from 1e-3 to 1e8 and beyond. (For parameters below 0.1 the errors are 1e-15 absolute.)

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};
use std::sync::LazyLock;

/// Above this the tails are integrated numerically.
const LARGE: f64 = 1000.0;

/// ln Γ(x), for x > 0.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The distribution function of the standard normal law.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The quantile function of the standard normal law, for p in the open interval (0, 1), to about 1e-16 relative.
///
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988),
/// routine PPND16.
#[expect(clippy::excessive_precision, reason = "the digits as published")]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(
            &[
                3.387_132_872_796_366_608_0,
                1.331_416_678_917_843_774_5e2,
                1.971_590_950_306_551_442_7e3,
                1.373_169_376_550_946_112_5e4,
                4.592_195_393_154_987_145_7e4,
                6.726_577_092_700_870_085_3e4,
                3.343_057_558_358_812_810_5e4,
                2.509_080_928_730_122_672_7e3,
            ],
            r,
        ) / polynomial(
            &[
                1.0,
                4.231_333_070_160_091_125_2e1,
                6.871_870_074_920_579_083_0e2,
                5.394_196_021_424_751_107_7e3,
                2.121_379_430_158_659_586_7e4,
                3.930_789_580_009_271_061_0e4,
                2.872_908_573_572_194_267_4e4,
                5.226_495_278_852_854_561_0e3,
            ],
            r,
        );
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let z = if r <= 5.0 {
        let r = r - 1.6;
        polynomial(
            &[
                1.423_437_110_749_683_577_34,
                4.630_337_846_156_545_295_90,
                5.769_497_221_460_691_405_50,
                3.647_848_324_763_204_605_04,
                1.270_458_252_452_368_382_58,
                2.417_807_251_774_506_117_70e-1,
                2.272_384_498_926_918_458_33e-2,
                7.745_450_142_783_414_076_40e-4,
            ],
            r,
        ) / polynomial(
            &[
                1.0,
                2.053_191_626_637_758_821_87,
                1.676_384_830_183_803_849_40,
                6.897_673_349_851_000_045_50e-1,
                1.481_039_764_274_800_745_90e-1,
                1.519_866_656_361_645_719_66e-2,
                5.475_938_084_995_344_946_00e-4,
                1.050_750_071_644_416_843_24e-9,
            ],
            r,
        )
    } else {
        let r = r - 5.0;
        polynomial(
            &[
                6.657_904_643_501_103_777_20,
                5.463_784_911_164_114_369_90,
                1.784_826_539_917_291_335_80,
                2.965_605_718_285_048_912_30e-1,
                2.653_218_952_657_612_309_30e-2,
                1.242_660_947_388_078_438_60e-3,
                2.711_555_568_743_487_578_15e-5,
                2.010_334_399_292_288_132_65e-7,
            ],
            r,
        ) / polynomial(
            &[
                1.0,
                5.998_322_065_558_879_376_90e-1,
                1.369_298_809_227_358_053_10e-1,
                1.487_536_129_085_061_485_25e-2,
                7.868_691_311_456_132_591_00e-4,
                1.846_318_317_510_054_681_80e-5,
                1.421_511_758_316_445_888_70e-7,
                2.044_263_103_389_939_785_64e-15,
            ],
            r,
        )
    };
    if q < 0.0 { -z } else { z }
}

/// Σ coefficients\[i\] xⁱ.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The regularised lower incomplete gamma function P(a, x) = γ(a, x) / Γ(a): the distribution function of the gamma
/// law with shape a > 0 and scale 1. 0 for x ≤ 0.
pub fn gamma_p(a: f64, x: f64) -> f64 {
    gamma_tails(a, x).0
}

/// The regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x). 1 for x ≤ 0.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    gamma_tails(a, x).1
}

/// P(a, x) and Q(a, x).
fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        (0.0, 1.0)
    } else if x == f64::INFINITY {
        (1.0, 0.0)
    } else {
        gamma_tails_at(a, x, gamma_front(a, x))
    }
}

/// The tails, given the factor in front, for positive and finite x.
fn gamma_tails_at(a: f64, x: f64, front: f64) -> (f64, f64) {
    if a > LARGE {
        // Density at distance t from x, as a share of that at x: exp((a - 1) (ln(1 ± t/x) ∓ t/x) - t rate).
        let rate = (a - 1.0 - x) / x;
        let (side, rate) = if x < a { (-1.0, rate) } else { (1.0, -rate) };
        let tail = integrate(decay_length(rate, (a - 1.0) / (x * x)), |t| {
            (a - 1.0) * ln_1p_minus(side * t / x) - t * rate
        });
        let tail = front / x * tail;
        return if x < a { (tail, 1.0 - tail) } else { (1.0 - tail, tail) };
    }
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0, 1.0, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let p = (front / a * sum).min(1.0);
        (p, 1.0 - p)
    } else {
        let mut b = x + 1.0 - a;
        let mut c = f64::MAX;
        let mut d = 1.0 / b;
        let mut fraction = d;
        for i in 1..100_000 {
            let i = f64::from(i);
            let numerator = i * (a - i);
            b += 2.0;
            d = 1.0 / nonzero(numerator * d + b);
            c = nonzero(b + numerator / c);
            fraction *= c * d;
            if (c * d - 1.0).abs() < 2e-16 {
                break;
            }
        }
        let q = (front * fraction).min(1.0);
        (1.0 - q, q)
    }
}

/// xᵃ e⁻ˣ / Γ(a): the gamma law's density times x.
fn gamma_front(a: f64, x: f64) -> f64 {
    (a / TAU).sqrt() * libm::exp(-deviance(a, x) - stirling_error(a))
}

/// The x at which P(a, x) = p, for p in the open interval (0, 1).
///
/// For p below ½ it is found from P, above from Q, so the nearer tail counts. If a is tiny, x may be too small for a
/// double and is then 0.
pub fn gamma_p_inverse(a: f64, p: f64) -> f64 {
    let z = normal_quantile(p);
    // Wilson and Hilferty's approximation, or the first term of the series where that is better.
    let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let hilferty = a * root * root * root;
    let series = || libm::exp((libm::log(p) + ln_gamma(a + 1.0)) / a);
    let guess = if a >= 0.5 && root > 0.3 {
        hilferty
    } else if a < 1.0 {
        // Below and above 1 (W. H. Press et al., "Numerical Recipes", 3rd edition, section 6.2.1).
        let t = 1.0 - a * (0.253 + a * 0.12);
        if p < t { series() } else { 1.0 - libm::log((1.0 - p) / (1.0 - t)) }
    } else {
        series()
    };
    invert((p, 1.0 - p), guess, f64::INFINITY, |x| {
        let front = gamma_front(a, x);
        let (lower, upper) = gamma_tails_at(a, x, front);
        Local { lower, upper, front, slope: a - x }
    })
}

/// The regularised incomplete beta function I(x; a, b): the distribution function of the beta law, for a, b > 0.
/// 0 for x ≤ 0 and 1 for x ≥ 1.
pub fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        beta_tails_at(a, b, x, 1.0 - x, beta_front(a, b, x, 1.0 - x)).0
    }
}

/// I(x; a, b) and 1 − I(x; a, b), given y = 1 − x and the factor in front, for x inside (0, 1).
fn beta_tails_at(a: f64, b: f64, x: f64, y: f64, front: f64) -> (f64, f64) {
    if a > LARGE && b > LARGE {
        let lower = x * b < y * a;
        let rate = (a - 1.0) / x - (b - 1.0) / y;
        let (side, rate) = if lower { (-1.0, rate) } else { (1.0, -rate) };
        let curvature = (a - 1.0) / (x * x) + (b - 1.0) / (y * y);
        let tail = integrate(decay_length(rate, curvature), |t| {
            (a - 1.0) * ln_1p_minus(side * t / x) + (b - 1.0) * ln_1p_minus(-side * t / y) - t * rate
        });
        let tail = front / (x * y) * tail;
        return if lower { (tail, 1.0 - tail) } else { (1.0 - tail, tail) };
    }
    if x <= (a + 1.0) / (a + b + 2.0) {
        let lower = (front * beta_fraction(a, b, x, y)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front * beta_fraction(b, a, y, x)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// The continued fraction K with I(x; a, b) = K xᵃ yᵇ / B(a, b), in the contracted form of A. R. DiDonato and A. H.
/// Morris ("Algorithm 708", 1992): unlike the usual form it cancels nothing if one parameter is much the larger.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lambda = a * y - b * x;
    let mut denominator = nonzero(a / (a + 1.0) * (lambda + 1.0));
    let mut fraction = 1.0 / denominator;
    let (mut c, mut d) = (f64::MAX, 1.0 / denominator);
    for n in 1..1_000_000 {
        let n = f64::from(n);
        let odd = a + 2.0 * n - 1.0;
        let w = n * (b - n) * x;
        let numerator = (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * w * x;
        denominator = n + w / odd + (a + n) / (odd + 2.0) * (lambda + 1.0 + n * (1.0 + y));
        d = 1.0 / nonzero(denominator + numerator * d);
        c = nonzero(denominator + numerator / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 2e-16 {
            break;
        }
    }
    fraction
}

/// xᵃ yᵇ / B(a, b), where y = 1 − x: the beta law's density times x y.
fn beta_front(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let errors = stirling_error(n) - stirling_error(a) - stirling_error(b);
    (a / n * b / TAU).sqrt() * libm::exp(errors - deviance(a, n * x) - deviance(b, n * y))
}

/// The x at which I(x; a, b) = p, for p in the open interval (0, 1).
///
/// Where the law crowds towards 1 (b well below 1), x has only the resolution of the doubles there.
pub fn beta_i_inverse(a: f64, b: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    // Whichever of x and 1 - x is the smaller is looked for, as it may be tiny and is then precise.
    if a >= 1.0 && b >= 1.0 {
        // Normal approximation of the logit (M. Abramowitz and I. A. Stegun, 26.5.22).
        let z = -normal_quantile(p);
        let (al, bl) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
        let h = 2.0 / (al + bl);
        let lambda = (z * z - 3.0) / 6.0;
        let w = z * (h + lambda).max(0.0).sqrt() / h - (bl - al) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
        let (x, y) = (a * libm::exp(-w), b * libm::exp(w));
        if x <= y {
            beta_inverse_from(a, b, (p, q), x / (x + y))
        } else {
            1.0 - beta_inverse_from(b, a, (q, p), y / (x + y))
        }
    } else {
        // The first term of the series at the nearer end: p ≈ xᵃ / (a B(a, b)).
        let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        let first_term = |p: f64, a: f64| libm::exp((libm::log(p * a) + ln_beta) / a);
        if p <= beta_i(a, b, 0.5) {
            beta_inverse_from(a, b, (p, q), first_term(p, a))
        } else {
            1.0 - beta_inverse_from(b, a, (q, p), first_term(q, b))
        }
    }
}

/// The x with I(x; a, b) = p and 1 − I(x; a, b) = q.
fn beta_inverse_from(a: f64, b: f64, tails: (f64, f64), guess: f64) -> f64 {
    invert(tails, guess, 1.0, |x| {
        let y = 1.0 - x;
        let front = beta_front(a, b, x, y);
        let (lower, upper) = beta_tails_at(a, b, x, y, front);
        // In terms of ln x: density times x is front / y, and its logarithm has slope a - (b - 1) x / y.
        Local { lower, upper, front: front / y, slope: a - (b - 1.0) * x / y }
    })
}

/// A distribution on the positive numbers, seen from a point x, in terms of v = ln x.
struct Local {
    lower: f64,
    upper: f64,
    /// Density of v.
    front: f64,
    /// Derivative by v of the logarithm of that density.
    slope: f64,
}

/// The x in (0, end) whose lower and upper tails are p and q: Halley's method on the logarithm of the smaller tail as a function of ln x,
/// kept inside a bracket. Both logarithms are concave for all gamma laws and nearly straight in the tails, so a few steps do.
fn invert((p, q): (f64, f64), guess: f64, end: f64, at: impl Fn(f64) -> Local) -> f64 {
    let from_below = p <= 0.5;
    let goal = libm::log(if from_below { p } else { q });
    let (mut low, mut high) = (0.0, end);
    let mut x = guess;
    for _ in 0..200 {
        if !(x > low && x < high) {
            x = match (low > 0.0, high < f64::INFINITY) {
                // Halve ever more orders of magnitude while there is nothing below.
                (false, true) => high / 1024.0,
                (false, false) => 1.0,
                (true, false) => low * 2.0,
                (true, true) if high / low > 4.0 => low.sqrt() * high.sqrt(),
                (true, true) => low + (high - low) / 2.0,
            };
            if x <= low || x >= high {
                return x; // Neighbouring doubles, or the least positive one.
            }
        }
        let local = at(x);
        let tail = if from_below { local.lower } else { local.upper };
        let error = libm::log(tail) - goal;
        if error == 0.0 {
            return x;
        }
        // The lower tail rises, the upper one falls.
        if (error < 0.0) == from_below {
            low = x
        } else {
            high = x
        }
        let hazard = local.front / tail;
        let (first, second) =
            if from_below { (hazard, local.slope - hazard) } else { (-hazard, local.slope + hazard) };
        let newton = -error / first;
        let halley = newton / (1.0 + (0.5 * newton * second).max(-0.5));
        if !halley.is_finite() {
            x = f64::NAN; // No slope to follow here: bisect.
            continue;
        }
        // Third order: from an error this small, in units of the tail itself, the next one would be lost in rounding.
        let next = x * libm::exp(halley);
        if error.abs() < 1e-5 {
            return next.min(end);
        }
        x = next;
    }
    x
}

/// ln(1 + e) − e, without cancellation, for |e| up to about ½.
fn ln_1p_minus(e: f64) -> f64 {
    // With r = e / (2 + e): ln(1 + e) = 2 (r + r³/3 + r⁵/5 + …), and 2r - e = -e r.
    const ODD: [f64; 14] = {
        let mut inverses = [0.0; 14];
        let mut k = 0;
        while k < 14 {
            inverses[k] = 1.0 / (2 * k + 3) as f64;
            k += 1;
        }
        inverses
    };
    let r = e / (2.0 + e);
    r * (2.0 * r * r * polynomial(&ODD, r * r) - e)
}

/// Loader's deviance a ln(a / m) + m − a, at least 0, without cancellation where m is near a.
fn deviance(a: f64, m: f64) -> f64 {
    let e = (m - a) / a;
    if e.abs() < 0.4 {
        -a * ln_1p_minus(e)
    } else if m > 1e-290 {
        a * libm::log(a / m) + m - a
    } else {
        a * (libm::log(a) - libm::log(m)) + m - a
    }
}

/// ln Γ(z) − [(z − ½) ln z − z + ½ ln 2π]: the error of Stirling's formula.
fn stirling_error(z: f64) -> f64 {
    if z < 10.0 {
        const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
        return ln_gamma(z) - ((z - 0.5) * libm::log(z) - z + HALF_LN_TAU);
    }
    // The asymptotic series B₂ₖ / (2k (2k - 1) z²ᵏ⁻¹).
    const SERIES: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
        -3617.0 / 122_400.0,
    ];
    polynomial(&SERIES, 1.0 / (z * z)) / z
}

/// The distance at which exp(−rate t − curvature t² / 2) has fallen to e⁻⁵⁰.
fn decay_length(rate: f64, curvature: f64) -> f64 {
    // The positive root, in the form that does not cancel.
    100.0 / (rate + (rate * rate + 100.0 * curvature).sqrt())
}

/// ∫₀ˡ exp(f(t)) dt.
fn integrate(length: f64, f: impl Fn(f64) -> f64) -> f64 {
    let half = length / 2.0;
    half * LEGENDRE.iter().map(|&(node, weight)| weight * libm::exp(f(half * (1.0 + node)))).sum::<f64>()
}

const NODES: usize = 48;

/// Nodes and weights of the Gauss-Legendre rule on [−1, 1], by Newton's method on the Legendre polynomial.
static LEGENDRE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let n = NODES as f64;
        let mut x = libm::cos(PI * (i as f64 + 0.75) / (n + 0.5));
        let mut slope = 1.0;
        for _ in 0..10 {
            let (mut last, mut here) = (1.0, x);
            for k in 2..=NODES {
                let k = k as f64;
                (last, here) = (here, ((2.0 * k - 1.0) * x * here - (k - 1.0) * last) / k);
            }
            slope = n * (x * here - last) / (x * x - 1.0);
            x -= here / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
});

/// Lentz's method divides by what may happen to be zero.
fn nonzero(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: f64, expected: f64, tolerance: f64, what: &str) {
        let error = (got - expected).abs();
        assert!(
            error <= tolerance * expected.abs() || error < 2e-15 && expected > 1e-4,
            "{what}: {got:e} instead of {expected:e}"
        );
    }

    /// (a, x, P, Q), from mpmath at 60 digits: `gammainc(a, 0, x, regularized=True)` and `gammainc(a, x, inf, …)`; for
    /// a above 5000 `quad` of the density over the tail.
    const GAMMA: &[(f64, f64, f64, f64)] = &[
        (0.001, 1e-10, 0.9778006565986258, 0.022199343401374194),
        (0.001, 0.5, 0.9994399333435292, 0.0005600666564707498),
        (0.001, 3.0, 0.9999869268601987, 1.3073139801213742e-05),
        (0.1, 0.01, 0.6626212599544798, 0.3373787400455202),
        (0.5, 0.5, 0.6826894921370859, 0.3173105078629141),
        (0.5, 20.0, 0.9999999997460371, 2.539628589470865e-10),
        (1.0, 1.0, 0.6321205588285577, 0.36787944117144233),
        (2.5, 0.001, 9.50853459860795e-09, 0.9999999904914654),
        (2.5, 2.0, 0.4505840486472198, 0.5494159513527802),
        (2.5, 30.0, 0.9999999999878454, 1.215456977718304e-11),
        (10.0, 10.5, 0.6028674006491893, 0.39713259935081063),
        (100.0, 80.0, 0.017108313035133115, 0.9828916869648668),
        (100.0, 130.0, 0.9972495916326934, 0.002750408367306526),
        (999.0, 1010.0, 0.6395634597730299, 0.36043654022697014),
        (1001.0, 900.0, 0.0004906327328575939, 0.9995093672671425),
        (1001.0, 1000.5, 0.49789767577698246, 0.5021023242230176),
        (1001.0, 1200.0, 0.9999999984468531, 1.553146982114222e-09),
        (100000.0, 99000.0, 0.0007574199211747679, 0.9992425800788253),
        (100000.0, 101500.0, 0.9999988263154863, 1.173684513722169e-06),
        (100000000.0, 99990000.0, 0.15865525352814383, 0.8413447464718562),
        (100000000.0, 100070000.0, 0.9999999999987055, 1.2945041037734816e-12),
    ];

    /// (a, b, x, I), from mpmath at 60 digits: `betainc(a, b, 0, x, regularized=True)`; for parameters above 2000 `quad`
    /// of the density over the tail.
    const BETA: &[(f64, f64, f64, f64)] = &[
        (0.001, 0.001, 0.3, 0.49957696213967645),
        (0.001, 2.0, 1e-05, 0.9895416378660649),
        (0.5, 0.5, 0.1, 0.20483276469913345),
        (0.5, 0.5, 0.999, 0.9798649583666225),
        (2.0, 3.0, 0.4, 0.5248),
        (2.0, 3.0, 1e-06, 5.999992000003e-12),
        (5.0, 1.0, 0.99, 0.9509900498999999),
        (30.0, 70.0, 0.25, 0.13581490428342743),
        (30.0, 70.0, 0.5, 0.9999769687851782),
        (500.0, 600.0, 0.43, 0.050642175907118676),
        (1500.0, 1200.0, 0.5, 3.7269351855004065e-09),
        (1500.0, 1200.0, 0.57, 0.9347960220983436),
        (100000.0, 300000.0, 0.2475, 0.00012657631546937799),
        (100000.0, 300000.0, 0.2525, 0.9998658025207672),
        (100000000.0, 100000000.0, 0.49995, 0.07864960326572323),
        (100000000.0, 2.0, 0.9999999, 0.0004993989800774163),
        (2.0, 100000000.0, 3e-08, 0.8008517354902165),
        (900.0, 1000000.0, 0.0009, 0.5151958783542748),
        (1000000.0, 50.0, 0.99996, 0.9296255265939377),
    ];

    #[test]
    fn normal() {
        // mpmath.ncdf(x)
        for (x, expected) in [
            (-37.0, 5.725571222524577e-300),
            (-8.0, 6.220960574271784e-16),
            (-1.0, 0.15865525393145705),
            (-0.1, 0.460172162722971),
            (0.0, 0.5),
            (0.7, 0.758036347776927),
            (2.0, 0.9772498680518208),
            (5.0, 0.9999997133484281),
        ] {
            assert_close(
                normal_cdf(x),
                expected,
                if x < -30.0 { 2e-13 } else { 1e-14 },
                &format!("cdf({x})"),
            );
        }
        // mpmath.findroot(lambda z: ncdf(z) - p, …), where the upper half is found from 1 - p.
        for (p, expected) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798407),
            (1e-16, -8.222082216130435),
            (1e-06, -4.753424308822899),
            (0.001, -3.0902323061678136),
            (0.074, -1.4466320671589785),
            (0.075, -1.439531470938456),
            (0.3, -0.5244005127080408),
            (0.6, 0.2533471031357997),
            (0.925, 1.4395314709384561),
            (0.95, 1.6448536269514722),
            (0.999, 3.090232306167813),
        ] {
            assert_close(normal_quantile(p), expected, 1e-15, &format!("quantile({p})"));
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn incomplete_gamma() {
        for &(a, x, p, q) in GAMMA {
            assert_close(gamma_p(a, x), p, 1e-12, &format!("P({a}, {x})"));
            assert_close(gamma_q(a, x), q, 1e-12, &format!("Q({a}, {x})"));
        }
        assert_eq!((gamma_p(2.0, 0.0), gamma_q(2.0, -1.0)), (0.0, 1.0));
        assert_eq!((gamma_p(2.0, f64::INFINITY), gamma_p(3000.0, 1000.0)), (1.0, 0.0));
    }

    #[test]
    fn incomplete_beta() {
        for &(a, b, x, expected) in BETA {
            assert_close(beta_i(a, b, x), expected, 2e-12, &format!("I({x}; {a}, {b})"));
        }
        assert_eq!((beta_i(2.0, 3.0, 0.0), beta_i(2.0, 3.0, 1.0)), (0.0, 1.0));
    }

    #[test]
    fn series_and_integration_meet() {
        // The density is 1 / (40 to 100) there, so P moves by about 1e-5 between neighbouring parameters.
        for k in 80..120 {
            let x = f64::from(k) * 10.0;
            let (here, there) = (gamma_p(LARGE, x), gamma_p(LARGE.next_up(), x));
            assert!((here - there).abs() <= 1e-12 * here, "P(1000, {x}): {here:e} and {there:e}");
            let x = f64::from(k) / 200.0;
            let (here, there) = (beta_i(LARGE, LARGE, x), beta_i(LARGE.next_up(), LARGE.next_up(), x));
            assert!((here - there).abs() <= 1e-12 * here, "I({x}; 1000, 1000): {here:e} and {there:e}");
        }
    }

    const LEVELS: [f64; 15] = [
        1e-300,
        1e-100,
        1e-16,
        1e-9,
        1e-4,
        0.01,
        0.2,
        0.499,
        0.5,
        0.501,
        0.7,
        0.95,
        0.9999,
        1.0 - 1e-9,
        1.0 - 1.2e-16,
    ];

    /// The inverse gives back the level in the nearer tail, to 1e-10 or what neighbouring doubles differ by.
    #[test]
    fn gamma_inverse() {
        for a in [0.01, 0.1, 0.3, 0.9, 1.0, 1.5, 2.5, 10.0, 70.0, 500.0, 1001.0, 1e5, 1e8, 1e12] {
            let mut last = 0.0;
            for p in LEVELS {
                let x = gamma_p_inverse(a, p);
                assert!(x >= last, "a {a}, p {p:e}: {x:e} after {last:e}");
                last = x;
                if x < 1e-290 {
                    continue; // Too small to tell.
                }
                let (tail, level) =
                    if p <= 0.5 { (gamma_p as fn(f64, f64) -> f64, p) } else { (gamma_q as _, 1.0 - p) };
                let (got, spread) = (tail(a, x), f64::abs(tail(a, x.next_up()) - tail(a, x.next_down())));
                assert!((got - level).abs() <= 1e-10 * level + spread, "a {a}, p {p:e}: {got:e} at {x:e}");
            }
        }
        assert_eq!(gamma_p_inverse(1e-3, 0.1), 0.0); // About 1e-1000.
    }

    #[test]
    fn beta_inverse() {
        for (a, b) in [
            (0.01, 0.5),
            (0.5, 0.5),
            (0.5, 3.0),
            (3.0, 0.5),
            (1.0, 1.0),
            (2.0, 3.0),
            (1.0, 40.0),
            (30.0, 1.5),
            (300.0, 200.0),
            (0.7, 5000.0),
            (2000.0, 5000.0),
            (1e8, 1e6),
            (2.0, 1e8),
        ] {
            let mut last = 0.0;
            for p in LEVELS {
                let x = beta_i_inverse(a, b, p);
                assert!(x >= last && x <= 1.0, "({a}, {b}), p {p:e}: {x:e} after {last:e}");
                last = x;
                if x < 1e-290 || x == 1.0 {
                    continue;
                }
                let spread = beta_i(a, b, x.next_up()) - beta_i(a, b, x.next_down());
                let (got, level) =
                    if p <= 0.5 { (beta_i(a, b, x), p) } else { (1.0 - beta_i(a, b, x), 1.0 - p) };
                assert!(
                    (got - level).abs() <= 1e-10 * level + spread + 2.3e-16,
                    "({a}, {b}), p {p:e}: {got:e} at {x:e}"
                );
            }
        }
    }
}
