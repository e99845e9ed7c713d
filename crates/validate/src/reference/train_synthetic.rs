//! `TSTR`: is a model that learns from the synthetic table as good for real rows?

use std::collections::BTreeMap;

use lookalike_core::Seed;

use crate::model::{Attribute, Direction, Metric, Question};

use super::models::{Features, predict};
use super::{Figure, Outcome, Pair, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "TSTR",
    summary: "is a model that learns from the synthetic table as good for real rows?",
    definition: "train on synthetic, test on real (C. Esteban et al. 2017), beside train on real, test on real: a random forest \
                 learns a column from all others, once from synthetic rows and once from as many real ones, and both predict the \
                 other half of the reference. The score is the share of right answers for up to 8 categories (rarer ones \
                 as one), and R² for numbers and times. Of the three columns that hang together most strongly with others. Noise: the \
                 difference of both models' losses, row by row.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Consistency,
};

/// Columns that are predicted, at most.
const TARGETS: usize = 3;
/// Categories that are told apart, at most; the last is all others.
const CLASSES: usize = 8;
/// Rows to learn from, and to test on, at least.
const LEAST: usize = 50;

/// The columns that are worth predicting: those in the strongest pairs of the reference.
pub(crate) fn targets(features: &Features, pairs: &[Pair]) -> Vec<usize> {
    let mut strongest: BTreeMap<usize, f64> = BTreeMap::new();
    for pair in pairs {
        let Some(strength) = pair.real else { continue };
        for name in &pair.columns {
            if let Some(at) = features.names.iter().position(|column| column == name) {
                let entry = strongest.entry(at).or_insert(0.0);
                *entry = entry.max(strength.abs());
            }
        }
    }
    let mut order: Vec<(usize, f64)> =
        strongest.into_iter().filter(|(_, strength)| *strength > 0.1).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order.into_iter().take(TARGETS).map(|(at, _)| at).collect()
}

pub(crate) fn measure(features: &Features, at: usize, tolerance: Tolerance, seed: Seed) -> Outcome {
    let half = features.rows[0] / 2;
    let n = half.min(features.rows[1]);
    if n < LEAST {
        return Err(format!(
            "a model needs {LEAST} synthetic and {} real rows, and there are {} and {}",
            2 * LEAST,
            features.rows[1],
            features.rows[0]
        ));
    }
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (half..features.rows[0]).collect());
    let truth: Vec<f64> = test.iter().map(|&row| features.columns[0][at][row]).collect();
    let classes = match features.roles[at].is_discrete() {
        true => classes(&features.columns[0][at]),
        false => Vec::new(),
    };
    if features.roles[at].is_discrete() && classes.len() < 2 {
        return Err("the column is constant in the reference, so there is nothing to predict".to_owned());
    }
    let losses = |side: usize| -> Result<Vec<f64>, String> {
        let known: Vec<f64> = train.iter().map(|&row| features.columns[side][at][row]).collect();
        let nothing = || "there is no other column to predict it from".to_owned();
        let x = features.matrix(&[(side, &train)], Some(at)).ok_or_else(nothing)?;
        let y = features.matrix(&[(0, &test)], Some(at)).ok_or_else(nothing)?;
        let seed = |index: usize| seed.derive_index(index as u64).stream().word(0, 0);
        if classes.is_empty() {
            let guesses = predict(&x, &known, &y, seed(0))?;
            return Ok(guesses
                .iter()
                .zip(&truth)
                .map(|(guess, truth)| (guess - truth) * (guess - truth))
                .collect());
        }
        let mut best = vec![(f64::NEG_INFINITY, 0); test.len()];
        for class in 0..classes.len() {
            let target: Vec<f64> =
                known.iter().map(|&value| f64::from(u8::from(class_of(&classes, value) == class))).collect();
            let chances = match target.iter().all(|&y| y == target[0]) {
                true => vec![target[0]; test.len()],
                false => predict(&x, &target, &y, seed(class))?,
            };
            for (best, chance) in best.iter_mut().zip(chances) {
                if chance > best.0 {
                    *best = (chance, class);
                }
            }
        }
        Ok(best
            .iter()
            .zip(&truth)
            .map(|(best, &truth)| f64::from(u8::from(best.1 != class_of(&classes, truth))))
            .collect())
    };
    let (synthetic, real) = (losses(1)?, losses(0)?);
    let m = test.len() as f64;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / m;
    // Losses are errors of categories, or squares in units of the variance.
    let (scale, blind) = match classes.is_empty() {
        true => {
            let variance = noise::moments(&truth).1;
            (variance, 1.0)
        }
        false => {
            let mut counts = vec![0.0; classes.len()];
            truth.iter().for_each(|&value| counts[class_of(&classes, value)] += 1.0);
            (1.0, 1.0 - counts.iter().fold(0.0f64, |a, &b| a.max(b)) / m)
        }
    };
    if !scale.is_finite() {
        return Err("the values are too large to measure errors of predictions".to_owned());
    }
    if scale == 0.0 {
        return Err("the column is constant in the reference, so there is nothing to predict".to_owned());
    }
    let (value, expected) = (1.0 - mean(&synthetic) / scale, 1.0 - mean(&real) / scale);
    if mean(&real) / scale > blind - 0.02 {
        return Err("the reference's other columns do not predict it better than a blind guess".to_owned());
    }
    let difference: Vec<f64> = synthetic.iter().zip(&real).map(|(a, b)| (a - b) / scale).collect();
    let error = (noise::moments(&difference).1 / m).sqrt();
    let what = if classes.is_empty() { "R²" } else { "right answers" };
    Ok(Figure {
        value,
        expected,
        threshold: expected - noise::two_sided_t(tolerance.alpha, m - 1.0) * error - tolerance.margin,
        n: (n + test.len()) as u64,
        basis: "a model that learnt from real rows",
        detail: format!("{what}: {} against {}", short(value), short(expected)),
    })
}

/// The values that are told apart: the most frequent ones.
fn classes(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut counts: Vec<(usize, f64)> =
        sorted.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
    counts.into_iter().take(CLASSES).map(|(_, value)| value).collect()
}

/// A value's class; of values that are none, the last.
fn class_of(classes: &[f64], value: f64) -> usize {
    classes.iter().position(|&class| class == value).unwrap_or(classes.len() - 1)
}
