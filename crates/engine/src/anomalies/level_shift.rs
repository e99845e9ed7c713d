//! `level_shift`: a burst on another level.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Node, Span, params};
use polars::prelude::*;

use super::amount::{Change, Numeric};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputName, Output, Site};

params! {
    /// A shift that all rows of a burst share.
    struct Params {
        /// The column.
        column: Spanned<String>,
        /// Factor for its values, or a column's rule for it.
        times: Option<Node>,
        /// What is added to its values, or a column's rule for it; instead of `times`.
        plus: Option<Node>,
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let change = Change::build(span, self.times, self.plus, rules)?;
        Some(Box::new(LevelShift { column: Numeric::named(self.column), change }))
    }
}

struct LevelShift {
    column: Numeric,
    change: Change,
}

impl Anomaly for LevelShift {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.name.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.change.amount().inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let output = self.column.prepare(site)?;
        self.change.prepare(output.ty, site)?;
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let amounts = self.change.amount().by_instance(hits)?;
        let new = |at: usize, value: f64| Some(self.change.apply(value, amounts[at]?));
        Ok(vec![self.column.change(hits, new)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "level_shift",
    summary: "A burst on another level: every value times the same factor, or plus the same amount.",
    details: "The value becomes `times` · x or x + `plus`. A rule's value is that of the burst's first row, so all rows of a \
              burst share it and bursts differ. `plus` is a length of time for stamps and lengths of time, and days or a length \
              of time for dates; dates and stamps have no `times`. Results are rounded to the column's type, half away from \
              zero. Nulls stay null. Without `burst` each row is a burst of its own.",
    example: "{level_shift: {column: load, plus: {uniform: [20, 30]}}, burst: [5, 20], rate: 5%}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, codes, floats, table};

    #[test]
    fn all_rows_of_a_burst_share_the_shift() {
        check_example(&super::KIND);
        let yaml = "{level_shift: {column: load, plus: {uniform: [20, 30]}}, burst: [5, 20], count: 10}";
        let marks = check(&table(yaml));
        let (before, after) = (floats(&marks[0].before), floats(&marks[0].after));
        let mut shifts = std::collections::BTreeMap::new();
        for (at, instance) in marks[0].instances.iter().enumerate() {
            let shift = after[at].unwrap() - before[at].unwrap();
            assert!((20.0..=30.0).contains(&shift));
            assert!((shifts.entry(instance).or_insert(shift) as &f64 - shift).abs() < 1e-9);
        }
        assert_eq!(shifts.len(), 10);
    }

    #[test]
    fn every_type_of_number_shifts() {
        for (column, change, by) in [
            ("cpu", "times: 2", None),
            ("price", "plus: 0.125", Some(0.13)),
            ("day", "plus: 3", Some(3.0)),
            ("day", "plus: 48h", Some(2.0)),
            ("at", "plus: 90s", Some(90e6)),
            ("wait", "plus: {duration_range: [1s, 1s]}", Some(1e6)),
            ("wait", "times: 3", None),
        ] {
            let yaml = format!("{{level_shift: {{column: {column}, {change}}}, burst: 4, count: 10}}");
            let marks = check(&table(&yaml));
            let (before, after) = (floats(&marks[0].before), floats(&marks[0].after));
            for (before, after) in before.into_iter().zip(after) {
                assert_eq!(before.is_none(), after.is_none());
                let (Some(before), Some(after)) = (before, after) else { continue };
                match by {
                    Some(by) => assert!((after - before - by).abs() < 1e-6, "{column}: {before} {after}"),
                    None => assert!(after == 2.0 * before || after == 3.0 * before),
                }
            }
        }
    }

    #[test]
    fn wrong_amounts_are_explained() {
        let codes_of = |kind: &str| codes(&format!("{{level_shift: {kind}, count: 1}}"));
        assert_eq!(codes_of("{column: load}"), ["bad-anomaly"]);
        assert_eq!(codes_of("{column: load, plus: 1, times: 2}"), ["bad-anomaly"]);
        assert_eq!(codes_of("{column: load, plus: 1h}"), ["wrong-type"]);
        assert_eq!(codes_of("{column: at, plus: 1}"), ["wrong-type"]);
        assert_eq!(codes_of("{column: at, times: 2}"), ["wrong-type"]);
        assert_eq!(codes_of("{column: load, plus: {choice: [a, b]}}"), ["wrong-type"]);
        assert_eq!(codes_of("{column: name, plus: 1}"), ["wrong-type"]);
        assert_eq!(codes_of("{column: nobody, plus: 1}"), ["unknown-column"]);
    }
}
