//! The exponential law.

use crate::law::{Law, LawError, require_positive};

/// The exponential law: the time until an event that is equally likely at every moment.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    /// With a mean.
    ///
    /// # Errors
    ///
    /// If `mean` is not finite and greater than 0.
    pub fn new(mean: f64) -> Result<Exponential, LawError> {
        require_positive("mean", mean)?;
        Ok(Exponential { mean })
    }

    /// With a rate, one over the mean.
    ///
    /// # Errors
    ///
    /// If `rate` or its inverse is not finite and greater than 0.
    pub fn from_rate(rate: f64) -> Result<Exponential, LawError> {
        require_positive("rate", rate)?;
        Exponential::new(1.0 / rate)
    }
}

impl Law for Exponential {
    fn quantile(&self, u: f64) -> f64 {
        -libm::log1p(-u) * self.mean
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -libm::expm1(-x / self.mean) }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn variance(&self) -> Option<f64> {
        Some(self.mean * self.mean)
    }
}
