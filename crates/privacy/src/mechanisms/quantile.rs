//! A quantile among public candidates.
//!
//! **Protects** values of a column: the candidate whose share of smaller values is near alpha is likely.
//! **Neighbours**: a unit more or less, with at most k rows. **Sensitivity**: a candidate's score is
//! |(1 - alpha) #smaller - alpha #larger|, up to a whole factor; a row moves it by at most max(alpha, 1 - alpha), k rows by
//! k times that.
//! **Cost**: that of the exponential mechanism, rho = (2 k max(alpha, 1 - alpha) / scale)² / 8.
//! **Source**: A. Smith, *Privacy-preserving statistical estimation with optimal convergence rates*, STOC 2011; scores and
//! their stability as in OpenDP's `make_private_quantile`.

use opendp::core::Measurement;
use opendp::measurements::make_private_quantile;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::SymmetricDistance;

use super::{Ints, Noise, ints};
use crate::session::Asked;
use crate::{Cost, Error, Result, Session};

pub(crate) fn measurement(
    candidates: &[i64],
    alpha: f64,
    scale: f64,
) -> Result<Measurement<Ints, SymmetricDistance, ZeroConcentratedDivergence, i64>> {
    if !(scale.is_finite() && scale > 0.0 && (0.0..=1.0).contains(&alpha)) {
        return Err(Error::Internal(format!("quantile {alpha} with scale {scale}")));
    }
    let candidates = candidates.to_vec();
    Ok(make_private_quantile(
        ints(),
        SymmetricDistance,
        ZeroConcentratedDivergence,
        candidates,
        alpha,
        scale,
    )?)
}

/// What a quantile costs when a unit has at most `rows` rows.
///
/// # Errors
/// When alpha is no share or the scale not above 0.
pub fn cost(alpha: f64, scale: f64, rows: u32) -> Result<Cost> {
    Ok(Cost::of(measurement(&[0], alpha, scale)?.map(&rows)?))
}

/// The scale at which a quantile costs at most `rho`.
///
/// # Errors
/// When `rho` is not above 0.
pub fn scale(alpha: f64, rho: f64, rows: u32) -> Result<f64> {
    if !(rho.is_finite() && rho > 0.0) {
        return Err(Error::Internal(format!("a quantile for rho {rho}")));
    }
    let mut scale = 2.0 * f64::from(rows) * alpha.max(1.0 - alpha) / (8.0 * rho).sqrt();
    let mut step = scale * f64::EPSILON;
    while cost(alpha, scale, rows)?.rho > rho {
        scale += step;
        step *= 2.0;
    }
    Ok(scale)
}

impl Session {
    /// The candidate near the `alpha`-quantile of `values`, of which a unit has at most `rows`. `candidates` are public and
    /// rising.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; when candidates do not rise; and when charging or drawing fails.
    pub fn quantile(
        &mut self,
        query: &str,
        values: &[i64],
        rows: u32,
        candidates: &[i64],
        alpha: f64,
        scale: f64,
    ) -> Result<i64> {
        let measurement = measurement(candidates, alpha, scale)?;
        let asked = Asked {
            mechanism: "private quantile",
            query: query.to_owned(),
            sensitivity: f64::from(rows) * alpha.max(1.0 - alpha),
            norm: "rank",
            scale,
            granularity: 1.0,
            cost: Cost::of(measurement.map(&rows)?),
            gaussian: false,
        };
        let values = values.to_vec();
        match self.noise.clone() {
            Noise::System => self.release(asked, move || measurement.invoke(&values)),
            #[cfg(test)]
            Noise::Half => {
                let measurement = self::measurement(candidates, alpha, scale / 2.0)?;
                self.release(asked, move || measurement.invoke(&values))
            }
            #[cfg(test)]
            Noise::Spy(spy) => {
                let (query, sensitivity) = (asked.query.clone(), asked.sensitivity);
                let candidates = candidates.to_vec();
                self.release(asked, move || {
                    let mut spy = spy.borrow_mut();
                    let mut values = values.clone();
                    values.sort_unstable();
                    spy.see(&query, sensitivity, super::spy::About::Ranks { rows, values });
                    Ok(candidates[spy.one_of(candidates.len())])
                })
            }
            #[cfg(test)]
            Noise::Double(_) => {
                let candidates = candidates.to_vec();
                self.release(asked, move || {
                    let mut sorted = values.clone();
                    sorted.sort_unstable();
                    let at = (alpha * sorted.len() as f64) as usize;
                    let wanted = sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0);
                    Ok(candidates.iter().copied().min_by_key(|c| c.abs_diff(wanted)).unwrap_or(0))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use opendp::transformations::make_quantile_score_candidates;
    use proptest::prelude::*;

    use super::*;

    /// The scores of the candidates, and by what they were multiplied to be whole numbers.
    fn scores(values: &[i64], candidates: &[i64], alpha: f64) -> (Vec<f64>, f64) {
        let scores = |values: Vec<i64>, candidates: &[i64]| {
            make_quantile_score_candidates(ints(), SymmetricDistance, candidates.to_vec(), alpha)
                .unwrap()
                .invoke(&values)
                .unwrap()
        };
        // A row is worth alpha to a candidate below it and 1 - alpha to one above: together one.
        let factor = scores(vec![0], &[-1, 1]).into_iter().sum::<u64>() as f64;
        (scores(values.to_vec(), candidates).into_iter().map(|score| score as f64).collect(), factor)
    }

    proptest! {
        /// A unit more or less moves the rank distance of every candidate by no more than the ledger says.
        #[test]
        fn one_unit_moves_ranks_by_no_more_than_declared(
            others in prop::collection::vec(-9i64..30, 0..60), unit in prop::collection::vec(-9i64..30, 1..7),
            mut candidates in prop::collection::vec(-5i64..25, 1..12), percent in 0u8..=100,
        ) {
            candidates.sort_unstable();
            candidates.dedup();
            let alpha = f64::from(percent) / 100.0;
            let with: Vec<i64> = others.iter().chain(&unit).copied().collect();
            let (without, factor) = scores(&others, &candidates, alpha);
            let (with, _) = scores(&with, &candidates, alpha);
            let declared = unit.len() as f64 * alpha.max(1.0 - alpha);
            for (a, b) in without.iter().zip(&with) {
                prop_assert!((a - b).abs() <= declared * factor * (1.0 + 1e-9), "{} {} {}", a, b, factor);
            }
        }
    }

    #[test]
    fn a_quantile_costs_what_its_choice_does() {
        for (alpha, rows) in [(0.5, 1u32), (0.9, 4)] {
            let scale = scale(alpha, 0.02, rows).unwrap();
            let known = 2.0 * f64::from(rows) * f64::max(alpha, 1.0 - alpha) / (8.0f64 * 0.02).sqrt();
            assert!((scale / known - 1.0).abs() < 1e-9, "{scale} {known}");
            assert!(cost(alpha, scale, rows).unwrap().rho <= 0.02);
        }
    }
}
