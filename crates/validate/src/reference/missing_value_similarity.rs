//! `MissingValueSimilarity`: is as much missing?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Tolerance, noise, short};

pub(crate) static METRIC: Metric = Metric {
    name: "MissingValueSimilarity",
    summary: "is as much missing?",
    definition: "1 - the absolute difference of the shares of nulls. Numbers that are not finite count as nulls. Noise: the \
                 difference of two binomial shares; threshold by Bernstein's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Statistics,
};

pub(crate) const COLUMN: ColumnMetric = ColumnMetric { metric: &METRIC, applies: |_| true, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    let [n, m] = sides.rows;
    let (a, b) = (sides.nulls[0] / n, sides.nulls[1] / m);
    let noise = noise::shares((sides.nulls[0] + sides.nulls[1]) / (n + m), n, m, tolerance.alpha);
    Ok(Figure {
        value: 1.0 - (a - b).abs(),
        expected: 1.0 - noise.expected,
        threshold: (1.0 - noise.bound - tolerance.margin).max(0.0),
        n: (n + m) as u64,
        basis: "the binomial law",
        detail: format!("a share of {} against {}", short(b), short(a)),
    })
}
