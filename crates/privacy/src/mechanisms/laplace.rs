//! Discrete Laplace noise on a vector of whole numbers, where pure differential privacy is wanted.
//!
//! **Protects** counts and fixed-point sums: P(noise = z) ~ exp(-|z| / b) in each place.
//! **Neighbours**: a unit more or less. **Sensitivity**: the L1 norm of a unit's part; k for a marginal.
//! **Cost**: pure epsilon = sensitivity / b, which is rho = epsilon² / 2.
//! **Source**: A. Ghosh, T. Roughgarden, M. Sundararajan, *Universally utility-maximizing privacy mechanisms*, STOC 2009;
//! the step to rho is proposition 1.4 of Bun and Steinke.

use opendp::combinators::make_pureDP_to_zCDP;
use opendp::core::Measurement;
use opendp::measurements::make_laplace;
use opendp::measures::MaxDivergence;
use opendp::metrics::L1Distance;

use super::{Ints, Law, ints};
use crate::{Cost, Error, Result, Session};

pub(crate) fn measurement(scale: f64) -> Result<Measurement<Ints, L1Distance<f64>, MaxDivergence, Vec<i64>>> {
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Error::Internal(format!("Laplace noise with scale {scale}")));
    }
    Ok(make_laplace(ints(), L1Distance::default(), scale, None)?)
}

/// What noise of scale b costs on vectors with this L1 sensitivity.
///
/// # Errors
/// When `scale` is not above 0 or the sensitivity is below 0.
pub fn cost(scale: f64, l1_sensitivity: f64) -> Result<Cost> {
    Ok(Cost::of(make_pureDP_to_zCDP(measurement(scale)?)?.map(&l1_sensitivity)?))
}

/// The pure epsilon of the same.
///
/// # Errors
/// As [`cost`].
pub fn epsilon(scale: f64, l1_sensitivity: f64) -> Result<f64> {
    Ok(measurement(scale)?.map(&l1_sensitivity)?)
}

/// The scale at which noise costs at most `rho`.
///
/// # Errors
/// When `rho` or the sensitivity is not above 0.
pub fn scale(rho: f64, l1_sensitivity: f64) -> Result<f64> {
    if !(rho > 0.0 && l1_sensitivity > 0.0) {
        return Err(Error::Internal(format!("no scale for rho {rho} and sensitivity {l1_sensitivity}")));
    }
    let mut scale = l1_sensitivity / (2.0 * rho).sqrt();
    while cost(scale, l1_sensitivity)?.rho > rho {
        scale = scale.next_up();
    }
    Ok(scale)
}

/// The standard deviation of discrete Laplace noise of scale b: sqrt(2 q) / (1 - q) with q = exp(-1/b).
pub fn std_dev(scale: f64) -> f64 {
    let q = libm::exp(-1.0 / scale);
    (2.0 * q).sqrt() / -libm::expm1(-1.0 / scale)
}

impl Session {
    /// Whole numbers with discrete Laplace noise of scale b, of which a unit's part has an L1 norm of at most
    /// `l1_sensitivity`.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; and when charging or drawing fails.
    pub fn laplace(
        &mut self,
        query: &str,
        values: &[i64],
        l1_sensitivity: f64,
        scale: f64,
    ) -> Result<Vec<i64>> {
        self.add(Law::Laplace, query, values, l1_sensitivity, scale)
    }
}
