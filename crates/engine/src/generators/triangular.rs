//! `triangular`: numbers on an interval with one peak.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Number;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Numbers on an interval with one peak.
    pub struct Triangular {
        /// Low end.
        low: Number,
        /// Most frequent value.
        mode: Number,
        /// High end.
        high: Number,
    }
}

impl LawRule for Triangular {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Triangular::new(self.low.0, self.mode.0, self.high.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "triangular",
    group: Group::Numbers,
    summary: "Numbers on an interval with one peak.",
    details: "The density rises in a straight line from `low` to `mode` and falls in a straight line to `high`.",
    example: "{triangular: {low: 0, mode: 20, high: 100}}",
    ..Kind::of::<ByLaw<Triangular>>()
};
