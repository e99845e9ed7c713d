//! The Pareto law.

use crate::law::{Law, LawError, require, require_positive};

/// The Pareto law: a least value and a heavy tail, as of incomes, file sizes, claims.
#[derive(Clone, Copy, Debug)]
pub struct Pareto {
    scale: f64,
    shape: f64,
}

impl Pareto {
    /// With the least value `scale` and the tail's exponent `shape` (the smaller, the heavier: P(X > x) =
    /// (scale / x)^shape).
    ///
    /// # Errors
    ///
    /// If `scale` is not finite and greater than 0, or `shape` is not between 0.1 and 1e6.
    pub fn new(scale: f64, shape: f64) -> Result<Pareto, LawError> {
        require_positive("scale", scale)?;
        require((0.1..=1e6).contains(&shape), "shape", shape, "between 0.1 and 1e6")?;
        Ok(Pareto { scale, shape })
    }
}

impl Law for Pareto {
    fn quantile(&self, u: f64) -> f64 {
        self.scale * libm::exp(-libm::log1p(-u) / self.shape)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= self.scale { 0.0 } else { -libm::expm1(-libm::log(x / self.scale) * self.shape) }
    }

    fn support(&self) -> (f64, f64) {
        (self.scale, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        (self.shape > 1.0).then(|| self.shape * self.scale / (self.shape - 1.0))
    }

    fn variance(&self) -> Option<f64> {
        let below = self.shape - 1.0;
        (self.shape > 2.0)
            .then(|| self.shape / (below * below * (self.shape - 2.0)) * self.scale * self.scale)
    }
}
