//! `late`: a row whose stamp is later than those of the rows after it.

use lookalike_core::Rows;
use lookalike_ruleset::decode::{Count, Spanned};
use lookalike_ruleset::{Diagnostic, Node, Span, params};
use polars::prelude::*;

use super::amount::{Amount, Numeric, Unit};
use super::runs::for_each_run;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::array;
use crate::generator::{Failure, InputName, Output, Site};

params! {
    /// A stamp that has been overtaken.
    struct Params {
        /// The column of stamps, dates or numbers that rise from row to row.
        column: Spanned<String>,
        /// How far it lies beyond the rows that follow, or a column's rule for it.
        by: Node,
        /// How many rows that follow it lies beyond, 1 to 1000.
        rows: Spanned<Count> = Spanned { value: Count(1), span: Span::default() },
    }
}

/// Most rows that overtake another.
const MAX_ROWS: u64 = 1000;

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let Spanned { value: Count(ahead), span } = self.rows;
        if !(1..=MAX_ROWS).contains(&ahead) {
            rules.builder.problems.push(
                Diagnostic::error("bad-value", span, format!("a row that {ahead} rows overtake"))
                    .label(format!("expected 1 to {MAX_ROWS}")),
            );
            return None;
        }
        let by = Amount::build("by", &self.by, rules);
        Some(Box::new(Late { column: Numeric::named(self.column), by, ahead }))
    }
}

struct Late {
    column: Numeric,
    by: Amount,
    ahead: u64,
}

impl Anomaly for Late {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.name.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.by.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let output = self.column.prepare(site)?;
        self.by.prepare(Unit::Like(output.ty), site)?;
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let by = self.by.by_row(hits)?;
        let runs: Vec<Rows> = hits.block.rows.iter().map(|row| hits.around(row, 0, self.ahead).0).collect();
        let mut latest = vec![f64::NEG_INFINITY; runs.len()];
        for_each_run(hits, self.column.id(), &runs, |at, values| {
            latest[at] = array::to_floats(&values)?.into_iter().flatten().fold(f64::NEG_INFINITY, f64::max);
            Ok(())
        })?;
        Ok(vec![self.column.change(hits, |at, _| Some(latest[at] + by[at]?))?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "late",
    summary: "A row whose stamp is later than those of the rows after it.",
    details: "The stamp becomes the latest of the row's own and those of the next `rows` rows, all of them clean, plus `by`. So \
              in a column that rises from row to row, the row stands before rows that it should follow; near the table's end \
              there are fewer of them, and the last row is only moved. With `order: {column: at, per: sensor}` the next rows are \
              those of the same sensor. `by` is a length of time, for dates also a number of \
              days; columns of numbers, such as counters, take a number. Results are rounded to the column's type, half away \
              from zero. Nulls stay null.",
    example: "{late: {column: at, by: {duration_range: [1m, 1h]}}, rate: 2%}",
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{ROWS, check, check_example, codes, floats, table};
    use lookalike_core::Rows;

    #[test]
    fn a_stamp_lies_beyond_those_that_follow() {
        check_example(&super::KIND);
        for (ahead, column, by, least) in
            [(1, "at", "{duration_range: [1m, 1h]}", 60e6), (5, "id", "2", 2.0), (40, "day", "36h", 1.5)]
        {
            let plan = table(&format!("{{late: {{column: {column}, by: {by}, rows: {ahead}}}, count: 100}}"));
            let marks = check(&plan);
            let clean = plan.tables[0].clean(&Rows::from(0..ROWS)).unwrap();
            let clean = floats(clean.column(column).unwrap().as_materialized_series());
            for (row, after) in marks[0].rows.iter().zip(floats(&marks[0].after)) {
                let row = *row as usize;
                assert_eq!(clean[row].is_none(), after.is_none());
                let others = &clean[row..(row + 1 + ahead).min(ROWS as usize)];
                assert!(
                    after.is_none_or(|after| others.iter().flatten().all(|other| after >= other + least))
                );
            }
        }
        assert_eq!(codes("{late: {column: at, by: 1h, rows: 0}, count: 1}"), ["bad-value"]);
        assert_eq!(codes("{late: {column: at, by: 1}, count: 1}"), ["wrong-type"]);
    }
}
