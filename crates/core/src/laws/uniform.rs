//! The uniform law.

use crate::law::{Law, LawError, require, require_finite};

/// Every number of an interval alike.
#[derive(Clone, Copy, Debug)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// On [`low`, `high`].
    ///
    /// # Errors
    ///
    /// If an end is not finite, `low` is not below `high`, or their distance is too large for a double.
    pub fn new(low: f64, high: f64) -> Result<Uniform, LawError> {
        require_finite("low", low)?;
        require_finite("high", high)?;
        require(low < high, "low", low, "below high")?;
        require((high - low).is_finite(), "high", high, "at most 1.7e308 above low")?;
        Ok(Uniform { low, high })
    }
}

impl Law for Uniform {
    fn quantile(&self, u: f64) -> f64 {
        (self.low + u * (self.high - self.low)).min(self.high)
    }

    fn cdf(&self, x: f64) -> f64 {
        ((x - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.low + (self.high - self.low) / 2.0)
    }

    fn variance(&self) -> Option<f64> {
        let width = self.high - self.low;
        Some(width * width / 12.0)
    }
}
