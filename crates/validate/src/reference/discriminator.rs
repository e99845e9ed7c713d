//! `DiscriminatorAUC`: can a model tell the two tables apart?

use lookalike_core::Seed;

use crate::model::{Attribute, Direction, Metric, Question};

use super::models::{Features, predict};
use super::pairs::ranks;
use super::{Figure, Outcome, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "DiscriminatorAUC",
    summary: "can a model tell the two tables apart?",
    definition: "area under the ROC curve of a random forest (30 trees, depth 9, leaves of 5 rows) that learns which table a row is \
                 from; five folds, as many rows of either table, at most 100 columns; ids left out. 0.5 is a coin's toss, 1 is \
                 certainty. Noise: the Mann-Whitney law, with half as much again for what the folds share.",
    direction: Direction::Lower,
    question: Question::Reference,
    attribute: Attribute::Consistency,
};

/// Rows of either table, at least.
const LEAST: usize = 50;
const FOLDS: usize = 5;

pub(crate) fn measure(features: &Features, tolerance: Tolerance, seed: Seed) -> Outcome {
    let n = features.rows[0].min(features.rows[1]);
    if n < LEAST {
        return Err(format!("a model needs {LEAST} rows of either table, and there are {n}"));
    }
    if features.names.is_empty() {
        return Err("there is no column whose values can be compared".to_owned());
    }
    let mut areas = Vec::new();
    for fold in 0..FOLDS {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..n).partition(|row| row % FOLDS == fold);
        let both = |rows: &[usize]| features.matrix(&[(0, rows), (1, rows)], None);
        let (Some(x), Some(y)) = (both(&train), both(&test)) else {
            return Err("there is nothing to learn from".to_owned());
        };
        let target: Vec<f64> = (0..2 * train.len()).map(|i| f64::from(u8::from(i >= train.len()))).collect();
        let scores = predict(&x, &target, &y, seed.derive_index(fold as u64).stream().word(0, 0))?;
        let ranks = ranks(&scores);
        let k = test.len() as f64;
        // Mann and Whitney: the synthetic rows' ranks, less the least that they can add up to.
        let sum: f64 = ranks[test.len()..].iter().sum();
        areas.push((sum - k * (k + 1.0) / 2.0) / (k * k));
    }
    let n = n as f64;
    let error = 1.5 * ((2.0 * n + 1.0) / (12.0 * n * n)).sqrt();
    Ok(Figure {
        value: areas.iter().sum::<f64>() / FOLDS as f64,
        expected: 0.5,
        threshold: (0.5 + noise::two_sided(tolerance.alpha) * error + tolerance.margin).min(1.0),
        n: 2 * n as u64,
        basis: "the Mann-Whitney law",
        detail: format!("{} rows of either table", crate::text::number(n)),
    })
}
