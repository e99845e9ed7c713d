//! What models see of tables: forests that tell the two apart, or that predict a column.
//!
//! The forests are `smartcore`'s: few and small dependencies, no threads and no clock; its randomness has a seed. Regression
//! forests serve for classes, too: the mean of ones and zeros in a leaf is a probability.

use lookalike_core::Seed;
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::text::grouped;

use super::rows::sample;
use super::table::{Coder, NULL, Role, Shared, numbers};
use super::{Comparison, Options, Table, Tolerance, check, discriminator, train_synthetic};

/// A table's rows as numbers, one vector per column.
pub(crate) struct Features {
    pub names: Vec<String>,
    pub roles: Vec<Role>,
    /// Of each side, column by column. A null is a number below all others.
    pub columns: [Vec<Vec<f64>>; 2],
    pub rows: [usize; 2],
}

/// Columns that a model looks at, at most.
const MOST_COLUMNS: usize = 100;

impl Features {
    /// At most `most` rows of each side, in random order.
    pub fn of(
        real: &Table<'_>,
        synthetic: &Table<'_>,
        columns: &[(String, Role)],
        most: usize,
        seed: Seed,
    ) -> Features {
        let tables = [real, synthetic];
        let rows = [0, 1].map(|side| {
            let kept = sample(tables[side].rows(), most, seed.derive_index(side as u64));
            shuffled(kept, seed.derive("order").derive_index(side as u64))
        });
        let mut out = Features {
            names: Vec::new(),
            roles: Vec::new(),
            columns: [Vec::new(), Vec::new()],
            rows: [rows[0].len(), rows[1].len()],
        };
        let chosen = columns.iter().filter(|(_, role)| *role != Role::Id).take(MOST_COLUMNS);
        for (name, role) in chosen {
            let (Some(a), Some(b)) = (real.series(name), synthetic.series(name)) else { continue };
            let mut coder = Coder::default();
            let values = [a, b].map(|series| match role.is_continuous() {
                true => numbers(series),
                false => coder
                    .codes(series)
                    .into_iter()
                    .map(|code| if code == NULL { f64::NAN } else { f64::from(code) })
                    .collect(),
            });
            let values = match role.is_continuous() {
                true => values,
                false => values.map(|codes| in_order(codes, &coder.names())),
            };
            let (least, greatest) = values
                .iter()
                .flatten()
                .filter(|x| !x.is_nan())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), &x| {
                    (least.min(x), greatest.max(x))
                });
            if least > greatest {
                continue; // Nothing but nulls.
            }
            let null = least - 1.0 - (greatest - least) * 0.1;
            out.names.push(name.clone());
            out.roles.push(*role);
            for side in 0..2 {
                let picked = rows[side].iter().map(|&row| values[side][row]);
                out.columns[side].push(picked.map(|x| if x.is_nan() { null } else { x }).collect());
            }
        }
        out
    }

    /// Rows of one side as a matrix, without a column. `None` where nothing is left.
    pub fn matrix(&self, parts: &[(usize, &[usize])], without: Option<usize>) -> Option<DenseMatrix<f64>> {
        let columns: Vec<usize> = (0..self.names.len()).filter(|&column| Some(column) != without).collect();
        let height: usize = parts.iter().map(|(_, rows)| rows.len()).sum();
        let mut values = Vec::with_capacity(columns.len() * height);
        for &column in &columns {
            for (side, rows) in parts {
                values.extend(rows.iter().map(|&row| self.columns[*side][column][row]));
            }
        }
        if values.is_empty() {
            return None;
        }
        DenseMatrix::new(height, columns.len(), values, true).ok()
    }
}

/// Codes of texts by the order of the texts. Codes come in the order in which values occur, the reference's first, so a model
/// could tell by them which values only the synthetic table has. Others than texts stay.
fn in_order(codes: Vec<f64>, names: &[String]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    let mut places = vec![0.0; names.len()];
    order.iter().enumerate().for_each(|(place, code)| places[*code] = place as f64);
    codes
        .into_iter()
        .map(|code| places.get(code as usize).copied().filter(|_| !code.is_nan()).unwrap_or(code))
        .collect()
}

/// The checks by models.
pub(crate) fn compare(
    real: &Table<'_>,
    synthetic: &Table<'_>,
    shared: &Shared,
    options: &Options,
    tolerance: Tolerance,
    out: &mut Comparison,
) {
    let table = &synthetic.schema.table;
    let seed = Seed::new(options.seed).derive("models");
    let features = Features::of(real, synthetic, &shared.columns, options.model_rows, seed);
    let outcome = discriminator::measure(&features, tolerance, seed.derive("discriminator"));
    out.checks.push(check(&discriminator::METRIC, table, &[], outcome));
    for at in train_synthetic::targets(&features, &out.pairs) {
        let name = features.names[at].as_str();
        let outcome = train_synthetic::measure(&features, at, tolerance, seed.derive(name));
        out.checks.push(check(&train_synthetic::METRIC, table, &[name], outcome));
    }
    if real.rows().max(synthetic.rows()) > options.model_rows {
        out.notes.push(format!(
            "Models learn from at most {} rows of each table, drawn evenly.",
            grouped(options.model_rows as u64)
        ));
    }
}

fn shuffled(rows: Vec<usize>, seed: Seed) -> Vec<usize> {
    let stream = seed.stream();
    let mut keyed: Vec<(u64, usize)> =
        rows.into_iter().enumerate().map(|(i, row)| (stream.word(i as u64, 0), row)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// A forest's predictions for `test`, trained on `train`.
///
/// # Errors
/// When the forest cannot be grown; the reason in words.
pub(crate) fn predict(
    train: &DenseMatrix<f64>,
    target: &Vec<f64>,
    test: &DenseMatrix<f64>,
    seed: u64,
) -> Result<Vec<f64>, String> {
    use smartcore::linalg::basic::arrays::Array;

    let width = train.shape().1;
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(30)
        .with_max_depth(9)
        .with_min_samples_leaf(5)
        .with_min_samples_split(10)
        .with_m((width as f64 / 3.0).ceil().max((width as f64).sqrt()).ceil().min(width as f64) as usize)
        .with_seed(seed);
    let forest = RandomForestRegressor::fit(train, target, parameters).map_err(|error| error.to_string())?;
    forest.predict(test).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_each_row_once() {
        let mut rows = shuffled((0..100).collect(), Seed::new(3));
        assert!(!rows.is_sorted());
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..100));
    }
}
