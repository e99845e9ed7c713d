//! `CategoryAdherence`: are there only categories that the reference has?

use crate::model::{Attribute, Direction, Metric, Question};

use super::columns::{ColumnMetric, Sides};
use super::{Figure, Outcome, Role, Tolerance, noise};

pub(crate) static METRIC: Metric = Metric {
    name: "CategoryAdherence",
    summary: "are there only categories that the reference has?",
    definition: "share of the synthetic values that occur in the reference; a null is valid if the reference has one. Noise: \
                 the pooled counts, dealt out to both sides; threshold by Bernstein's inequality.",
    direction: Direction::Higher,
    question: Question::Reference,
    attribute: Attribute::Consistency,
};

pub(crate) const COLUMN: ColumnMetric = ColumnMetric { metric: &METRIC, applies: Role::is_discrete, measure };

fn measure(sides: &Sides, tolerance: Tolerance) -> Outcome {
    let strange: u64 = sides.counts.iter().filter(|count| count[0] == 0).map(|count| count[1]).sum();
    let kinds = sides.counts.iter().filter(|count| count[0] == 0).count();
    let nulls = if sides.nulls[0] > 0.0 { 0.0 } else { sides.nulls[1] };
    let [n, m] = sides.values();
    let rows = sides.rows[1];
    let noise = noise::alone(sides.counts.iter().copied(), m, n, true, tolerance.alpha);
    let mut detail = format!("{strange} values of {kinds} categories unknown to the reference");
    if nulls > 0.0 {
        detail += &format!(", {nulls} nulls where it has none");
    }
    Ok(Figure {
        value: 1.0 - (strange as f64 + nulls) / rows,
        expected: (1.0 - noise.expected / rows).max(0.0),
        threshold: (1.0 - noise.bound / rows - tolerance.margin).max(0.0),
        n: (n + rows) as u64,
        basis: "pooled counts dealt out anew",
        detail,
    })
}
