//! `datetime_range`: points in time that are equally likely.

use lookalike_ruleset::decode::{Spanned, Stamp, Time};
use lookalike_ruleset::{Span, Type, params};
use polars::prelude::*;

use super::steps::{FromEnds, Ranged, SECOND, Steps, step_of};
use crate::array;
use crate::build::{Builder, resolve_stamp, stamp_text};
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};

params! {
    /// A range of points in time.
    struct Params {
        /// Earliest point: a date (its midnight), a stamp, or `clock` with an offset.
        from: Stamp,
        /// Latest point, itself included if a whole number of steps leads there.
        to: Stamp,
        /// Distance between neighbouring points.
        step: Spanned<Time> = Spanned { value: SECOND, span: Span::default() },
    }
}

impl FromEnds<Stamp> for Params {
    fn from_ends(from: Stamp, to: Stamp, step: Spanned<Time>) -> Params {
        Params { from, to, step }
    }
}

type Range = Ranged<Stamp, Params>;

struct DatetimeRange {
    from: Stamp,
    to: Stamp,
    step: i64,
    span: Span,
    steps: Option<Steps>,
}

impl Generator for DatetimeRange {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let (first, last) = (resolve_stamp(self.from, site)?, resolve_stamp(self.to, site)?);
        self.steps =
            Some(Steps::prepare(first, last, self.step, [first, last].map(stamp_text), self.span, site)?);
        Some(Output::of(Type::Datetime))
    }

    fn promise(&self) -> Promise<'_> {
        self.steps.as_ref().map_or(Promise::Nothing, Steps::promise)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        array::from_ints(self.steps.as_ref().expect("set in prepare").fill(block), Type::Datetime)
    }
}

impl Rule for Range {
    fn build(self, span: Span, builder: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        let Params { from, to, step } = self.0;
        let step = step_of(step, builder.problems)?;
        Some(Box::new(DatetimeRange { from, to, step, span, steps: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "datetime_range",
    group: Group::Time,
    summary: "Points in time that are equally likely, both ends included.",
    details: "The values are `from`, `from + step`, `from + 2 step`, … up to `to`; the step is a second unless given. The \
              ends are stamps (UTC unless they have an offset), dates, which stand for their midnight in UTC, or `clock` \
              with an offset: `[clock - 90d, clock]`. So the whole of 2025 to the second is \
              `[2025-01-01, 2025-12-31T23:59:59Z]`. With `unique: true` no value occurs twice: row i gets the i-th of a \
              keyed permutation of all values, of which there must be at least as many as the table has rows. `truncate` \
              is not supported; write the shorter range.",
    example: "{datetime_range: {from: 2025-01-01, to: 2025-12-31T23:59:00Z, step: 1m}}",
    ..Kind::of::<Range>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lookalike_core::Rows;

    use crate::testing::column;

    fn micros(yaml: &str, rows: u64) -> Vec<i64> {
        let plan = column(yaml, rows).unwrap();
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i64().unwrap().iter().map(|micros| micros.unwrap()).collect()
    }

    #[test]
    fn values_lie_on_the_steps() {
        let seen: BTreeSet<i64> =
            micros("{datetime_range: [1970-01-01T00:00:05Z, 1970-01-01T00:00:08Z]}", 200)
                .into_iter()
                .collect();
        assert_eq!(seen, (5..=8).map(|s| s * 1_000_000).collect());
        let yaml =
            "{datetime_range: {from: 1970-01-01, to: 1970-01-01T00:59:00+00:00, step: 15m}, unique: true}";
        let seen: BTreeSet<i64> = micros(yaml, 4).into_iter().collect();
        assert_eq!(seen, [0, 15, 30, 45].map(|m| m * 60_000_000).into());
    }

    #[test]
    fn ends_may_depend_on_the_clock() {
        let clock = 20_454 * 86_400_000_000;
        assert!(
            micros("{datetime_range: [clock - 1h, clock]}", 1000)
                .iter()
                .all(|v| (clock - 3_600_000_000..=clock).contains(v))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |yaml: &str, rows| column(yaml, rows).err().unwrap()[0].code;
        assert_eq!(refused("{datetime_range: [2025-01-02, 2025-01-01]}", 1), "bad-value");
        assert_eq!(refused("{datetime_range: {from: 2025-01-01, to: 2025-01-02, step: 0s}}", 1), "bad-value");
        assert_eq!(
            refused("{datetime_range: {from: 2025-01-01, to: 2025-01-02, step: 12h}, unique: true}", 4),
            "too-few-words"
        );
        assert_eq!(refused("{datetime_range: 2025}", 1), "wrong-type");
    }
}
