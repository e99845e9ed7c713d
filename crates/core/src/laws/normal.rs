//! The normal law.

use crate::law::{Law, LawError, require_finite, require_positive};
use crate::special::{normal_cdf, normal_quantile};

/// The normal (Gaussian) law.
#[derive(Clone, Copy, Debug)]
pub struct Normal {
    mean: f64,
    std_dev: f64,
}

impl Normal {
    /// With a mean and a standard deviation.
    ///
    /// # Errors
    ///
    /// If `mean` is not finite, or `std_dev` is not finite and greater than 0.
    pub fn new(mean: f64, std_dev: f64) -> Result<Normal, LawError> {
        require_finite("mean", mean)?;
        require_positive("std_dev", std_dev)?;
        Ok(Normal { mean, std_dev })
    }
}

impl Law for Normal {
    fn quantile(&self, u: f64) -> f64 {
        self.mean + self.std_dev * normal_quantile(u)
    }

    fn cdf(&self, x: f64) -> f64 {
        normal_cdf((x - self.mean) / self.std_dev)
    }

    fn support(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn variance(&self) -> Option<f64> {
        Some(self.std_dev * self.std_dev)
    }
}
