//! `pareto`: numbers with a heavy tail, such as incomes and file sizes.

use std::sync::Arc;

use lookalike_core::law::{Law, LawError};
use lookalike_core::laws;
use lookalike_ruleset::decode::Positive;
use lookalike_ruleset::params;

use super::numbers::{ByLaw, LawRule};
use crate::generator::{Group, Kind};

params! {
    /// Numbers with a heavy tail, from a smallest value on.
    pub struct Pareto {
        /// Smallest value, in the column's unit.
        scale: Positive,
        /// Tail index: the smaller, the heavier; the mean is finite above 1, the variance above 2.
        shape: Positive,
    }
}

impl LawRule for Pareto {
    fn law(self) -> Result<Arc<dyn Law>, LawError> {
        Ok(Arc::new(laws::Pareto::new(self.scale.0, self.shape.0)?))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "pareto",
    group: Group::Numbers,
    summary: "Numbers with a heavy tail, from a smallest value on.",
    details: "P(X > x) = (scale / x)^shape, for x of at least `scale`. Truncate it where sizes have a limit.",
    example: "{pareto: {scale: 1, shape: 2.5}}",
    ..Kind::of::<ByLaw<Pareto>>()
};
