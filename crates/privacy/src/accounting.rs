//! What privacy costs. Inside, losses are counted as zero-concentrated differential privacy (rho, and a delta of its own
//! for mechanisms that need one); at the border they are (epsilon, delta).
//!
//! M. Bun, T. Steinke, *Concentrated differential privacy*, TCC 2016; the conversion is that of C. Canonne, G. Kamath,
//! T. Steinke, *The discrete Gaussian for differential privacy*, NeurIPS 2020, proposition 12, as OpenDP computes it.

use opendp::combinators::{CompositionMeasure, ConcentratedMeasure};
use opendp::measures::{Approximate, PrivacyProfile, ZeroConcentratedDivergence};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The measure in which all steps are counted.
pub(crate) type Rho = Approximate<ZeroConcentratedDivergence>;

/// Delta may not be larger where no number of units is public.
const DELTA_UNBOUND: f64 = 1e-5;

/// What a step costs: `delta`-approximate `rho`-zCDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Zero-concentrated loss; at least 0.
    pub rho: f64,
    /// Probability with which `rho` may be passed; 0 but for thresholds on unknown keys.
    pub delta: f64,
}

impl Cost {
    /// A cost without a delta of its own.
    pub fn of(rho: f64) -> Cost {
        Cost { rho, delta: 0.0 }
    }

    /// The cost of all of `costs`, in order, rounded up as OpenDP's odometer does.
    ///
    /// # Errors
    /// When a cost is not a number.
    pub fn sum(costs: impl IntoIterator<Item = Cost>) -> Result<Cost> {
        let pairs = costs.into_iter().map(|cost| (cost.rho, cost.delta)).collect();
        let (rho, delta) = Rho::default().compose(pairs)?;
        Ok(Cost { rho, delta })
    }

    /// Whether `self` is within `other` in both parts.
    pub fn fits(self, other: Cost) -> bool {
        self.rho <= other.rho && self.delta <= other.delta
    }

    /// The least epsilon that holds together with `delta`, which has to exceed this cost's own.
    ///
    /// # Errors
    /// When `delta` leaves nothing for the conversion.
    pub fn epsilon(self, delta: f64) -> Result<f64> {
        if self.rho == 0.0 && self.delta <= delta {
            return Ok(0.0);
        }
        if delta <= self.delta {
            return Err(Error::request(
                format!("delta {delta:e} is not above the {:e} that thresholds spend", self.delta),
                "ask for the curve at a larger delta",
            ));
        }
        Ok(profile(self.rho)?.epsilon(rest(delta, self.delta))?)
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rho {:.6}", self.rho)?;
        if self.delta > 0.0 {
            write!(f, " and delta {:.2e}", self.delta)?;
        }
        Ok(())
    }
}

/// What is left of `delta` for the conversion, rounded down.
fn rest(delta: f64, thresholds: f64) -> f64 {
    if thresholds == 0.0 { delta } else { (delta - thresholds).next_down() }
}

/// The curve from epsilon to delta of `rho`-zCDP.
fn profile(rho: f64) -> Result<PrivacyProfile> {
    Ok(ZeroConcentratedDivergence::convert(rho)?)
}

/// How much may be lost: (epsilon, delta)-differential privacy, adding or removing one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Epsilon; above 0.
    pub epsilon: f64,
    /// Delta; above 0 and below 1.
    pub delta: f64,
    /// The part of `delta` that thresholds on unknown keys may spend; the rest is for the conversion from rho.
    pub threshold_delta: f64,
}

impl Budget {
    /// A budget of which nothing goes to thresholds.
    ///
    /// # Errors
    /// When epsilon is not above 0, or delta not between 0 and 1.
    pub fn new(epsilon: f64, delta: f64) -> Result<Budget> {
        if !(epsilon.is_finite() && epsilon > 0.0) {
            return Err(Error::request(
                format!("epsilon is {epsilon}"),
                "expected a number above 0: 1 is a common choice, 0.1 is strict, above 10 promises little",
            ));
        }
        if !(delta > 0.0 && delta < 1.0) {
            return Err(Error::request(
                format!("delta is {delta}"),
                "expected a number between 0 and 1, far below one over the number of units, such as 1e-6",
            ));
        }
        Ok(Budget { epsilon, delta, threshold_delta: 0.0 })
    }

    /// The same budget, of whose delta `threshold_delta` is set aside for thresholds on unknown keys.
    ///
    /// # Errors
    /// When it is below 0 or leaves nothing for the conversion.
    pub fn with_thresholds(self, threshold_delta: f64) -> Result<Budget> {
        if !(threshold_delta >= 0.0 && threshold_delta < self.delta) {
            return Err(Error::request(
                format!(
                    "{threshold_delta:e} of the delta {:e} is to be set aside for unknown keys",
                    self.delta
                ),
                "expected at least 0 and less than delta; half of it is a fair choice",
            ));
        }
        Ok(Budget { threshold_delta, ..self })
    }

