//! The laws, one file each.
//!
//! | law | values | parameters |
//! |---|---|---|
//! | [`Uniform`] | numbers | low, high |
//! | [`Normal`] | numbers | mean, standard deviation |
//! | [`LogNormal`] | positive numbers | mu, sigma; or median and 95th percentile |
//! | [`Exponential`] | positive numbers | mean; or rate |
//! | [`Gamma`] | positive numbers | shape, scale |
//! | [`Beta`] | numbers in an interval | alpha, beta; low, high |
//! | [`Weibull`] | positive numbers | shape, scale |
//! | [`Pareto`] | numbers from a least one | scale, shape |
//! | [`Triangular`] | numbers in an interval | low, mode, high |
//! | [`Histogram`] | numbers | edges and weights |
//! | [`IntRange`] | integers | low, high |
//! | [`Poisson`] | counts | mean |
//! | [`Binomial`] | counts | trials, probability |
//! | [`Geometric`] | counts | probability |
//! | [`Zipf`] | ranks from 1 | number of ranks, exponent |
//! | [`Mixture`] | those of its parts | weights and laws |
//!
//! Constructors refuse parameters outside their ranges, so a law that exists works.

mod beta;
mod binomial;
mod exponential;
mod gamma;
mod geometric;
mod histogram;
mod int_range;
mod log_normal;
mod mixture;
mod normal;
mod pareto;
mod poisson;
mod table;
mod triangular;
mod uniform;
mod weibull;
mod zipf;

pub use beta::Beta;
pub use binomial::Binomial;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use geometric::Geometric;
pub use histogram::Histogram;
pub use int_range::IntRange;
pub use log_normal::LogNormal;
pub use mixture::Mixture;
pub use normal::Normal;
pub use pareto::Pareto;
pub use poisson::Poisson;
pub use triangular::Triangular;
pub use uniform::Uniform;
pub use weibull::Weibull;
pub use zipf::Zipf;

/// The largest integer up to which a double holds every integer: 2⁵³.
const MAX_INTEGER: f64 = (1u64 << 53) as f64;

#[cfg(test)]
mod tests;
