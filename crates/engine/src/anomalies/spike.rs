//! `spike`: a row far from its neighbours.

use lookalike_core::Rows;
use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Node, Span, params};
use polars::prelude::*;

use super::amount::{Change, Numeric};
use super::runs::{for_each_run, mean};
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputName, Output, Site};

params! {
    /// How far from its neighbours a row is.
    struct Params {
        /// The column.
        column: Spanned<String>,
        /// Factor for the mean of the neighbours, or a column's rule for it.
        times: Option<Node>,
        /// What is added to the mean of the neighbours, or a column's rule for it; instead of `times`.
        plus: Option<Node>,
    }
}

impl AnomalyRule for Params {
    fn build(self, span: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let change = Change::build(span, self.times, self.plus, rules)?;
        Some(Box::new(Spike { column: Numeric::named(self.column), change }))
    }
}

struct Spike {
    column: Numeric,
    change: Change,
}

impl Spike {
    /// For each hit the mean of the rows before and after it.
    fn levels(&self, hits: &Hits<'_>) -> Result<Vec<Option<f64>>, Failure> {
        let near: Vec<(Rows, usize)> = hits.block.rows.iter().map(|row| hits.around(row, 1, 1)).collect();
        let (near, own): (Vec<Rows>, Vec<usize>) = near.into_iter().unzip();
        let mut levels = vec![None; near.len()];
        for_each_run(hits, self.column.id(), &near, |at, values| {
            let values = array::to_floats(&values)?.into_iter().enumerate();
            levels[at] = mean(values.filter(|(place, _)| *place != own[at]).filter_map(|(_, value)| value));
            Ok(())
        })?;
        Ok(levels)
    }
}

impl Anomaly for Spike {
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
        let (amounts, levels) = (self.change.amount().by_row(hits)?, self.levels(hits)?);
        let new = |at: usize, value: f64| Some(self.change.apply(levels[at].unwrap_or(value), amounts[at]?));
        Ok(vec![self.column.change(hits, new)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "spike",
    summary: "A row far from its neighbours: a multiple of their mean, or their mean plus an amount.",
    details: "The value becomes `times` · m or m + `plus`, where m is the mean of the clean values in the rows before and after; \
              so how far it stands out does not depend on what it was. \
              `order: {column: at, per: sensor}` makes these the rows before and after in time, of the same sensor. At the ends, or where a neighbour is null, \
              the other one is m; without any, the row's own value is. A rule gives a value for each row; use a negative one \
              for a dip. A factor does little where m is near 0. `plus` is a length of time for stamps and lengths of time, \
              and days or a length of time for dates; dates and stamps have no `times`. Results are rounded to the column's \
              type, half away from zero. Nulls stay null.",
    example: "{spike: {column: load, times: {uniform: [3, 6]}}, rate: 1%}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{ROWS, check, check_example, floats, table};
    use lookalike_core::Rows;

    #[test]
    fn a_row_is_far_from_its_neighbours() {
        check_example(&super::KIND);
        for (count, column) in [(20, "load"), (20, "cpu"), (ROWS, "load")] {
            let plan = table(&format!("{{spike: {{column: {column}, plus: 1k}}, count: {count}}}"));
            let marks = check(&plan);
            let clean = plan.tables[0].clean(&Rows::from(0..ROWS)).unwrap();
            let clean = floats(clean.column(column).unwrap().as_materialized_series());
            let after = floats(&marks[0].after);
            assert_eq!(after.len(), count as usize);
            for (row, after) in marks[0].rows.iter().zip(after) {
                let row = *row as usize;
                let near = [row.checked_sub(1), Some(row + 1).filter(|row| *row < ROWS as usize)];
                let near: Vec<f64> = near.into_iter().flatten().filter_map(|row| clean[row]).collect();
                let Some(own) = clean[row] else {
                    assert_eq!(after, None);
                    continue;
                };
                let level = if near.is_empty() { own } else { near.iter().sum::<f64>() / near.len() as f64 };
                assert!((after.unwrap() - level - 1000.0).abs() < 0.51);
            }
        }
    }
}
