//! `gamma`: sums of waiting times; positive numbers with a moderate tail.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Positive;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Positive numbers with a moderate tail.
    pub struct Gamma {
        /// Shape: 1 is the exponential law, larger is closer to normal.
        shape: Positive,
        /// Scale, in the column's unit; the mean is shape × scale.
        scale: Positive,
    }
}

impl LawRule for Gamma {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Gamma::new(self.shape.0, self.scale.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "gamma",
    group: Group::Numbers,
    summary: "Positive numbers with a moderate tail.",
    details: "Density x^(shape - 1) exp(-x / scale) / (Γ(shape) scale^shape).",
    example: "{gamma: {shape: 2, scale: 10}}",
    ..Kind::of::<ByLaw<Gamma>>()
};
