//! `noise`: a burst that scatters more, or less.

use lookalike_ruleset::decode::Spanned;
use lookalike_ruleset::{Node, Span, params};
use polars::prelude::*;

use super::amount::{Amount, Numeric, Unit};
use super::runs::means;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputName, Output, Site};

params! {
    /// How much more a burst scatters.
    struct Params {
        /// The column.
        column: Spanned<String>,
        /// Factor for the distances to the burst's mean, or a column's rule for it.
        times: Node,
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, rules: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let times = Amount::build("times", &self.times, rules);
        Some(Box::new(Noise { column: Numeric::named(self.column), times }))
    }
}

struct Noise {
    column: Numeric,
    times: Amount,
}

impl Anomaly for Noise {
    fn columns(&self) -> Vec<InputName> {
        vec![self.column.name.clone()]
    }

    fn inputs(&self, inputs: &mut Vec<InputName>) {
        self.times.inputs(inputs);
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let output = self.column.prepare(site)?;
        self.times.prepare(Unit::Factor, site)?;
        Some(vec![output])
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let (times, means) = (self.times.by_instance(hits)?, means(hits, self.column.id())?);
        let new = |at: usize, value: f64| {
            let mean = means[at]?;
            Some(mean + (value - mean) * times[at]?)
        };
        Ok(vec![self.column.change(hits, new)?])
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "noise",
    summary: "A burst that scatters more, or less: distances to the burst's mean times a factor.",
    details: "The value becomes m + `times` · (x - m), where m is the mean of the burst's clean values without nulls; so the \
              mean stays and the variance is multiplied by the square of the factor. A factor below 1 makes a burst too calm, \
              0 flat. A rule's value is that of the burst's first row. It needs `burst`: a single row is its own mean and \
              does not change. Results are rounded to the column's type, half away from zero. Nulls stay null.",
    example: "{noise: {column: load, times: {uniform: [3, 5]}}, burst: [10, 30], rate: 5%}",
    needs_burst: true,
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, floats, table};

    #[test]
    fn the_mean_stays_and_the_scatter_grows() {
        check_example(&super::KIND);
        for column in ["load", "cpu", "at"] {
            let marks = check(&table(&format!(
                "{{noise: {{column: {column}, times: 3}}, burst: [10, 30], count: 5}}"
            )));
            let (before, after) = (floats(&marks[0].before), floats(&marks[0].after));
            let firsts: std::collections::BTreeSet<u64> = marks[0].instances.iter().copied().collect();
            for first in firsts {
                let of = |values: &[Option<f64>]| -> (f64, f64) {
                    let all =
                        values.iter().zip(&marks[0].instances).filter(|(_, instance)| **instance == first);
                    let all: Vec<f64> = all.filter_map(|(value, _)| *value).collect();
                    let mean = all.iter().sum::<f64>() / all.len() as f64;
                    (mean, all.iter().map(|value| (value - mean).powi(2)).sum())
                };
                let ((mean, variance), (new_mean, new_variance)) = (of(&before), of(&after));
                assert!((mean - new_mean).abs() < 2.0, "{column}: {mean} {new_mean}");
                assert!((new_variance / variance / 9.0 - 1.0).abs() < 0.05, "{column}");
            }
        }
    }
}
