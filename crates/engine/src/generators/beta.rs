//! `beta`: shares, or numbers on an interval, of a shape with two parameters.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Number, Positive};
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Shares, or numbers on an interval.
    pub struct Beta {
        /// First shape parameter; larger moves weight to the high end.
        alpha: Positive,
        /// Second shape parameter; larger moves weight to the low end.
        beta: Positive,
        /// Low end.
        low: Number = Number(0.0),
        /// High end.
        high: Number = Number(1.0),
    }
}

impl LawRule for Beta {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Beta::new(self.alpha.0, self.beta.0)?.between(self.low.0, self.high.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "beta",
    group: Group::Numbers,
    summary: "Shares, or numbers on an interval.",
    details: "Density proportional to t^(alpha - 1) (1 - t)^(beta - 1), where t runs from 0 at `low` to 1 at `high`. The mean is at alpha / (alpha + beta).",
    example: "{beta: {alpha: 2, beta: 5}}",
    ..Kind::of::<ByLaw<Beta>>()
};
