//! Fitting a model to a private table under differential privacy: which marginals to measure, at what cost.
//!
//! A *method* reads the coded table only through a [`Curator`], which adds the noise and keeps the books; what it makes of the
//! answers is post-processing.

mod aim;
mod coding;
mod curator;
mod mst;
mod output;
mod run;
mod schema;
#[cfg(test)]
pub(crate) mod testing;

pub use aim::{Aim, AimPlan};
pub use coding::{Bins, Coding, Cut, Scale};
pub use curator::Curator;
pub use mst::{Mst, MstPlan};
pub use output::{Style, Written, write};
pub use run::{Cells, Method, Outcome, Plan, run};
pub use schema::{Column, Form, Schema};

use crate::pgm::{Clique, Coded, Measurement, Model};

/// What is subtracted from every share of the budget, relatively: sums of shares round up, and the filter is exact.
const MARGIN: f64 = 1e-11;

/// A marginal that was measured, and what is known of its error.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which columns.
    pub set: Clique,
    /// Standard deviation of the noise of each cell, in rows.
    pub sigma: f64,
    /// Cells.
    pub cells: usize,
}

impl Measured {
    /// A bound on the expected sum of the errors of all cells, in rows: √(2/π) σ for each cell.
    pub fn expected_error(&self) -> f64 {
        noise(self.sigma) * self.cells as f64
    }
}

/// Measures marginals, and remembers which.
struct Measuring<'a> {
    names: &'a [String],
    measured: Vec<Measured>,
}

impl<'a> Measuring<'a> {
    fn new(names: &'a [String]) -> Measuring<'a> {
        Measuring { names, measured: Vec::new() }
    }

    fn measure<C: Curator>(
        &mut self,
        table: &Coded,
        set: Clique,
        sigma: f64,
        curator: &mut C,
    ) -> Result<Measurement, C::Error> {
        let names: Vec<&str> = set.iter().map(|column| self.names[*column].as_str()).collect();
        let noisy = curator.marginal(&names.join(" × "), &table.counts(&set), sigma)?;
        self.measured.push(Measured { set: set.clone(), sigma, cells: noisy.len() });
        Ok(Measurement::even(set, noisy.into_iter().map(|count| count as f64).collect(), sigma))
    }
}

/// The expected absolute value of Gaussian noise.
fn noise(sigma: f64) -> f64 {
    (2.0 / std::f64::consts::PI).sqrt() * sigma
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The distribution, over codes of which rare ones may have been merged.
    pub model: Model,
    /// For each column, the model's code of each of the table's codes.
    pub merged: Vec<Vec<u32>>,
    /// What was measured, in order.
    pub measured: Vec<Measured>,
}
