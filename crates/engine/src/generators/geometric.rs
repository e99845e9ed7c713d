//! `geometric`: how many trials fail before the first success.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Share;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// How many trials fail before the first success.
    pub struct Geometric {
        /// Probability that a trial succeeds; greater than 0.
        probability: Share,
    }
}

impl LawRule for Geometric {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Geometric::new(self.probability.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "geometric",
    group: Group::Numbers,
    summary: "How many trials fail before the first success.",
    details: "P(X = k) = (1 - p)^k p, for k = 0, 1, 2, … The mean is (1 - p) / p.",
    example: "{geometric: {probability: 25%}}",
    ..Kind::of::<ByLaw<Geometric>>()
};
