//! `weibull`: lifetimes whose risk of ending falls or rises with age.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Positive;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Lifetimes whose risk of ending falls or rises with age.
    pub struct Weibull {
        /// Shape: below 1 the risk falls with age, above 1 it rises.
        shape: Positive,
        /// Scale, in the column's unit: 63.2 % of the values are below it.
        scale: Positive,
    }
}

impl LawRule for Weibull {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Weibull::new(self.shape.0, self.scale.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "weibull",
    group: Group::Numbers,
    summary: "Lifetimes whose risk of ending falls or rises with age.",
    details: "P(X > x) = exp(-(x / scale)^shape), for x of at least 0. Shape 1 is the exponential law.",
    example: "{weibull: {shape: 1.5, scale: 1000}}",
    ..Kind::of::<ByLaw<Weibull>>()
};
