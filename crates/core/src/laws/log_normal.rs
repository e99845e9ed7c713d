//! The log-normal law.

use crate::law::{Law, LawError, require, require_finite, require_positive};
use crate::special::{normal_cdf, normal_quantile};

/// The law of a number whose logarithm is normal: sizes, prices, durations.
#[derive(Clone, Copy, Debug)]
pub struct LogNormal {
    mu: f64,
    sigma: f64,
}

impl LogNormal {
    /// With the mean `mu` and the standard deviation `sigma` of the natural logarithm.
    ///
    /// # Errors
    ///
    /// If `mu` is not finite, or `sigma` is not finite and greater than 0.
    pub fn new(mu: f64, sigma: f64) -> Result<LogNormal, LawError> {
        require_finite("mu", mu)?;
        require_positive("sigma", sigma)?;
        Ok(LogNormal { mu, sigma })
    }

    /// With a median and a 95th percentile.
    ///
    /// # Errors
    ///
    /// If `median` is not finite and greater than 0, or `p95` is not finite and greater than `median`.
    pub fn from_median_p95(median: f64, p95: f64) -> Result<LogNormal, LawError> {
        require_positive("median", median)?;
        require_finite("p95", p95)?;
        require(p95 > median, "p95", p95, "greater than the median")?;
        let mu = libm::log(median);
        LogNormal::new(mu, (libm::log(p95) - mu) / normal_quantile(0.95))
    }
}

impl Law for LogNormal {
    fn quantile(&self, u: f64) -> f64 {
        libm::exp(self.mu + self.sigma * normal_quantile(u))
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { normal_cdf((libm::log(x) - self.mu) / self.sigma) }
    }

    fn support(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn mean(&self) -> Option<f64> {
        Some(libm::exp(self.mu + self.sigma * self.sigma / 2.0)).filter(|mean| mean.is_finite())
    }

    fn variance(&self) -> Option<f64> {
        let square = self.sigma * self.sigma;
        Some(libm::expm1(square) * libm::exp(2.0 * self.mu + square)).filter(|variance| variance.is_finite())
    }
}