    /// Holds delta against the number of units, which has to be far below its inverse: delta is the probability of a failure
    /// that may be total, such as a unit's rows published as they are.
    ///
    /// The true number is private, so a refusal must not depend on it: whoever is told "delta is too large" would know that
    /// there are at least so many units. What is compared is a bound that everybody knows, or else one that suits most tables.
    ///
    /// # Errors
    /// When delta is one over `units_at_most` or above; where that is not known, when it is above 1e-5.
    pub fn held_against(self, units_at_most: Option<u64>) -> Result<()> {
        match units_at_most {
            Some(units) if self.delta * units as f64 >= 1.0 => Err(Error::request(
                format!(
                    "delta {:e} is not below one over the number of units, which is at most {units}",
                    self.delta
                ),
                "with such a delta one unit's rows could be published as they are; 1e-6 suits most tables. The number of \
                 units is taken from `at_most`, never counted",
            )),
            None if self.delta > DELTA_UNBOUND => Err(Error::request(
                format!(
                    "delta {:e} is above {DELTA_UNBOUND:e}, and nothing public says how many units there are",
                    self.delta
                ),
                "take a smaller delta; or say a number that everybody knows: `at_most` under `unit`, or --at-most where flags \
                 stand for rules. The rows are not counted for this",
            )),
            _ => Ok(()),
        }
    }

    /// The most that may be spent: the largest rho whose conversion stays within epsilon and delta, rounded down.
    ///
    /// # Errors
    /// When epsilon is too small for any.
    pub fn cost(self) -> Result<Cost> {
        let delta = rest(self.delta, self.threshold_delta);
        let fits = |rho: f64| -> Result<bool> { Ok(profile(rho)?.delta(self.epsilon)? <= delta) };
        let (mut low, mut high) = (0.0, 1.0);
        while fits(high)? {
            low = high;
            high *= 2.0;
            if high > 1e9 {
                break;
            }
        }
        loop {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if fits(middle)? { low = middle } else { high = middle }
        }
        // The conversion searches, too; what counts is that the way back ends within epsilon.
        while low > 0.0 && profile(low)?.epsilon(delta)? > self.epsilon {
            low *= 1.0 - 16.0 * f64::EPSILON;
        }
        if low <= 0.0 {
            return Err(Error::request(
                format!("epsilon {} is too small to say anything", self.epsilon),
                "expected at least about 0.001",
            ));
        }
        Ok(Cost { rho: low, delta: self.threshold_delta })
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "epsilon {} at delta {:e}", self.epsilon, self.delta)
    }
}

/// By which factor, at most, epsilon lets a belief about one unit move.
pub fn belief_factor(epsilon: f64) -> f64 {
    libm::exp(epsilon)
}

/// Splits `rho` in parts with these weights so that the parts, added up with rounding up, stay within it.
///
/// One part less than the whole gets, the other way round, all but the last few bits of it.
pub fn share_out(rho: f64, weights: &[f64]) -> Vec<f64> {
    // A sum of n terms, each rounded up, exceeds the exact one by less than n units in its last place.
    let whole = rho * (1.0 - (weights.len() as f64 + 2.0) * f64::EPSILON);
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| (whole * (weight / total)).next_down().max(0.0)).collect()
}

/// The standard deviation at which a Gaussian on a vector with this L2 sensitivity costs at most `rho`:
/// sigma = sensitivity / sqrt(2 rho), nudged up until OpenDP's privacy map agrees.
///
/// # Errors
/// When `rho` or the sensitivity is not above 0.
pub fn gaussian_sigma(rho: f64, l2_sensitivity: f64) -> Result<f64> {
    if !(rho > 0.0 && l2_sensitivity > 0.0 && rho.is_finite() && l2_sensitivity.is_finite()) {
        return Err(Error::Internal(format!("no sigma for rho {rho} and sensitivity {l2_sensitivity}")));
    }
    let mut sigma = l2_sensitivity / (2.0 * rho).sqrt();
    while crate::mechanisms::gaussian::cost(sigma, l2_sensitivity)?.rho > rho {
        sigma = sigma.next_up();
    }
    Ok(sigma)
}

