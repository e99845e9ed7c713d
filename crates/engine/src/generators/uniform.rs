//! `uniform`: numbers that are equally likely anywhere in an interval.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::{Number, Pair};

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

impl LawRule for Pair<Number> {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Uniform::new(self.0.0, self.1.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "uniform",
    group: Group::Numbers,
    summary: "Numbers that are equally likely anywhere between two ends.",
    details: "The ends themselves are practically never met. For whole numbers with both ends included use `int_range`.",
    example: "{uniform: [0.5, 2.5]}",
    ..Kind::of::<ByLaw<Pair<Number>>>()
};
