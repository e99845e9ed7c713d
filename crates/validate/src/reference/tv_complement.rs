//! `TVComplement`: do categories have the same shares?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "TVComplement",
    summary: "do categories have the same shares?",
    definition: "1 - half the sum of the absolute differences of the categories' shares; nulls left out. As in SDMetrics, a \
                 category that the reference lacks counts there as 0.000001 of a value. Noise: the pooled counts, dealt out \
                 to both sides; threshold by McDiarmid's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric = ColumnMetric { metric: &METRIC, applies: Role::is_discrete, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    sides.need_values()?;
    let [n, m] = sides.values();
    // SDMetrics gives what it has not seen a millionth, and so makes the whole larger.
    const UNSEEN: f64 = 1e-6;
    let unseen = sides.counts.iter().filter(|count| count[0] == 0).count() as f64;
    let whole = n + UNSEEN * unseen;
    let mut largest = (0.0, 0.0, 0.0);
    let mut variation = 0.0;
    for &[a, b] in &sides.counts {
        let a = if a == 0 { UNSEEN } else { a as f64 };
        let difference = (b as f64 / m - a / whole).abs();
        variation += difference;
        if difference > largest.0 {
            largest = (difference, a / whole, b as f64 / m);
        }
    }
    let noise = noise::total_variation(sides.counts.iter().copied(), n, m, tolerance.alpha);
    Ok(Figure {
        value: 1.0 - 0.5 * variation,
        expected: 1.0 - noise.expected,
        threshold: (1.0 - noise.bound - tolerance.margin).max(0.0),
        n: sides.n(),
        basis: "pooled counts dealt out anew",
        detail: format!(
            "greatest difference of one category: a share of {} against {}",
            super::short(largest.2),
            super::short(largest.1)
        ),
    })
}
