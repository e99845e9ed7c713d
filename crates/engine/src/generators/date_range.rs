//! `date_range`: days that are equally likely, both ends included.

use lookalike_ruleset::decode::{DAY, Pair, Stamp};
use lookalike_ruleset::{Span, Type};
use polars::prelude::*;

use super::steps::Steps;
use crate::array;
use crate::build::{Builder, resolve_stamp};
use crate::generator::{Block, Failure, Generator, Group, Kind, Output, Promise, Rule, Site};

struct DateRange {
    from: Stamp,
    to: Stamp,
    span: Span,
    steps: Option<Steps>,
}

/// A day as users write it.
fn day_text(days: i64) -> String {
    let stamp = jiff::Timestamp::from_second(days.saturating_mul(86_400));
    stamp.map_or_else(|_| format!("day {days}"), |stamp| stamp.strftime("%Y-%m-%d").to_string())
}

impl Generator for DateRange {
    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Output> {
        let [first, last] = [resolve_stamp(self.from, site)?, resolve_stamp(self.to, site)?]
            .map(|micros| micros.div_euclid(DAY));
        self.steps = Some(Steps::prepare(first, last, 1, [first, last].map(day_text), self.span, site)?);
        Some(Output::of(Type::Date))
    }

    fn promise(&self) -> Promise<'_> {
        self.steps.as_ref().map_or(Promise::Nothing, Steps::promise)
    }

    fn fill(&self, block: &Block<'_>) -> Result<Series, Failure> {
        array::from_ints(self.steps.as_ref().expect("set in prepare").fill(block), Type::Date)
    }
}

impl Rule for Pair<Stamp> {
    fn build(self, span: Span, _: &mut Builder<'_>) -> Option<Box<dyn Generator>> {
        Some(Box::new(DateRange { from: self.0, to: self.1, span, steps: None }))
    }
}

pub(super) const KIND: Kind = Kind {
    name: "date_range",
    group: Group::Time,
    summary: "Days that are equally likely, both ends included.",
    details: "The ends are dates, or `clock` with an offset: `[clock - 90d, clock]`. An end with a time of day stands for \
              its day in UTC. With `unique: true` no day occurs twice: row i gets the i-th day of a keyed permutation of \
              the range, which must have at least as many days as the table has rows. `truncate` is not supported; write \
              the shorter range.",
    example: "{date_range: [2025-01-01, 2025-12-31]}",
    ..Kind::of::<Pair<Stamp>>()
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lookalike_core::Rows;

    use crate::testing::column;

    fn days(yaml: &str, rows: u64) -> Vec<i32> {
        let plan = column(yaml, rows).unwrap();
        let frame = plan.tables[0].frame(&Rows::from(0..rows)).unwrap();
        let series = frame.column("c").unwrap().as_materialized_series().to_physical_repr().into_owned();
        series.i32().unwrap().iter().map(|day| day.unwrap()).collect()
    }

    fn refused(yaml: &str, rows: u64) -> &'static str {
        column(yaml, rows).err().unwrap()[0].code
    }

    #[test]
    fn both_ends_are_included() {
        let seen: BTreeSet<i32> = days("{date_range: [1969-12-30, 1970-01-02]}", 200).into_iter().collect();
        assert_eq!(seen, (-2..=1).collect());
        assert_eq!(days("{date_range: [1970-01-02, 1970-01-02]}", 3), [1; 3]);
    }

    #[test]
    fn ends_may_depend_on_the_clock() {
        // The tests' clock stands at 2026-01-01, day 20454.
        let seen: BTreeSet<i32> = days("{date_range: [clock - 36h, clock + 1d]}", 200).into_iter().collect();
        assert_eq!(seen, (20_452..=20_455).collect());
    }

    #[test]
    fn unique_days_are_all_days() {
        let mut all = days("{date_range: [1970-01-01, 1970-12-31], unique: true}", 365);
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, (0..365).collect::<Vec<_>>());
        assert_eq!(refused("{date_range: [1970-01-01, 1970-12-31], unique: true}", 366), "too-few-words");
    }

    #[test]
    fn ranges_that_run_backwards_are_refused() {
        assert_eq!(refused("{date_range: [2025-01-02, 2025-01-01]}", 1), "bad-value");
        assert_eq!(
            refused("{date_range: [2025-01-01, 2025-01-02], truncate: [1, 2]}", 1),
            "unsupported-modifier"
        );
    }
}
