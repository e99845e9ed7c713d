//! `poisson`: how often something happens in a fixed time at a constant rate.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Positive;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Counts of events at a constant rate.
    pub struct Poisson {
        /// Mean count.
        mean: Positive,
    }
}

impl LawRule for Poisson {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Poisson::new(self.mean.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "poisson",
    group: Group::Numbers,
    summary: "Counts of events at a constant rate.",
    details: "P(X = k) = mean^k exp(-mean) / k!, for k = 0, 1, 2, … Mean and variance are the same.",
    example: "{poisson: {mean: 4}}",
    ..Kind::of::<ByLaw<Poisson>>()
};
