//! `zipf`: ranks of which the first are by far the most frequent.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Count, NonNegative};
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Ranks of which the first are by far the most frequent.
    pub struct Zipf {
        /// Number of ranks; values run from 1 to this.
        ranks: Count,
        /// Exponent: 0 is uniform; about 1 fits words, cities and customers.
        exponent: NonNegative = NonNegative(1.0),
    }
}

impl LawRule for Zipf {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Zipf::new(self.ranks.0, self.exponent.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "zipf",
    group: Group::Numbers,
    summary: "Ranks of which the first are by far the most frequent.",
    details: "P(X = k) is proportional to k^(-exponent), for k = 1 … ranks. The first rank is the most frequent.",
    example: "{zipf: {ranks: 1000, exponent: 1.1}}",
    ..Kind::of::<ByLaw<Zipf>>()
};
