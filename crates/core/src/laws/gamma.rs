//! The gamma law.

use crate::law::{Law, LawError, require, require_positive};
use crate::special::{gamma_p, gamma_p_inverse};

/// The gamma law: waiting times, amounts.
#[derive(Clone, Copy, Debug)]
pub struct Gamma {
    shape: f64,
    scale: f64,
}

impl Gamma {
    /// With a shape and a scale; the mean is their product.
    ///
    /// With a shape far below 1 most values are tiny: those that are too small for a double are 0.
    ///
    /// # Errors
    ///
    /// If `shape` is not between 0.001 and 1e12, or `scale` is not finite and greater than 0.
    pub fn new(shape: f64, scale: f64) -> Result<Gamma, LawError> {
        require((1e-3..=1e12).contains(&shape), "shape", shape, "between 0.001 and 1e12")?;
        require_positive("scale", scale)?;
        Ok(Gamma { shape, scale })
    }
}

impl Law for Gamma {
    fn quantile(&self, u: f64) -> f64 {
        gamma_p_inverse(self.shape, u) * self.scale
    }

    fn cdf(&self, x: f64) -> f64 {
        gamma_p(self.shape, x / self.scale)
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.shape * self.scale)
    }

    fn variance(&self) -> Option<f64> {
        Some(self.shape * self.scale * self.scale)
    }
}
