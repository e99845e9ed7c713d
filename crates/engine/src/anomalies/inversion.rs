//! `inversion`: a burst upside down.

use lookalike_ruleset::decode::Decode;
use lookalike_ruleset::{Json, Node, Problems, Span};
use polars::prelude::*;

use super::amount::Numeric;
use super::runs::means;
use super::stuck::Columns;
use crate::anomaly::{Anomaly, AnomalyKind, AnomalyRule, Hits, Rules};
use crate::generator::{Failure, InputName, Output, Site};

/// The columns.
struct Params(Columns);

impl Decode for Params {
    fn decode(node: &Node, problems: &mut Problems) -> Option<Self> {
        Columns::decode(node, problems).map(Params)
    }
    fn what() -> String {
        Columns::what()
    }
    fn schema() -> Json {
        Columns::schema()
    }
}

impl AnomalyRule for Params {
    fn build(self, _: Span, _: &mut Rules<'_, '_>) -> Option<Box<dyn Anomaly>> {
        let columns = self.0.0.into_iter().map(Numeric::new).collect();
        Some(Box::new(Inversion { columns }))
    }
}

struct Inversion {
    columns: Vec<Numeric>,
}

impl Anomaly for Inversion {
    fn columns(&self) -> Vec<InputName> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn prepare(&mut self, site: &mut Site<'_>) -> Option<Vec<Output>> {
        let outputs: Vec<_> = self.columns.iter_mut().map(|column| column.prepare(site)).collect();
        outputs.into_iter().collect()
    }

    fn spoil(&self, hits: &Hits<'_>) -> Result<Vec<Series>, Failure> {
        let invert = |column: &Numeric| {
            let means = means(hits, column.id())?;
            column.change(hits, |at, value| means[at].map(|mean| mean + (mean - value)))
        };
        self.columns.iter().map(invert).collect()
    }
}

pub(super) const KIND: AnomalyKind = AnomalyKind {
    name: "inversion",
    summary: "A burst upside down: what is high becomes low, as when a season or a day runs the wrong way.",
    details: "The value becomes 2 m - x, where m is the mean of the burst's clean values without nulls; mean and variance stay. \
              Several columns, in a list, are inverted each about its own mean. It needs `burst`, best as long as a season: a \
              single row is its own mean and does not change. Results are rounded to the column's type, half away from zero. \
              Nulls stay null.",
    example: "{inversion: load, burst: 24, rate: 10%}",
    needs_burst: true,
    ..AnomalyKind::of::<Params>()
};

#[cfg(test)]
mod tests {
    use super::super::runs::testing::{check, check_example, codes, floats, table};

    #[test]
    fn high_becomes_low_about_the_mean() {
        check_example(&super::KIND);
        let marks = check(&table("{inversion: [load, wait], burst: 24, count: 5}"));
        assert_eq!(marks.len(), 2);
        for marks in marks {
            let (before, after) = (floats(&marks.before), floats(&marks.after));
            for (before, after) in before.chunks(24).zip(after.chunks(24)) {
                let mean = before.iter().flatten().sum::<f64>() / 24.0;
                for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
                    assert!((before + after - 2.0 * mean).abs() < 0.51);
                }
            }
        }
        assert_eq!(codes("{inversion: name, burst: 3, count: 1}"), ["wrong-type"]);
        assert_eq!(codes("{inversion: [], burst: 3, count: 1}"), ["bad-value"]);
    }
}
