//! Who stands between a method and the rows.

use crate::{Error, Session};

/// Answers queries about a private table with noise, and refuses what the budget does not cover.
///
/// Neighbouring tables differ in the rows of one unit, at most [`rows_per_unit`](Self::rows_per_unit) of them.
pub trait Curator {
    /// Why an answer was refused.
    type Error;

    /// Most rows of one unit.
    fn rows_per_unit(&self) -> u64;

    /// The counts of a marginal, each with Gaussian noise of standard deviation `sigma`. Costs rho = k² / (2 σ²).
    ///
    /// # Errors
    /// When the budget does not cover it; nothing is spent then.
    fn marginal(&mut self, query: &str, counts: &[i64], sigma: f64) -> Result<Vec<i64>, Self::Error>;

    /// The number of one of some candidates, likely one with a large score: the exponential mechanism at `epsilon`, for scores
    /// that one unit changes by at most `sensitivity` each, in any direction. Costs rho = ε² / 8.
    ///
    /// # Errors
    /// As [`marginal`](Self::marginal).
    fn choose(
        &mut self,
        query: &str,
        scores: &[f64],
        sensitivity: f64,
        epsilon: f64,
    ) -> Result<usize, Self::Error>;

    /// What can still be spent.
    fn remaining_rho(&self) -> f64;
}

impl Curator for Session {
    type Error = Error;

    fn rows_per_unit(&self) -> u64 {
        self.unit().k().into()
    }

    fn marginal(&mut self, query: &str, counts: &[i64], sigma: f64) -> Result<Vec<i64>, Error> {
        Session::marginal(self, query, counts, sigma)
    }

    fn choose(
        &mut self,
        query: &str,
        scores: &[f64],
        sensitivity: f64,
        epsilon: f64,
    ) -> Result<usize, Error> {
        Session::choose(self, query, scores, sensitivity, epsilon)
    }

    fn remaining_rho(&self) -> f64 {
        Session::remaining_rho(self)
    }
}
