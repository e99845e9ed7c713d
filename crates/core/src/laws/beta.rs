//! The beta law.

use crate::law::{Law, LawError, require, require_finite};
use crate::special::{beta_i, beta_i_inverse};

/// The beta law, on [0, 1] or another interval: shares, utilisations.
#[derive(Clone, Copy, Debug)]
pub struct Beta {
    alpha: f64,
    beta: f64,
    low: f64,
    high: f64,
}

impl Beta {
    /// On [0, 1].
    ///
    /// With `beta` far below 1 most values crowd towards 1, where doubles are coarse; likewise many are 0 for a tiny
    /// `alpha`.
    ///
    /// # Errors
    ///
    /// If `alpha` or `beta` is not between 0.001 and 1e8.
    pub fn new(alpha: f64, beta: f64) -> Result<Beta, LawError> {
        require((1e-3..=1e8).contains(&alpha), "alpha", alpha, "between 0.001 and 1e8")?;
        require((1e-3..=1e8).contains(&beta), "beta", beta, "between 0.001 and 1e8")?;
        Ok(Beta { alpha, beta, low: 0.0, high: 1.0 })
    }

    /// The same law stretched to [`low`, `high`].
    ///
    /// # Errors
    ///
    /// If an end is not finite, `low` is not below `high`, or their distance is too large for a double.
    pub fn between(self, low: f64, high: f64) -> Result<Beta, LawError> {
        require_finite("low", low)?;
        require_finite("high", high)?;
        require(low < high, "low", low, "below high")?;
        require((high - low).is_finite(), "high", high, "at most 1.7e308 above low")?;
        Ok(Beta { low, high, ..self })
    }
}

impl Law for Beta {
    fn quantile(&self, u: f64) -> f64 {
        (self.low + beta_i_inverse(self.alpha, self.beta, u) * (self.high - self.low)).min(self.high)
    }

    fn cdf(&self, x: f64) -> f64 {
        beta_i(self.alpha, self.beta, (x - self.low) / (self.high - self.low))
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.low + self.alpha / (self.alpha + self.beta) * (self.high - self.low))
    }

    fn variance(&self) -> Option<f64> {
        let (sum, width) = (self.alpha + self.beta, self.high - self.low);
        Some(self.alpha / sum * self.beta / sum / (sum + 1.0) * width * width)
    }
}
