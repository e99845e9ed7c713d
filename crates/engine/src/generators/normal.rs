//! `normal`: numbers from a normal (Gaussian) distribution.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Number, Positive};
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Numbers from a normal distribution.
    pub struct Normal {
        /// Mean, in the column's unit.
        mean: Number,
        /// Standard deviation, in the column's unit.
        std_dev: Positive,
    }
}

impl LawRule for Normal {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Normal::new(self.mean.0, self.std_dev.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "normal",
    group: Group::Numbers,
    summary: "Numbers from a normal distribution.",
    details: "Density exp(-((x - mean) / std_dev)² / 2) / (std_dev √(2π)). Quantiles by Wichura's algorithm AS 241 (1988).",
    example: "{normal: {mean: 100, std_dev: 15}}",
    ..Kind::of::<ByLaw<Normal>>()
};