/// Epsilon at `delta` where every step was Gaussian, for information: such a run is mu-Gaussian-DP with mu = sqrt(2 rho), and
/// delta(epsilon) = Phi(mu/2 - epsilon/mu) - exp(epsilon) Phi(-mu/2 - epsilon/mu).
///
/// J. Dong, A. Roth, W. Su, *Gaussian differential privacy*, JRSS B 2022, corollary 2.13. Computed in plain floating
/// point, so no budget is decided by it.
pub fn gaussian_dp_epsilon(rho: f64, delta: f64) -> f64 {
    if rho <= 0.0 {
        return 0.0;
    }
    let mu = (2.0 * rho).sqrt();
    let phi = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    let delta_of =
        |epsilon: f64| phi(mu / 2.0 - epsilon / mu) - libm::exp(epsilon) * phi(-mu / 2.0 - epsilon / mu);
    let (mut low, mut high) = (0.0, 1.0);
    while delta_of(high) > delta && high < 700.0 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if delta_of(middle) > delta { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mechanisms::choice;

    #[track_caller]
    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
    }

    // The known answers were worked out from the formulas with 40 digits, by other means than those here.

    #[test]
    fn rho_becomes_the_known_epsilon() {
        for (rho, delta, epsilon) in [
            (0.01, 1e-6, 0.621_692_654_559_602_5),
            (0.1, 1e-6, 2.141_938_928_385_474),
            (0.5, 1e-6, 5.221_534_444_530_169),
            (1.0, 1e-5, 7.077_196_695_806_34),
            (0.1, 1e-9, 2.715_481_886_730_502),
        ] {
            close(Cost::of(rho).epsilon(delta).unwrap(), epsilon, 1e-9);
        }
    }

    #[test]
    fn epsilon_becomes_the_known_rho() {
        for (epsilon, delta, rho) in [
            (0.1, 1e-9, 0.000_177_138_447_185_020_9),
            (1.0, 1e-9, 0.014_973_057_673_588_53),
            (10.0, 1e-9, 1.090_785_704_397_016),
            (1.0, 1e-6, 0.024_355_970_359_538_37),
            (1.0, 1e-5, 0.030_556_595_197_639_57),
            (3.0, 1e-5, 0.224_249_168_246_345_3),
            (8.0, 1e-5, 1.229_714_525_761_431),
        ] {
            let found = Budget::new(epsilon, delta).unwrap().cost().unwrap().rho;
            close(found / rho, 1.0, 1e-9);
        }
    }

    #[test]
    fn all_gaussian_runs_have_the_known_epsilon() {
        for (rho, delta, epsilon) in [
            (0.01, 1e-6, 0.575_055_185_779_997_3),
            (0.1, 1e-6, 1.994_526_900_696_338),
            (0.5, 1e-6, 4.886_554_117_462_212),
            (1.0, 1e-5, 6.572_970_067_030_332),
            (0.1, 1e-9, 2.582_872_834_784_193),
        ] {
            close(gaussian_dp_epsilon(rho, delta), epsilon, 1e-9);
        }
    }

    #[test]
    fn steps_of_mst_and_aim_have_the_known_sizes() {
        let rho = Budget::new(1.0, 1e-9).unwrap().cost().unwrap().rho;
        let close = |found: f64, known: f64| close(found / known, 1.0, 1e-9);
        close(gaussian_sigma(rho / 3.0 / 14.0, 1.0).unwrap(), 37.450_222_187_609_2);
        close(gaussian_sigma(rho / 3.0 / 13.0, 1.0).unwrap(), 36.087_937_086_983_25);
        close(choice::epsilon(rho / 3.0 / 13.0).unwrap(), 0.055_420_180_853_767_64);
        close(gaussian_sigma(0.9 * rho / 224.0, 1.0).unwrap(), 91.165_917_669_929_01);
        close(choice::epsilon(0.1 * rho / 224.0).unwrap(), 0.007_312_674_338_236_448);
    }

    #[test]
    fn a_threshold_takes_its_delta_from_the_conversion() {
        let plain = Budget::new(1.0, 1e-6).unwrap();
        let split = plain.with_thresholds(5e-7).unwrap().cost().unwrap();
        let half = Budget::new(1.0, 5e-7).unwrap().cost().unwrap();
        close(split.rho, half.rho, 1e-12);
        assert_eq!(split.delta, 5e-7);
        assert!(split.epsilon(1e-6).unwrap() <= 1.0);
        assert!(plain.with_thresholds(1e-6).is_err());
    }

    #[test]
    fn budgets_that_promise_nothing_are_refused() {
        for (epsilon, delta) in
            [(0.0, 1e-6), (-1.0, 1e-6), (f64::NAN, 1e-6), (f64::INFINITY, 1e-6), (1.0, 0.0), (1.0, 1.0)]
        {
            assert!(Budget::new(epsilon, delta).is_err(), "{epsilon} {delta}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn shares_add_up_to_no_more_than_the_whole(
            rho in 1e-12f64..100.0,
            weights in prop::collection::vec(1e-3f64..1e3, 1..600),
        ) {
            let parts = share_out(rho, &weights);
            let sum = Cost::sum(parts.into_iter().map(Cost::of)).unwrap().rho;
            prop_assert!(sum <= rho);
            prop_assert!(sum >= rho * (1.0 - 1e-12));
        }

        #[test]
        fn a_budget_is_never_passed(epsilon in 0.01f64..20.0, exponent in 3i32..12) {
            let delta = 10f64.powi(-exponent);
            let cost = Budget::new(epsilon, delta).unwrap().cost().unwrap();
            prop_assert!(cost.epsilon(delta).unwrap() <= epsilon);
            prop_assert!(Cost::of(cost.rho * (1.0 + 1e-9)).epsilon(delta).unwrap() > epsilon);
        }

        #[test]
        fn a_sigma_keeps_to_its_rho(rho in 1e-9f64..10.0, sensitivity in 1u32..1000) {
            let sensitivity = f64::from(sensitivity);
            let sigma = gaussian_sigma(rho, sensitivity).unwrap();
            prop_assert!(crate::mechanisms::gaussian::cost(sigma, sensitivity).unwrap().rho <= rho);
            prop_assert!(sigma <= sensitivity / (2.0 * rho).sqrt() * (1.0 + 1e-12));
        }
    }
}
