//! The triangular law.

use crate::law::{Law, LawError, require, require_finite};

/// The triangular law: a least, a most frequent and a largest value, for estimates by experts.
#[derive(Clone, Copy, Debug)]
pub struct Triangular {
    low: f64,
    mode: f64,
    high: f64,
}

impl Triangular {
    /// On [`low`, `high`] with the peak at `mode`, which may be at an end.
    ///
    /// # Errors
    ///
    /// If an end is not finite, `low` is not below `high`, their distance is too large for a double, or `mode` is not
    /// between them.
    pub fn new(low: f64, mode: f64, high: f64) -> Result<Triangular, LawError> {
        require_finite("low", low)?;
        require_finite("high", high)?;
        require(low < high, "low", low, "below high")?;
        require((high - low).is_finite(), "high", high, "at most 1.7e308 above low")?;
        require(low <= mode && mode <= high, "mode", mode, "between low and high")?;
        Ok(Triangular { low, mode, high })
    }
}

impl Law for Triangular {
    fn quantile(&self, u: f64) -> f64 {
        let Triangular { low, mode, high } = *self;
        let width = high - low;
        let rising = (mode - low) / width;
        let x = if u < rising {
            low + width * (u * rising).sqrt()
        } else {
            // (high - mode) (1 - √((1 - u) / (1 - rising))), without cancellation near the mode.
            let root = ((1.0 - u) / (1.0 - rising)).sqrt();
            mode + (high - mode) * ((u - rising) / (1.0 - rising) / (1.0 + root))
        };
        x.clamp(low, high)
    }

    fn cdf(&self, x: f64) -> f64 {
        let Triangular { low, mode, high } = *self;
        let width = high - low;
        if x <= low {
            0.0
        } else if x >= high {
            1.0
        } else if x < mode {
            (x - low) / width * ((x - low) / (mode - low))
        } else {
            let along = (x - mode) / (high - mode);
            (mode - low) / width + (high - mode) / width * along * (2.0 - along)
        }
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.low / 3.0 + self.mode / 3.0 + self.high / 3.0)
    }

    fn variance(&self) -> Option<f64> {
        let (width, rising) = (self.high - self.low, self.mode - self.low);
        Some((width * width - width * rising + rising * rising) / 18.0)
    }
}
