//! `drift`: a burst that leaves its course, further with every row.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Node, Span, params};
use polars::prelude::*;

use super::amount::{Amount, Numeric, Unit};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputName, Output, Site};

params! {
    /// A slope.
    struct Params {
        /// The column.
        column: Spanned<String>,
        /// What each row of the burst adds, or a column's rule for it.
        per_row: Node,
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let per_row = Amount::build("per_row", &self.per_row, rules);
        Some(Box::new(Drift { column: Numeric::named(self.column), per_row }))
    }
}

struct Drift {
    column: Numeric,
    per_row: Amount,
}

impl Anomaly for Drift {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.name.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.per_row.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let output = self.column.prepare(site)?;
        self.per_row.prepare(Unit::Like(output.ty), site)?;
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let slopes = self.per_row.by_instance(hits)?;
        let new = |at: usize, value: f64| Some(value + slopes[at]? * (hits.places[at].ordinal + 1) as f64);
        Ok(vec![self.column.change(hits, new)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "drift",
    summary: "A burst that leaves its course: the k-th row is off by k times an amount.",
    details: "The value of the k-th row, counted from 1, becomes x + k · `per_row`; after the burst all is as it was. A rule's \
              value is that of the burst's first row, so a burst has one slope and bursts differ. `per_row` is a length of time \
              for stamps and lengths of time, and days or a length of time for dates. Results are rounded to the column's \
              type, half away from zero. Nulls stay null.",
    example: "{drift: {column: load, per_row: {uniform: [0.5, 1]}}, burst: [10, 30], rate: 5%}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, codes, floats, table};

    #[test]
    fn the_burst_is_off_by_more_with_every_row() {
        check_example(&super::KIND);
        let marks =
            check(&table("{drift: {column: load, per_row: {uniform: [0.5, 1]}}, burst: [10, 30], count: 5}"));
        let (before, after) = (floats(&marks[0].before), floats(&marks[0].after));
        let off = |at: usize| after[at].unwrap() - before[at].unwrap();
        let mut slope = 0.0;
        for (at, (row, first)) in marks[0].rows.iter().zip(&marks[0].instances).enumerate() {
            if row == first {
                slope = off(at);
                assert!((0.5..=1.0).contains(&slope));
            }
            assert!((off(at) - (row - first + 1) as f64 * slope).abs() < 1e-9);
        }
        assert_eq!(
            codes("{drift: {column: load, per_row: {constant: a}}, burst: 3, count: 1}"),
            ["wrong-type"]
        );
    }
}
