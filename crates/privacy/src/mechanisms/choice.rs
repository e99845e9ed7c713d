//! The choice of one of several candidates by their scores: the exponential mechanism.
//!
//! **Protects** which candidate scores best: P(i) ~ exp(epsilon q_i / (2 Delta)).
//! **Neighbours**: a unit more or less. **Sensitivity**: Delta, the most by which *any one* score moves. Scores are rounded
//! down to a lattice of Delta / 2^20, which can move a difference by one step more; that step is in the sensitivity. The
//! scores are taken not to be monotone: a row may raise one and lower another, as it does with L1 errors. (To claim the
//! contrary would halve the noise and cost four times what the ledger says.)
//! **Cost**: rho = epsilon² / 8, for the log-ratios of probabilities have a range of at most epsilon.
//! **Source**: F. McSherry, K. Talwar, *Mechanism design via differential privacy*, FOCS 2007; the cost by M. Cesar,
//! R. Rogers, *Bounding, concentrating, and truncating*, ALT 2021, lemma 3.4. OpenDP draws it exactly by permute and flip with
//! replacement.

use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_noisy_max;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::LInfDistance;

use super::{Ints, Noise};
use crate::session::Asked;
use crate::{Cost, Error, Result, Session};

/// Steps of the lattice in a sensitivity.
const STEPS: f64 = (1 << 20) as f64;

/// What any score moves by, in steps of the lattice, rounding included.
const MOVES: i64 = (1 << 20) + 1;

/// Scores further from 0 than this many sensitivities are not told apart from it.
const REACH: f64 = (1u64 << 40) as f64;

pub(crate) fn measurement(
    epsilon: f64,
) -> Result<Measurement<Ints, LInfDistance<i64>, ZeroConcentratedDivergence, usize>> {
    if !(epsilon.is_finite() && epsilon > 0.0) {
        return Err(Error::Internal(format!("a choice with epsilon {epsilon}")));
    }
    let scale = 2.0 * MOVES as f64 / epsilon;
    let metric = LInfDistance::new(false);
    Ok(make_noisy_max(
        VectorDomain::new(AtomDomain::new_non_nan()),
        metric,
        ZeroConcentratedDivergence,
        scale,
        false,
    )?)
}

/// What a choice with this epsilon costs.
///
/// # Errors
/// When `epsilon` is not above 0.
pub fn cost(epsilon: f64) -> Result<Cost> {
    Ok(Cost::of(measurement(epsilon)?.map(&MOVES)?))
}

/// The largest epsilon that costs at most `rho`: sqrt(8 rho), rounded down.
///
/// # Errors
/// When `rho` is not above 0.
pub fn epsilon(rho: f64) -> Result<f64> {
    if !(rho.is_finite() && rho > 0.0) {
        return Err(Error::Internal(format!("a choice for rho {rho}")));
    }
    let mut epsilon = (8.0 * rho).sqrt();
    while cost(epsilon)?.rho > rho {
        epsilon = epsilon.next_down();
    }
    Ok(epsilon)
}

/// Scores as steps of the lattice, with the same rounding for the same score whatever stands beside it.
fn to_lattice(scores: &[f64], sensitivity: f64) -> Vec<i64> {
    let step = |score: f64| (score / sensitivity).clamp(-REACH, REACH) * STEPS;
    scores.iter().map(|&score| step(score).floor() as i64).collect()
}

impl Session {
    /// The number of one of the candidates, the likelier the higher its score. `sensitivity` is the most by which any one
    /// score moves when a unit comes or goes. Scores have to be computed in an order that does not depend on the data.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; when there are no candidates, or a score is not a number; and when charging or
    /// drawing fails.
    pub fn choose(&mut self, query: &str, scores: &[f64], sensitivity: f64, epsilon: f64) -> Result<usize> {
        if !(sensitivity.is_finite() && sensitivity > 0.0) {
            return Err(Error::Internal(format!("a choice with sensitivity {sensitivity}")));
        }
        if scores.is_empty() {
            return Err(Error::Internal("a choice among no candidates".into()));
        }
        let measurement = measurement(epsilon)?;
        let asked = Asked {
            mechanism: "exponential mechanism",
            query: query.to_owned(),
            sensitivity,
            norm: "Linf",
            scale: 2.0 * sensitivity / epsilon,
            granularity: sensitivity / STEPS,
            cost: Cost::of(measurement.map(&MOVES)?),
            gaussian: false,
        };
        // A score that is no number would be an error whose coming depends on the data; it scores lowest instead.
        let scores: Vec<f64> =
            scores.iter().map(|&score| if score.is_nan() { f64::NEG_INFINITY } else { score }).collect();
        let steps = to_lattice(&scores, sensitivity);
        match self.noise.clone() {
            Noise::System => self.release(asked, move || measurement.invoke(&steps)),
            #[cfg(test)]
            Noise::Half => {
                let measurement = self::measurement(2.0 * epsilon)?;
                self.release(asked, move || measurement.invoke(&steps))
            }
            #[cfg(test)]
            Noise::Spy(spy) => {
                let query = asked.query.clone();
                self.release(asked, move || {
                    let mut spy = spy.borrow_mut();
                    spy.see(&query, sensitivity, super::spy::About::Scores(scores.clone()));
                    Ok(spy.one_of(scores.len()))
                })
            }
            #[cfg(test)]
            Noise::Double(double) => self.release(asked, move || {
                let mut double = double.borrow_mut();
                let mut gumbel = |step: i64| {
                    let noise = -(-double.unit().max(1e-300).ln()).ln();
                    step as f64 / STEPS * epsilon / 2.0 + noise
                };
                let noisy: Vec<f64> = steps.iter().map(|&step| gumbel(step)).collect();
                Ok((0..noisy.len()).max_by(|&a, &b| noisy[a].total_cmp(&noisy[b])).unwrap_or(0))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_choice_costs_an_eighth_of_epsilon_squared() {
        for given in [0.0073126743, 0.055420181, 1.0, 8.0] {
            let expected = given * given / 8.0;
            let found = cost(given).unwrap().rho;
            assert!((found - expected).abs() <= 1e-12 * expected, "{found} {expected}");
            assert!((epsilon(expected).unwrap() - given).abs() <= 1e-12 * given);
        }
    }

    proptest! {
        #[test]
        fn the_lattice_keeps_to_its_sensitivity(
            score in -1e6f64..1e6, move_by in -1.0f64..1.0, sensitivity in 0.01f64..1e3,
        ) {
            let steps = to_lattice(&[score, score + move_by * sensitivity], sensitivity);
            prop_assert!((steps[0] - steps[1]).abs() <= MOVES);
        }
    }
}
