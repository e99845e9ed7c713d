//! `histogram`: numbers as frequent as a histogram says.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{NonNegative, Number};
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Numbers as frequent as a histogram says, uniform inside each bin.
    pub struct Histogram {
        /// Edges of the bins in ascending order; one more than there are weights.
        edges: Vec<Number>,
        /// Weight of each bin; only their proportions count.
        weights: Vec<NonNegative>,
    }
}

impl LawRule for Histogram {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Histogram::new(
            self.edges.iter().map(|e| e.0).collect(),
            &self.weights.iter().map(|w| w.0).collect::<Vec<_>>(),
        )?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "histogram",
    group: Group::Numbers,
    summary: "Numbers as frequent as a histogram says, uniform inside each bin.",
    details: "The density inside a bin is its weight over the sum of weights and over the bin's width.",
    example: "{histogram: {edges: [0, 10, 50, 100], weights: [5, 3, 1]}}",
    ..Kind::of::<ByLaw<Histogram>>()
};
