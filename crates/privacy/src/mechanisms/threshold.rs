//! Counts by keys that nobody knows beforehand: Gaussian noise, and only what passes a threshold is told.
//!
//! **Protects** which keys there are, and their counts.
//! **Neighbours**: a unit more or less. **Sensitivity**: a unit is in at most m keys with at most r rows each, k in all.
//! **Cost**: rho = (L2 / sigma)² / 2, with L2 as for known keys; and delta, the probability that a key which only that unit
//! has passes the threshold T: at most 1 - (1 - P(N >= T - r))^m.
//! **Source**: A. Korolova, K. Kenthapadi, N. Mishra, A. Ntoulas, *Releasing search queries and clicks privately*, WWW 2009;
//! with Gaussian noise, A. Rogers, *A unifying privacy analysis framework for unknown domain algorithms*, 2023. OpenDP's
//! `make_gaussian_threshold`.

use std::collections::HashMap;

use opendp::core::Measurement;
use opendp::domains::{AtomDomain, MapDomain};
use opendp::measurements::make_gaussian_threshold;
use opendp::metrics::{AbsoluteDistance, L0PInfDistance, L02InfDistance};

use super::Noise;
use crate::accounting::Rho;
use crate::session::Asked;
use crate::{Cost, Error, Result, Session, Unit};

pub(crate) type Keyed = MapDomain<AtomDomain<String>, AtomDomain<i64>>;
pub(crate) type Reach = L02InfDistance<AbsoluteDistance<f64>>;

pub(crate) fn measurement(
    sigma: f64,
    threshold: i64,
) -> Result<Measurement<Keyed, Reach, Rho, HashMap<String, i64>>> {
    if !(sigma.is_finite() && sigma > 0.0 && threshold > 0) {
        return Err(Error::Internal(format!("a threshold {threshold} with sigma {sigma}")));
    }
    let domain = MapDomain::new(AtomDomain::default(), AtomDomain::new_non_nan());
    Ok(make_gaussian_threshold(domain, L0PInfDistance(AbsoluteDistance::default()), sigma, threshold, None)?)
}

/// How far a unit reaches: keys, L2 norm, rows in a key.
fn reach(unit: &Unit) -> (u32, f64, f64) {
    (unit.m(), unit.l2(), f64::from(unit.r()))
}

/// What a threshold costs.
///
/// # Errors
/// When sigma or the threshold is not above 0, or the threshold is below what a unit has in one key.
pub fn cost(unit: &Unit, sigma: f64, threshold: i64) -> Result<Cost> {
    let (rho, delta) = measurement(sigma, threshold)?.map(&reach(unit))?;
    Ok(Cost { rho, delta })
}

/// The least standard deviation and the least threshold that cost at most this.
///
/// # Errors
/// When rho or delta is not above 0.
pub fn calibrate(unit: &Unit, cost_at_most: Cost) -> Result<(f64, i64)> {
    let Cost { rho, delta } = cost_at_most;
    if !(rho > 0.0 && rho.is_finite() && delta > 0.0 && delta < 1.0) {
        return Err(Error::Internal(format!("a threshold for {cost_at_most}")));
    }
    let most = i64::from(unit.r());
    let mut sigma = unit.l2() / (2.0 * rho).sqrt();
    let mut step = sigma * f64::EPSILON;
    let far = |sigma: f64| most + (sigma * 40.0).ceil() as i64 + 1;
    while cost(unit, sigma, far(sigma))?.rho > rho {
        sigma += step;
        step *= 2.0;
    }
    // Delta falls as the threshold rises.
    let (mut low, mut high) = (most, far(sigma));
    if cost(unit, sigma, high)?.delta > delta {
        return Err(Error::Internal(format!("no threshold for delta {delta:e}")));
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if cost(unit, sigma, middle)?.delta > delta { low = middle } else { high = middle }
    }
    Ok((sigma, high))
}

