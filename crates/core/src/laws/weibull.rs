//! The Weibull law.

use crate::law::{Law, LawError, require, require_positive};
use crate::special::ln_gamma;

/// The Weibull law: lifetimes, wind speeds.
#[derive(Clone, Copy, Debug)]
pub struct Weibull {
    shape: f64,
    scale: f64,
}

impl Weibull {
    /// With a shape (below 1: failures grow rarer with age; above: more frequent) and a scale, the 63rd percentile.
    ///
    /// # Errors
    ///
    /// If `shape` is not between 0.01 and 1e6, or `scale` is not finite and greater than 0.
    pub fn new(shape: f64, scale: f64) -> Result<Weibull, LawError> {
        require((0.01..=1e6).contains(&shape), "shape", shape, "between 0.01 and 1e6")?;
        require_positive("scale", scale)?;
        Ok(Weibull { shape, scale })
    }
}

impl Law for Weibull {
    fn quantile(&self, u: f64) -> f64 {
        self.scale * libm::pow(-libm::log1p(-u), 1.0 / self.shape)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { -libm::expm1(-libm::pow(x / self.scale, self.shape)) }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        Some(self.scale * libm::exp(ln_gamma(1.0 + 1.0 / self.shape))).filter(|mean| mean.is_finite())
    }

    fn variance(&self) -> Option<f64> {
        // Γ(1 + 2/k) - Γ(1 + 1/k)², as a difference of logarithms: for a large shape the two are nearly equal.
        let (first, second) = (ln_gamma(1.0 + 1.0 / self.shape), ln_gamma(1.0 + 2.0 / self.shape));
        let variance = self.scale * self.scale * libm::exp(2.0 * first) * libm::expm1(second - 2.0 * first);
        Some(variance).filter(|variance| variance.is_finite())
    }
}
