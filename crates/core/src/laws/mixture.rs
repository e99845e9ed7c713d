//! Mixtures of laws.

use std::sync::Arc;

use super::histogram::shares;
use crate::law::{Law, LawError, smallest_integer};

/// A mixture: each value from one of several laws, chosen with the laws' weights.
///
/// Its quantile function is found from its distribution function by bisection, some fifty evaluations of every part.
/// Where the order of values does not matter, choosing a part by one draw and a value by another is much faster.
#[derive(Clone, Debug)]
pub struct Mixture {
    /// Shares, all positive, and laws.
    parts: Vec<(f64, Arc<dyn Law>)>,
}

impl Mixture {
    /// Of laws with weights that need not sum to 1.
    ///
    /// # Errors
    ///
    /// If there are no laws or not as many weights; if a weight is negative or not finite, or all are 0.
    pub fn new(weights: &[f64], laws: Vec<Arc<dyn Law>>) -> Result<Mixture, LawError> {
        if laws.is_empty() {
            return Err(LawError::Length { list: "laws", len: 0, valid: "at least 1" });
        }
        if weights.len() != laws.len() {
            return Err(LawError::Length { list: "weights", len: weights.len(), valid: "one for each law" });
        }
        Ok(Mixture {
            parts: shares(weights)?.into_iter().zip(laws).filter(|(share, _)| *share > 0.0).collect(),
        })
    }
}

/// The bits of a double as a number in the same order; its own inverse, up to the types.
fn order(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

impl Law for Mixture {
    fn quantile(&self, u: f64) -> f64 {
        // The mixture's quantile lies between those of its parts.
        let ends = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let (low, high) =
            self.parts.iter().map(|(_, law)| law.quantile(u)).fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        if self.is_discrete() {
            return smallest_integer(low, low, high, u, |k| self.cdf(k));
        }
        if low == high || self.cdf(low) >= u {
            return low;
        }
        // Bisect the doubles themselves: exact, and monotone in u.
        let (mut below, mut reached) = (order(low.to_bits() as i64), order(high.to_bits() as i64));
        while below + 1 < reached {
            let middle = below.midpoint(reached);
            if self.cdf(f64::from_bits(order(middle) as u64)) >= u {
                reached = middle;
            } else {
                below = middle;
            }
        }
        f64::from_bits(order(reached) as u64)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x >= self.support().1 {
            return 1.0; // Whatever rounding makes of the sum of shares.
        }
        self.parts.iter().map(|(share, law)| share * law.cdf(x)).sum::<f64>().min(1.0)
    }

    fn support(&self) -> (f64, f64) {
        let hull = |(low, high): (f64, f64), (l, h): (f64, f64)| (low.min(l), high.max(h));
        self.parts.iter().map(|(_, law)| law.support()).fold((f64::INFINITY, f64::NEG_INFINITY), hull)
    }

    fn is_discrete(&self) -> bool {
        self.parts.iter().all(|(_, law)| law.is_discrete())
    }

    fn mean(&self) -> Option<f64> {
        self.parts.iter().map(|(share, law)| Some(share * law.mean()?)).sum()
    }

    fn variance(&self) -> Option<f64> {
        let mean = self.mean()?;
        let about = |law: &dyn Law| Some(law.variance()? + (law.mean()? - mean) * (law.mean()? - mean));
        self.parts.iter().map(|(share, law)| Some(share * about(law)?)).sum()
    }
}
