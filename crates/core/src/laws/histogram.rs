//! The law of a histogram.

use crate::law::{Law, LawError, require, require_finite};

/// A histogram's law: each bin with its weight, and uniform inside the bin.
#[derive(Clone, Debug)]
pub struct Histogram {
    edges: Vec<f64>,
    /// The distribution function at every edge: from 0 to 1.
    cumulative: Vec<f64>,
}

impl Histogram {
    /// With ascending bin edges and the weight of every bin (counts or shares; they need not sum to 1).
    ///
    /// # Errors
    ///
    /// If there are fewer than two edges or not one weight less than edges; if an edge is not finite or not above the one
    /// before it; if a weight is negative or not finite, or all are 0.
    pub fn new(edges: Vec<f64>, weights: &[f64]) -> Result<Histogram, LawError> {
        if edges.len() < 2 {
            return Err(LawError::Length { list: "edges", len: edges.len(), valid: "at least 2" });
        }
        if weights.len() != edges.len() - 1 {
            return Err(LawError::Length {
                list: "weights",
                len: weights.len(),
                valid: "one less than edges",
            });
        }
        edges.iter().try_for_each(|&edge| require_finite("edges", edge))?;
        for pair in edges.windows(2) {
            require(pair[0] < pair[1], "edges", pair[1], "above the edge before it")?;
            require(
                (pair[1] - pair[0]).is_finite(),
                "edges",
                pair[1],
                "at most 1.7e308 above the edge before it",
            )?;
        }
        let shares = shares(weights)?;
        let mut sum = 0.0;
        let mut cumulative = vec![0.0];
        cumulative.extend(shares.iter().map(|share| {
            sum += share;
            sum.min(1.0)
        }));
        // Rounding must not leave the last bins that count short of 1.
        let full = cumulative[cumulative.len() - 1];
        cumulative.iter_mut().filter(|value| **value >= full).for_each(|value| *value = 1.0);
        Ok(Histogram { edges, cumulative })
    }

    fn bins(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.edges.windows(2).zip(self.cumulative.windows(2)).map(|(x, u)| (x[0], x[1], u[1] - u[0]))
    }
}

/// Weights scaled to sum to 1.
pub(super) fn shares(weights: &[f64]) -> Result<Vec<f64>, LawError> {
    for &weight in weights {
        require(weight >= 0.0 && weight.is_finite(), "weights", weight, "a finite number of at least 0")?;
    }
    let sum: f64 = weights.iter().sum();
    require(sum > 0.0 && sum.is_finite(), "the sum of weights", sum, "finite and greater than 0")?;
    Ok(weights.iter().map(|weight| weight / sum).collect())
}

impl Law for Histogram {
    fn quantile(&self, u: f64) -> f64 {
        // The first edge that reaches u; never edge 0, where the distribution function is 0.
        let bin = self.cumulative.partition_point(|&value| value < u).clamp(1, self.edges.len() - 1);
        let (low, high) = (self.edges[bin - 1], self.edges[bin]);
        let (below, upto) = (self.cumulative[bin - 1], self.cumulative[bin]);
        (low + (u - below) / (upto - below) * (high - low)).clamp(low, high)
    }

    fn cdf(&self, x: f64) -> f64 {
        let bin = self.edges.partition_point(|&edge| edge <= x);
        if bin == 0 {
            return 0.0;
        }
        if bin == self.edges.len() {
            return 1.0;
        }
        let (low, high) = (self.edges[bin - 1], self.edges[bin]);
        let (below, upto) = (self.cumulative[bin - 1], self.cumulative[bin]);
        below + (x - low) / (high - low) * (upto - below)
    }

    fn support(&self) -> (f64, f64) {
        // Empty bins at the ends do not count.
        let first = self.cumulative.partition_point(|&value| value <= 0.0) - 1;
        let last = self.cumulative.partition_point(|&value| value < 1.0);
        (self.edges[first], self.edges[last])
    }

    fn mean(&self) -> Option<f64> {
        Some(self.bins().map(|(low, high, share)| share * (low / 2.0 + high / 2.0)).sum())
    }

    fn variance(&self) -> Option<f64> {
        let mean = self.mean()?;
        let about = |low: f64, high: f64| {
            let (middle, width) = (low / 2.0 + high / 2.0 - mean, high - low);
            middle * middle + width * width / 12.0
        };
        Some(self.bins().map(|(low, high, share)| share * about(low, high)).sum())
    }
}
