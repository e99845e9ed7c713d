//! Discrete Gaussian noise on a vector of whole numbers.
//!
//! **Protects** counts and fixed-point sums: x + N_Z(0, sigma²) in each place.
//! **Neighbours**: a unit more or less. **Sensitivity**: the L2 norm of a unit's part. A marginal counts each row in one
//! cell, so k rows move it by at most k (all in the same cell); see [`Unit::l2_squared`](crate::Unit::l2_squared) for
//! bounds by group.
//! **Cost**: rho = (sensitivity / sigma)² / 2.
//! **Source**: C. Canonne, G. Kamath, T. Steinke, *The discrete Gaussian for differential privacy*, NeurIPS 2020, theorem 4
//! and, for vectors, theorem 14.

use opendp::core::Measurement;
use opendp::measurements::make_gaussian;
use opendp::measures::ZeroConcentratedDivergence;
use opendp::metrics::L2Distance;

use super::{Ints, Law, ints};
use crate::{Cost, Error, Result, Session};

pub(crate) fn measurement(
    sigma: f64,
) -> Result<Measurement<Ints, L2Distance<f64>, ZeroConcentratedDivergence, Vec<i64>>> {
    if !(sigma.is_finite() && sigma > 0.0) {
        return Err(Error::Internal(format!("Gaussian noise with standard deviation {sigma}")));
    }
    Ok(make_gaussian(ints(), L2Distance::default(), sigma, None)?)
}

/// What noise of standard deviation `sigma` costs on vectors with this L2 sensitivity, as OpenDP's privacy map says.
///
/// # Errors
/// When `sigma` is not above 0 or the sensitivity is below 0.
pub fn cost(sigma: f64, l2_sensitivity: f64) -> Result<Cost> {
    Ok(Cost::of(measurement(sigma)?.map(&l2_sensitivity)?))
}

impl Session {
    /// The counts of a marginal with Gaussian noise of standard deviation `sigma`. Each row is counted in one cell at most,
    /// and the table was truncated to the unit's k rows, so the sensitivity is k.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; and when charging or drawing fails.
    pub fn marginal(&mut self, query: &str, counts: &[i64], sigma: f64) -> Result<Vec<i64>> {
        let sensitivity = f64::from(self.unit().k());
        self.gaussian(query, counts, sensitivity, sigma)
    }

    /// Whole numbers with Gaussian noise of standard deviation `sigma`, of which a unit's part has an L2 norm of at most
    /// `l2_sensitivity`.
    ///
    /// # Errors
    /// [`Error::Budget`] when it does not fit; and when charging or drawing fails.
    pub fn gaussian(
        &mut self,
        query: &str,
        values: &[i64],
        l2_sensitivity: f64,
        sigma: f64,
    ) -> Result<Vec<i64>> {
        self.add(Law::Gaussian, query, values, l2_sensitivity, sigma)
    }
}
