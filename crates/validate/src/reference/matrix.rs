//! The pair matrix: how alike pairs of columns are, and how strongly they hang together on both sides.

use std::collections::BTreeSet;

use crate::charts::{Chart, Matrix, MatrixKind};

use super::{Comparison, Pair};

/// Columns that a matrix shows, at most.
const MOST: usize = 50;

impl Comparison {
    /// The matrix of the pairs' scores, and of the correlations of the reference and of the synthetic table; none where no
    /// pair has a score. Of more than 50 columns, those of the least alike pairs are shown. The charts show something of the
    /// reference, so they are not for release.
    pub fn matrices(&self) -> Vec<Chart> {
        let names = self.shown();
        let chart = |title: &str, measure: &str, kind: MatrixKind, of: &dyn Fn(&Pair) -> Option<f64>| {
            let mut cells = vec![None; names.len() * names.len()];
            let mut any = false;
            for pair in &self.pairs {
                let at = |column: &String| names.iter().position(|name| name == column);
                if let (Some(a), Some(b), Some(value)) =
                    (at(&pair.columns[0]), at(&pair.columns[1]), of(pair))
                {
                    cells[a * names.len() + b] = Some(value);
                    cells[b * names.len() + a] = Some(value);
                    any = true;
                }
            }
            let matrix = Matrix {
                kind,
                measure: measure.to_owned(),
                row_label: String::new(),
                column_label: String::new(),
                rows: names.clone(),
                columns: names.clone(),
                cells,
            };
            any.then(|| Chart::new(title, Vec::<String>::new(), matrix).private())
        };
        let correlation = |side: fn(&Pair) -> Option<f64>| {
            move |pair: &Pair| side(pair).filter(|_| pair.metric.starts_with("CorrelationSimilarity"))
        };
        [
            chart(
                "Pairs of columns: how alike they are to the reference",
                "score of the pair, 0 to 1",
                MatrixKind::Unit,
                &|pair| pair.score,
            ),
            chart(
                "Correlations in the reference",
                "Pearson's correlation",
                MatrixKind::Signed,
                &correlation(|pair| pair.real),
            ),
            chart(
                "Correlations in the synthetic table",
                "Pearson's correlation",
                MatrixKind::Signed,
                &correlation(|pair| pair.synthetic),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The columns shown, in the order of the table.
    fn shown(&self) -> Vec<String> {
        let mut by_score: Vec<&Pair> = self.pairs.iter().collect();
        by_score.sort_by(|a, b| a.score.unwrap_or(2.0).total_cmp(&b.score.unwrap_or(2.0)));
        let mut kept = BTreeSet::new();
        for name in by_score.iter().flat_map(|pair| &pair.columns) {
            if kept.len() < MOST {
                kept.insert(name.clone());
            }
        }
        let mut out: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for name in self.pairs.iter().flat_map(|pair| &pair.columns) {
            if kept.contains(name) && seen.insert(name) {
                out.push(name.clone());
            }
        }
        out
    }
}
