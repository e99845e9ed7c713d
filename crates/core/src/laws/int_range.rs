//! The uniform law on integers.

use super::MAX_INTEGER;
use crate::law::{Law, LawError, require, smallest_integer};

/// Every integer of a range alike.
///
/// For ranges that doubles can hold; wider ones are drawn as integers, from a word, without a law.
#[derive(Clone, Copy, Debug)]
pub struct IntRange {
    low: f64,
    high: f64,
}

impl IntRange {
    /// The integers from `low` to `high`, both included.
    ///
    /// # Errors
    ///
    /// If `low` is above `high`, an end is beyond ±2⁵³, or the range holds more than 2⁵³ integers.
    pub fn new(low: i64, high: i64) -> Result<IntRange, LawError> {
        const MAX: i64 = MAX_INTEGER as i64;
        require(low <= high, "low", low as f64, "at most high")?;
        require(low >= -MAX, "low", low as f64, "at least -2^53")?;
        require(high <= MAX, "high", high as f64, "at most 2^53")?;
        require(high - low < MAX, "high", high as f64, "less than 2^53 above low")?;
        Ok(IntRange { low: low as f64, high: high as f64 })
    }

    fn width(&self) -> f64 {
        self.high - self.low + 1.0
    }
}

impl Law for IntRange {
    fn quantile(&self, u: f64) -> f64 {
        let last = self.width() - 1.0;
        self.low
            + smallest_integer((u * self.width()).ceil() - 1.0, 0.0, last, u, |k| (k + 1.0) / self.width())
    }

    fn cdf(&self, x: f64) -> f64 {
        ((x.floor().clamp(self.low - 1.0, self.high) - self.low + 1.0) / self.width()).clamp(0.0, 1.0)
    }

    fn support(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        Some(self.low / 2.0 + self.high / 2.0)
    }

    fn variance(&self) -> Option<f64> {
        Some((self.width() * self.width() - 1.0) / 12.0)
    }
}
