//! `exponential`: waiting times between events that happen at a constant rate.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Positive;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Waiting times at a constant rate, given by their mean.
    pub struct Exponential {
        /// Mean, in the column's unit: one over the rate.
        mean: Positive,
    }
}

impl LawRule for Exponential {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Exponential::new(self.mean.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "exponential",
    group: Group::Numbers,
    summary: "Waiting times at a constant rate, given by their mean.",
    details: "P(X > x) = exp(-x / mean), for x of at least 0. The law has no memory: having waited says nothing of what is left.",
    example: "{exponential: {mean: 30}}",
    ..Kind::of::<ByLaw<Exponential>>()
};
