//! Randomised response: a category is told as it is with some probability, and is otherwise any of the others.
//!
//! **Protects** a category in a record, before anybody else sees it.
//! **Neighbours**: one value of a record against any other. **Sensitivity**: none to speak of; all pairs of values are alike.
//! **Cost**: pure epsilon = ln(p (t - 1) / (1 - p)) for t categories and probability p of the truth, which is
//! rho = epsilon² / 2.
//! **Source**: S. Warner, *Randomized response*, JASA 1965; P. Kairouz, S. Oh, P. Viswanath, *Extremal mechanisms for local
//! differential privacy*, JMLR 2016. OpenDP's `make_randomized_response`.

use opendp::core::Measurement;
use opendp::domains::AtomDomain;
use opendp::measurements::make_randomized_response;
use opendp::measures::MaxDivergence;
use opendp::metrics::DiscreteDistance;

use crate::{Error, Result};

pub(crate) fn measurement(
    categories: usize,
    truth: f64,
) -> Result<Measurement<AtomDomain<i64>, DiscreteDistance, MaxDivergence, i64>> {
    Ok(make_randomized_response((0..categories as i64).collect(), truth)?)
}

/// The pure epsilon of telling the truth with probability `truth` among so many categories.
///
/// # Errors
/// When there are fewer than two categories, or `truth` is below their equal share.
pub fn epsilon(categories: usize, truth: f64) -> Result<f64> {
    Ok(measurement(categories, truth)?.map(&1)?)
}

/// The largest probability of the truth that costs at most `epsilon`: exp(epsilon) / (exp(epsilon) + t - 1).
///
/// # Errors
/// When there are fewer than two categories, or epsilon is not above 0.
pub fn truth(categories: usize, epsilon: f64) -> Result<f64> {
    if categories < 2 || !(epsilon.is_finite() && epsilon > 0.0) {
        return Err(Error::Internal(format!(
            "randomised response of {categories} values for epsilon {epsilon}"
        )));
    }
    let others = (categories - 1) as f64;
    let mut truth = 1.0 / (1.0 + others * libm::exp(-epsilon));
    let mut step = truth * f64::EPSILON;
    while truth > 1.0 / categories as f64 && self::epsilon(categories, truth)? > epsilon {
        truth -= step;
        step *= 2.0;
    }
    Ok(truth.max(1.0 / categories as f64))
}