impl Session {
    /// The keys whose noisy count reaches the threshold, with these counts, sorted by key. What is counted was truncated to
    /// `bounds`, by [`Unit::truncate`] and [`keep_groups`](crate::keep_groups): those of the session's unit, or narrower ones.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; and when charging or drawing fails.
    pub fn threshold(
        &mut self,
        query: &str,
        bounds: &Unit,
        counts: &[(String, i64)],
        sigma: f64,
        threshold: i64,
    ) -> Result<Vec<(String, i64)>> {
        let measurement = measurement(sigma, threshold)?;
        let asked = Asked {
            mechanism: "Gaussian threshold",
            query: format!("{query}, where at least {threshold}"),
            sensitivity: bounds.l2(),
            norm: "L2",
            scale: sigma,
            granularity: 1.0,
            cost: cost(bounds, sigma, threshold)?,
            gaussian: false,
        };
        let counts: HashMap<String, i64> = counts.iter().cloned().collect();
        let sorted = |kept: HashMap<String, i64>| {
            let mut kept: Vec<(String, i64)> = kept.into_iter().collect();
            kept.sort_unstable();
            kept
        };
        match self.noise.clone() {
            Noise::System => self.release(asked, move || Ok(sorted(measurement.invoke(&counts)?))),
            #[cfg(test)]
            Noise::Half => {
                let measurement = self::measurement(sigma / 2.0, threshold)?;
                self.release(asked, move || Ok(sorted(measurement.invoke(&counts)?)))
            }
            #[cfg(test)]
            Noise::Spy(spy) => {
                let (query, sensitivity, bounds) = (asked.query.clone(), asked.sensitivity, bounds.clone());
                self.release(asked, move || {
                    let counts = counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
                    let about = super::spy::About::Keys { bounds: bounds.clone(), counts };
                    let mut spy = spy.borrow_mut();
                    spy.see(&query, sensitivity, about);
                    Ok(spy.found())
                })
            }
            #[cfg(test)]
            Noise::Double(double) => self.release(asked, move || {
                let mut double = double.borrow_mut();
                let mut kept = sorted(counts.clone());
                kept.iter_mut().for_each(|(_, count)| *count += (sigma * double.normal()).round() as i64);
                kept.retain(|(_, count)| *count >= threshold);
                Ok(kept)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn costs_are_the_known_ones() {
        let found = cost(&Unit::row(), 10.0, 70).unwrap();
        assert!((found.rho - 0.005).abs() < 1e-15);
        assert!(found.delta > 2e-12 && found.delta < 3e-12, "{}", found.delta);
    }

    /// T = r + sigma Phi^-1((1 - delta)^(1/m)), for the continuous Gaussian, within a step or two of the lattice.
    #[test]
    fn thresholds_are_those_of_the_formula() {
        let unit = Unit::column("client", 40).unwrap().by_group(Some(4), Some(10)).unwrap();
        let (sigma, threshold) = calibrate(&unit, Cost { rho: 0.02, delta: 1e-6 }).unwrap();
        assert!((sigma - 100.0).abs() < 1e-9, "{sigma}");
        // Phi^-1(1 - 2.5e-7) = 5.0263
        assert!((threshold as f64 - (10.0 + 502.63)).abs() < 2.0, "{threshold}");
        let cost = cost(&unit, sigma, threshold).unwrap();
        assert!(cost.rho <= 0.02 && cost.delta <= 1e-6);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A search spends its share of rho to the last bits, and of delta as much as the lattice of thresholds lets it: one
        /// step lower would cost too much. Neither is ever passed.
        #[test]
        fn a_search_spends_its_share_and_no_more(
            k in 1u32..60, m in prop::option::of(1u32..20), r in prop::option::of(1u32..20),
            rho in -4.0f64..0.0, delta in -12.0f64..-3.0,
        ) {
            let unit = Unit::column("client", k).unwrap().by_group(m, r).unwrap();
            let share = Cost { rho: 10f64.powf(rho), delta: 10f64.powf(delta) };
            let (sigma, threshold) = calibrate(&unit, share).unwrap();
            let spent = cost(&unit, sigma, threshold).unwrap();
            prop_assert!(spent.fits(share), "{spent} of {share}");
            prop_assert!(spent.rho > share.rho * (1.0 - 1e-12), "{spent} of {share}");
            let lower = cost(&unit, sigma, threshold - 1);
            prop_assert!(lower.map_or(true, |lower| lower.delta > share.delta));
        }
    }
}
