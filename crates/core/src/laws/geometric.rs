//! The geometric law.

use crate::law::{Law, LawError, require, smallest_integer};

/// The geometric law: how many failures come before the first success. From 0.
#[derive(Clone, Copy, Debug)]
pub struct Geometric {
    p: f64,
    /// ln(1 − p), at most 0; −∞ for p = 1.
    ln_failure: f64,
}

impl Geometric {
    /// With the probability of success in each trial.
    ///
    /// # Errors
    ///
    /// If `p` is not between 1e-12 and 1.
    pub fn new(p: f64) -> Result<Geometric, LawError> {
        require((1e-12..=1.0).contains(&p), "p", p, "between 1e-12 and 1")?;
        Ok(Geometric { p, ln_failure: libm::log1p(-p) })
    }

    fn at(&self, k: f64) -> f64 {
        -libm::expm1((k + 1.0) * self.ln_failure)
    }
}

impl Law for Geometric {
    fn quantile(&self, u: f64) -> f64 {
        let guess = (libm::log1p(-u) / self.ln_failure).ceil() - 1.0;
        // e⁻⁴⁰ is far below the distance from 1 of any u.
        let last = (-40.0 / self.ln_failure).ceil();
        smallest_integer(guess, 0.0, last, u, |k| self.at(k))
    }

    fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 { 0.0 } else { self.at(x.floor()) }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, if self.p == 1.0 { 0.0 } else { f64::INFINITY })
    }

    fn is_discrete(&self) -> bool {
        true
    }

    fn mean(&self) -> Option<f64> {
        Some((1.0 - self.p) / self.p)
    }

    fn variance(&self) -> Option<f64> {
        Some((1.0 - self.p) / self.p / self.p)
    }
}
