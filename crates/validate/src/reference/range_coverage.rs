//! `RangeCoverage`: is the reference's whole range reached?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "RangeCoverage",
    summary: "is the whole range of the reference reached?",
    definition: "1 - the parts of the reference's range below the least and above the greatest synthetic value; at least 0. \
                 Not defined where the reference is constant. Noise: how many of the greatest pooled values can fall to one \
                 side, and how far those reach.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Diversity,
};

pub(crate) const COLUMN: ColumnMetric =
    ColumnMetric { metric: &METRIC, applies: Role::is_continuous, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [real, synthetic] = &sides.sorted;
    let (least, greatest) = (real[0], real[real.len() - 1]);
    let range = greatest - least;
    if range == 0.0 {
        return Err("the reference is constant, so it has no range".to_owned());
    }
    let covered = |from: f64, to: f64| {
        (1.0 - (((from - least) / range).max(0.0) + ((greatest - to) / range).max(0.0))).max(0.0)
    };
    let (n, m) = (real.len(), synthetic.len());
    let share = n as f64 / (n + m) as f64;
    // What the k-th pooled value from either end is, for k up to the longest run that is not improbable.
    let longest = noise::run(share, tolerance.alpha / 2.0) as usize;
    let low = ends(real.iter().copied(), synthetic.iter().copied(), longest, |a, b| a <= b);
    let high = ends(real.iter().rev().copied(), synthetic.iter().rev().copied(), longest, |a, b| a >= b);
    let average = |ends: &[f64]| {
        // The first of the other side comes k-th with probability (1 - share) share^(k - 1).
        let mut left = 1.0;
        let mut sum = 0.0;
        for &end in ends {
            sum += left * (1.0 - share) * end;
            left *= share;
        }
        sum + left * ends.last().copied().unwrap_or(0.0)
    };
    let last = |ends: &[f64]| ends.last().copied().unwrap_or(0.0);
    Ok(Figure {
        value: covered(synthetic[0], synthetic[m - 1]),
        expected: covered(average(&low), average(&high)),
        threshold: (covered(last(&low), last(&high)) - tolerance.margin).max(0.0),
        n: sides.n(),
        basis: "ranks of the pooled values",
        detail: format!(
            "{} to {} against {} to {}",
            sides.text(synthetic[0]),
            sides.text(synthetic[m - 1]),
            sides.text(least),
            sides.text(greatest)
        ),
    })
}

/// The first values of two ordered runs merged, and one more: what comes after a run of `k`.
fn ends(
    a: impl Iterator<Item = f64>,
    b: impl Iterator<Item = f64>,
    k: usize,
    before: impl Fn(f64, f64) -> bool,
) -> Vec<f64> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    let mut out = Vec::with_capacity(k + 1);
    while out.len() <= k {
        let next = match (a.peek(), b.peek()) {
            (Some(&x), Some(&y)) => {
                if before(x, y) {
                    a.next()
                } else {
                    b.next()
                }
            }
            (Some(_), None) => a.next(),
            (None, _) => b.next(),
        };
        match next {
            Some(value) => out.push(value),
            None => break,
        }
    }
    out
}
