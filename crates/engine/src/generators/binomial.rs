//! `binomial`: how many of n independent trials succeed.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Count, Share};
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// How many of a number of independent trials succeed.
    pub struct Binomial {
        /// Number of trials.
        trials: Count,
        /// Probability that a trial succeeds.
        probability: Share,
    }
}

impl LawRule for Binomial {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Binomial::new(self.trials.0, self.probability.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "binomial",
    group: Group::Numbers,
    summary: "How many of a number of independent trials succeed.",
    details: "P(X = k) = (n choose k) p^k (1 - p)^(n - k), for k = 0 … n. The mean is n p.",
    example: "{binomial: {trials: 20, probability: 30%}}",
    ..Kind::of::<ByLaw<Binomial>>()
};
