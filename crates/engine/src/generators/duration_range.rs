//! `duration_range`: lengths of time that are equally likely.

use lookalike_ruleset::decode::{Spanned, Time};
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::steps::{FromEnds, Ranged, SECOND, Steps, step_of};
use crate::array;
use crate::build::Builder;
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};

params! {
    /// A range of lengths of time.
    struct Params {
        /// Shortest length.
        from: Time,
        /// Longest length, itself included if a whole number of steps leads there.
        to: Time,
        /// Distance between neighbouring lengths.
        step: Spanned<Time> = Spanned { value: SECOND, span: Span::default() },
    }
}

impl FromEnds<Time> for Params {
    fn from_ends(from: Time, to: Time, step: Spanned<Time>) -> Params {
        Params { from, to, step }
    }
}

type Range = Ranged<Time, Params>;

struct DurationRange {
    from: Time,
    to: Time,
    step: i64,
    span: Span,
    steps: Option<Steps>,
}

impl Generator for DurationRange {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let ends =
            [self.from, self.to].map(|Time(micros)| jiff::SignedDuration::from_micros(micros).to_string());
        self.steps = Some(Steps::prepare(self.from.0, self.to.0, self.step, ends, self.span, site)?);
        Some(Output::of(Type::Duration))
    }

    fn promise(&self) -> Promise<'_> {
        self.steps.as_ref().map_or(Promise::Nothing, Steps::promise)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        array::from_ints(self.steps.as_ref().expect("set in prepare").fill(block), Type::Duration)
    }
}

impl Rule for Range {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Params { from, to, step } = self.0;
        let step = step_of(step, builder.problems)?;
        Some(Box::new(DurationRange { from, to, step, span, steps: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "duration_range",
    group: Group::Time,
    summary: "Lengths of time that are equally likely, both ends included.",
    details: "The values are `from`, `from + step`, `from + 2 step`, … up to `to`; the step is a second unless given. A day \
              has 24 hours. Lengths may be negative: `[-1h, 1h]`. With `unique: true` no value occurs twice: row i gets the \
              i-th of a keyed permutation of all values, of which there must be at least as many as the table has rows. \
              `truncate` is not supported; write the shorter range.",
    example: "{duration_range: [1h, 7d]}",
    ..Kind::of::<Range>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lookalike_core::Rows;

    use crate::testing::column;

    fn micros(yaml: &str, rows: u64) -> BTreeSet<i64> {
        let plan = column(yaml, rows).unwrap();
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i64().unwrap().iter().map(|micros| micros.unwrap()).collect()
    }

    #[test]
    fn values_lie_on_the_steps() {
        assert_eq!(micros("{duration_range: [5s, 8s]}", 200), (5..=8).map(|s| s * 1_000_000).collect());
        let halves = micros("{duration_range: {from: -1h, to: 1h, step: 30m}, unique: true}", 5);
        assert_eq!(halves, [-60, -30, 0, 30, 60].map(|m| m * 60_000_000).into());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |yaml: &str, rows| column(yaml, rows).err().unwrap()[0].code;
        assert_eq!(refused("{duration_range: [2h, 1h]}", 1), "bad-value");
        assert_eq!(refused("{duration_range: {from: 1h, to: 2h, step: -1s}}", 1), "bad-value");
        assert_eq!(
            refused("{duration_range: {from: 0s, to: 10s, step: 5s}, unique: true}", 4),
            "too-few-words"
        );
        assert_eq!(refused("{duration_range: [1mo, 2mo]}", 1), "bad-duration");
    }
}
