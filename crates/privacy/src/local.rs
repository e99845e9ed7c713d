//! Noise on single records, for data that nobody may see as it is: local differential privacy.
//!
//! Neighbours are a value of a record and any other that it might have. Each column costs by itself, and a record the sum over
//! its columns; other records cost it nothing.

use crate::mechanisms::{gaussian, laplace, randomised_response};
use crate::{Cost, Error, Result};

/// How a column is protected. Values are numbers of categories, or whole steps within public bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Local {
    /// Randomised response among so many categories.
    RandomisedResponse {
        /// How many.
        categories: usize,
        /// Pure epsilon of a record.
        epsilon: f64,
    },
    /// Discrete Laplace noise.
    Laplace {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
        /// Pure epsilon of a record.
        epsilon: f64,
    },
    /// Discrete Gaussian noise.
    Gaussian {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
        /// Zero-concentrated loss of a record.
        rho: f64,
    },
}

/// How far a value can move within its bounds.
fn width(low: i64, high: i64) -> Result<f64> {
    match high.checked_sub(low) {
        Some(width) if width > 0 => Ok(width as f64),
        _ => Err(Error::Internal(format!("bounds {low} to {high}"))),
    }
}

impl Local {
    /// Name of the mechanism.
    pub fn name(&self) -> &'static str {
        match self {
            Local::RandomisedResponse { .. } => "randomised response",
            Local::Laplace { .. } => "discrete Laplace",
            Local::Gaussian { .. } => "discrete Gaussian",
        }
    }

    /// What is drawn from: the probability of the truth, the scale, or the standard deviation in steps.
    ///
    /// # Errors
    /// When bounds or costs make no sense.
    pub fn scale(&self) -> Result<f64> {
        match *self {
            Local::RandomisedResponse { categories, epsilon } => {
                randomised_response::truth(categories, epsilon)
            }
            Local::Laplace { low, high, epsilon } => {
                let width = width(low, high)?;
                if !(epsilon.is_finite() && epsilon > 0.0) {
                    return Err(Error::Internal(format!("Laplace noise for epsilon {epsilon}")));
                }
                let mut scale = width / epsilon;
                while laplace::epsilon(scale, width)? > epsilon {
                    scale = scale.next_up();
                }
                Ok(scale)
            }
            Local::Gaussian { low, high, rho } => crate::gaussian_sigma(rho, width(low, high)?),
        }
    }

    /// The pure epsilon of a record; none where there is none at any size.
    ///
    /// # Errors
    /// When bounds or costs make no sense.
    pub fn epsilon(&self) -> Result<Option<f64>> {
        let scale = self.scale()?;
        Ok(match *self {
            Local::RandomisedResponse { categories, .. } => {
                Some(randomised_response::epsilon(categories, scale)?)
            }
            Local::Laplace { low, high, .. } => Some(laplace::epsilon(scale, width(low, high)?)?),
            Local::Gaussian { .. } => None,
        })
    }

    /// What a record costs.
    ///
    /// # Errors
    /// When bounds or costs make no sense.
    pub fn cost(&self) -> Result<Cost> {
        match *self {
            Local::RandomisedResponse { .. } => {
                let epsilon = self.epsilon()?.unwrap_or(f64::INFINITY);
                Ok(Cost::of((epsilon * epsilon / 2.0).next_up()))
            }
            Local::Laplace { low, high, .. } => laplace::cost(self.scale()?, width(low, high)?),
            Local::Gaussian { low, high, .. } => gaussian::cost(self.scale()?, width(low, high)?),
        }
    }

    /// The values with their noise. Numbers are clamped to the bounds before it, not after; what is no category becomes one
    /// at random.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn protect(&self, values: &[i64]) -> Result<Vec<i64>> {
        let scale = self.scale()?;
        let clamped = |low: i64, high: i64| -> Vec<i64> {
            values.iter().map(|&value| value.clamp(low, high)).collect()
        };
        match *self {
            Local::RandomisedResponse { categories, .. } => {
                let measurement = randomised_response::measurement(categories, scale)?;
                values.iter().map(|value| Ok(measurement.invoke(value)?)).collect()
            }
            Local::Laplace { low, high, .. } => Ok(laplace::measurement(scale)?.invoke(&clamped(low, high))?),
            Local::Gaussian { low, high, .. } => {
                Ok(gaussian::measurement(scale)?.invoke(&clamped(low, high))?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_formulas() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b && a <= b * (1.0 + 1e-15), "{a} {b}");
        let coin = Local::RandomisedResponse { categories: 2, epsilon: 3f64.ln() };
        close(coin.scale().unwrap(), 0.75);
        close(coin.epsilon().unwrap().unwrap(), 3f64.ln());
        let three = Local::RandomisedResponse { categories: 3, epsilon: 1.540445040947149 };
        close(three.scale().unwrap(), 0.7);
        let laplace = Local::Laplace { low: 0, high: 100, epsilon: 0.5 };
        close(laplace.scale().unwrap(), 200.0);
        close(laplace.cost().unwrap().rho, 0.125);
        let gaussian = Local::Gaussian { low: -50, high: 50, rho: 0.02 };
        close(gaussian.scale().unwrap(), 500.0);
        close(gaussian.cost().unwrap().rho, 0.02);
        assert_eq!(gaussian.epsilon().unwrap(), None);
    }

    /// 4,000 answers of 4 values: the truth in a share p, each lie in (1 - p)/3. Pearson's statistic with 3 degrees of freedom;
    /// 30.7 has a false-alarm rate of 1e-6.
    #[test]
    fn answers_are_true_as_often_as_they_should_be() {
        let local = Local::RandomisedResponse { categories: 4, epsilon: 1.0 };
        let truth = local.scale().unwrap();
        let mut counts = [0f64; 4];
        for answer in local.protect(&[2; 4000]).unwrap() {
            counts[answer as usize] += 1.0;
        }
        let expected = |value: usize| 4000.0 * if value == 2 { truth } else { (1.0 - truth) / 3.0 };
        let statistic: f64 =
            (0..4).map(|value| (counts[value] - expected(value)).powi(2) / expected(value)).sum();
        assert!(statistic < 30.7, "{counts:?}");
    }

    #[test]
    fn what_is_beyond_the_bounds_costs_no_more() {
        let local = Local::Laplace { low: 0, high: 10, epsilon: 40.0 };
        for value in local.protect(&[-1_000_000, 1_000_000, i64::MIN, i64::MAX]).unwrap() {
            assert!((-100..=110).contains(&value), "{value}");
        }
    }
}
